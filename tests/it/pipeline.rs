//! `genstore pipeline` as a user meets it: every pipeline that comes with the program runs, is
//! recorded, and can be asked for in SQL; what is wrong is told with its place.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::Place;

/// Runs a pipeline: exit code, and the object that is printed.
fn run(place: &Place, args: &[&str]) -> (i32, Value) {
    let output = place.run(&[&["pipeline", "run", "--format", "json"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    let object = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {said}"));
    (output.status.code().unwrap(), object)
}

/// What a command prints to stdout and to stderr.
fn told(place: &Place, args: &[&str]) -> (i32, String, String) {
    let output = place.run(args);
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_pipeline_that_comes_with_the_program_gives_what_it_says() {
    let place = Place::new();
    let expected = [
        ("sequence", json!("3 numbers, sum 3")),
        ("parallel", json!(3)),
        ("conditional", json!("it is large")),
        ("feed", json!(4)),
        ("tree", json!({"receipt": "receipt over 100", "gross": 119, "report_tax": "tax of 19"})),
        ("graph", json!({"package": "package of source-built", "lint": null})),
        ("fan_out", json!("0: 9, 1: 1, 2: 4")),
        ("call", json!({"short": "2 numbers, sum 1", "size": "it is large"})),
        ("template", json!("5 words, 3 items")),
        ("state", json!("37 EUR by left and right")),
        ("recovery", json!("at last, from a template")),
        ("program", json!(["apple", "fig", "pear"])),
        ("resources", json!("from a template")),
        ("undo", json!("seat 12")),
    ];
    let (_, listed, _) = told(&place, &["pipeline", "list", "--json"]);
    assert_eq!(listed.lines().count(), expected.len(), "all of them are run here");
    for strategy in
        ["ready_queue", "sequential", "staged_parallel", "full_parallel", "dependency_chains"]
    {
        for (name, output) in &expected {
            let (code, object) = run(&place, &[name, "--strategy", strategy]);
            assert_eq!(object["output"], *output, "{name} by {strategy}: {object}");
            assert_eq!((code, &object["result"]), (0, &json!("success")), "{name}");
            assert_eq!(object["degraded"], ["recovery", "resources"].contains(name), "{name}");
        }
    }
    let runs = "SELECT count(*) AS n FROM runs WHERE result = 'success' AND pipeline_digest <> ''";
    assert_eq!(place.count(runs), 70);
    let inner = "SELECT count(*) AS n FROM steps WHERE step_name = 'each/square'
                 AND parent_step_id IS NOT NULL";
    assert_eq!(place.count(inner), 15);
    place.assert_checked();
}

#[test]
fn a_run_that_fails_is_recorded_with_its_reason_and_its_partial_results() {
    let place = Place::new();
    let file = place.root.path().join("failing.yaml");
    let text = "
name: failing
steps:
  - {name: good, use: value, with: {value: 1}}
  - {name: bad, use: fail, with: {message: no such model, error_type: model}}
  - {name: after, use: noop}
";
    std::fs::write(&file, text).unwrap();
    let (code, object) = run(&place, &[file.to_str().unwrap()]);
    assert_eq!((code, &object["result"]), (1, &json!("error")));
    assert_eq!(object["error_message"], "step `bad`: no such model");
    let steps = place.sql("SELECT step_name, result FROM steps ORDER BY step_id");
    let ends: Vec<_> = steps.iter().map(|it| it["result"].as_str().unwrap()).collect();
    assert_eq!(ends, ["success", "error", "skip"]);
}

#[test]
fn effects_are_taken_back_when_a_later_step_fails() {
    let place = Place::new();
    let (code, object) = run(&place, &["undo", "--set", "fail=true"]);
    assert_eq!((code, &object["error_message"]), (1, &json!("step `confirm`: the hall is closed")));
    let undone = "SELECT step_name FROM steps WHERE step_name LIKE '%.undo' AND result = 'success'
                  ORDER BY step_id";
    let names: Vec<_> = place.sql(undone).iter().map(|it| it["step_name"].clone()).collect();
    assert_eq!(names, ["pay.undo", "reserve.undo"], "the last one first");
}

#[test]
fn parameters_are_typed_and_wrong_ones_are_told() {
    let place = Place::new();
    let (_, object) = run(&place, &["sequence", "--set", "count=5"]);
    assert_eq!(object["output"], "5 numbers, sum 10");
    let (_, said, _) = told(&place, &["pipeline", "show", "sequence"]);
    assert!(said.contains("# --set count (integer = 3)"), "{said}");
    let (_, object) = run(&place, &["feed", "--set", "text=one two"]);
    assert_eq!(object["output"], 2);
    for (args, expected) in [
        (["sequence", "--set", "cuont=3"], "Did you mean `count`?"),
        (["sequence", "--set", "count=many"], "parameter `count` is \"many\", not a whole number"),
        (["sequence", "--set", "count"], "Write --set NAME=VALUE."),
        (["sequenze", "--set", "count=1"], "Did you mean `sequence`?"),
    ] {
        let (code, _, errors) = told(&place, &[&["pipeline", "run"], &args[..]].concat());
        assert!(errors.contains(expected), "{args:?}: {errors}");
        assert!(code == 2 || code == 1, "{args:?}: {code}");
    }
}

#[test]
fn a_check_tells_every_fault_and_a_plan_runs_nothing() {
    let place = Place::new();
    let file = place.root.path().join("wrong.yaml");
    let text = "
name: wrong
steps:
  - {name: a, use: valeu}
  - {name: b, use: value, with: {value: \"{{ steps.c.output }}\"}}
";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let (code, said, _) = told(&place, &["pipeline", "check", path, "graph"]);
    assert_eq!(code, 1);
    for expected in [":4:20", "did you mean `value`?", ":5:41", "there is no step `c` here"] {
        assert!(said.to_lowercase().contains(expected), "{expected} in {said}");
    }
    let (code, _, errors) = told(&place, &["pipeline", "run", path]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("2 faults"), "{errors}");
    let (code, said, _) = told(&place, &["pipeline", "plan", "graph"]);
    assert_eq!(code, 0);
    for expected in ["critical path 4.23 s: fetch → build → test", "ready_queue", "the 70 % rule"]
    {
        assert!(said.contains(expected), "{expected} in {said}");
    }
    let (_, dot, _) = told(&place, &["pipeline", "plan", "graph", "--format", "dot"]);
    assert!(dot.starts_with("digraph"), "{dot}");
    let (_, said, _) = told(&place, &["pipeline", "run", "graph", "--dry-run"]);
    assert!(said.contains("ready_queue"), "{said}");
    assert!(!Path::new(&place.store()).exists(), "nothing was run, and nothing recorded");
}

#[test]
fn pipelines_of_a_folder_are_listed_as_those_that_come_with_the_program() {
    let place = Place::new();
    let folder = place.root.path().join("mine");
    std::fs::create_dir(&folder).unwrap();
    let sound = "name: sound\ndescription: Sound.\nparameters: [{name: n, type: integer}]
steps: [{name: a, use: noop}]\n";
    std::fs::write(folder.join("sound.yaml"), sound).unwrap();
    std::fs::write(folder.join("wrong.yml"), "name: wrong\nsteps: [{name: a}, {name: b}]\n")
        .unwrap();
    std::fs::write(folder.join("settings.yaml"), "level: 3\n").unwrap();
    std::fs::write(folder.join("binary.yaml"), b"steps: \xff").unwrap();
    std::fs::write(folder.join("steps.txt"), sound).unwrap();
    let (code, said, errors) = told(&place, &["pipeline", "list", "mine", "--json"]);
    let rows: Vec<Value> = said.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let expected = [
        json!({"pipeline": "mine/sound.yaml", "steps": "1", "parameters": "n", "description": "Sound."}),
        json!({"pipeline": "mine/wrong.yml", "steps": "", "parameters": "",
               "description": "has 2 faults: `genstore pipeline check mine/wrong.yml`"}),
    ];
    assert_eq!((code, rows.as_slice(), errors.as_str()), (0, &expected[..], ""));
    let (code, _, errors) = told(&place, &["pipeline", "show", "mine"]);
    assert!(code != 0 && errors.contains("`genstore pipeline list mine` lists those"), "{errors}");
    let (_, _, errors) = told(&place, &["pipeline", "show", "mine/soudn.yaml"]);
    assert!(errors.contains("Did you mean `mine/sound.yaml`?"), "{errors}");
    let call = "name: calls\nsteps: [{workflow: {name: it, use: soudn.yaml}}]\n";
    std::fs::write(folder.join("calls.yaml"), call).unwrap();
    let (_, said, _) = told(&place, &["pipeline", "check", "mine/calls.yaml"]);
    assert!(said.contains("Did you mean `sound.yaml`?"), "{said}");
    let (code, _, errors) = told(&place, &["pipeline", "list", "none"]);
    assert!(code != 0 && errors.contains("cannot list the folder none"), "{errors}");
    let (_, said, _) = told(&place, &["pipeline", "components", "sleep", "--json"]);
    let expected = json!({"input": "for", "type": "duration", "default": "must be given", "means": "how long"});
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), expected);
    let (code, _, errors) = told(&place, &["pipeline", "components", "slep"]);
    assert!(code != 0 && errors.contains("Did you mean `sleep`?"), "{errors}");
    for (args, expected) in [("list", "or those of a folder"), ("components", "what each takes")] {
        let (_, said, _) = told(&place, &["pipeline", args, "--help"]);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn settings_hold_where_a_pipeline_says_nothing() {
    let place = Place::new();
    let file = |name: &str, text: &str| {
        std::fs::write(place.root.path().join(name), text).unwrap();
    };
    file("slow.yaml", "name: slow\nsteps: [{name: a, use: sleep, with: {for: 1h}}]\n");
    file("own.yaml", "name: own\nsteps: [{name: a, use: sleep, with: {for: 1h}, timeout: 20ms}]\n");
    file(
        "list.yaml",
        "name: list\nsteps:\n  - for_each: {name: each, in: [1, 2, 3], do: [
        {name: a, use: sleep, with: {for: 60ms}}]}\n",
    );
    let config = |all: &[&str], name: &str| {
        let flags = all.iter().flat_map(|it| ["--config", it]);
        run(&place, &flags.chain([name]).collect::<Vec<_>>())
    };
    for (settings, name, message) in [
        (&["workflow.step_timeout=30ms"][..], "slow.yaml", "step `a`: no answer within 30ms"),
        (&["workflow.step_timeout=1h"], "own.yaml", "step `a`: no answer within 20ms"),
        (
            &["workflow.step_timeout=30ms"],
            "list.yaml",
            "step `each`: item 0: step `a`: no answer within 30ms",
        ),
        (
            &["workflow.step_timeout=0s", "workflow.run_timeout=30ms", "workflow.grace=0s"],
            "slow.yaml",
            "the run took longer than it may",
        ),
    ] {
        let (code, object) = config(settings, name);
        assert_eq!((code, &object["result"]), (1, &json!("timeout")), "{object}");
        assert_eq!(object["error_message"], message);
    }
    // a list as a whole takes longer than one attempt of a step may
    let settings = ["workflow.step_timeout=170ms", "workflow.run_jobs_max=1", "workflow.jobs=4"];
    let (code, object) = config(&settings, "list.yaml");
    assert_eq!(code, 0, "{object}");
    assert!(object["duration_ns"].as_i64().unwrap() >= 180_000_000, "one at a time: {object}");
}

#[test]
fn a_called_file_keeps_its_own_time() {
    let place = Place::new();
    let file = |name: &str, text: &str| {
        std::fs::write(place.root.path().join(name), text).unwrap();
    };
    file(
        "called.yaml",
        "name: called\ntimeout: 40ms\nsteps:\n  - {name: quick, use: value, with: {value: 1}}
  - {name: slow, use: sleep, with: {for: 1h}}\n",
    );
    let call = "{workflow: {name: part, use: called.yaml}}";
    file("calls.yaml", &format!("name: calls\nsteps: [{call}]\n"));
    file(
        "goes_on.yaml",
        &format!(
            "name: goes_on\nsteps: [{call}, {{name: after, use: value, when: all_done, with: \
             {{value: \"{{{{ steps.part.result }}}}\"}}}}]\n"
        ),
    );
    let (code, object) = run(&place, &["calls.yaml"]);
    assert_eq!((code, &object["result"]), (1, &json!("timeout")), "{object}");
    let message = "step `part`: the workflow `called` took longer than its `timeout`";
    assert_eq!(object["error_message"], message);
    let inner = "SELECT step_name, result, error_message FROM steps WHERE step_name LIKE 'part/%'
                 ORDER BY step_id";
    let expected = [
        json!({"step_name": "part/quick", "result": "success", "error_message": null}),
        json!({"step_name": "part/slow", "result": "cancellation",
               "error_message": "the step around it took longer than it may"}),
    ];
    assert_eq!(place.sql(inner), expected);
    let (_, object) = run(&place, &["goes_on.yaml"]);
    assert_eq!(object["output"], "timeout", "{object}");
}

/// A pipeline whose second step hangs the first time, and says its process id through a FIFO.
const HANGING: &str = "
name: hanging
parameters:
  - {name: folder, type: text}
steps:
  - for_each:
      name: each
      in: [1, 2]
      do:
        - name: noted
          use: command
          with:
            argv: [sh, -c, 'echo {{ item }} >> noted; echo {{ item }}']
            cwd: \"{{ params.folder }}\"
  - name: hangs
    use: command
    with:
      argv: [sh, -c, 'if mkdir first 2>/dev/null; then echo $$ > pid; exec sleep 3600; fi; echo x']
      cwd: \"{{ params.folder }}\"
output: \"{{ steps.each.output | join }}{{ steps.hangs.output }}\"
";

#[test]
fn a_killed_run_goes_on_where_it_has_ended() {
    let place = Place::new();
    let folder = place.root.path().to_str().unwrap().to_owned();
    let file = format!("{folder}/hanging.yaml");
    std::fs::write(&file, HANGING).unwrap();
    assert!(Command::new("mkfifo").arg(format!("{folder}/pid")).status().unwrap().success());
    let set = format!("folder={folder}");
    let args = ["pipeline", "run", &file, "--set", &set];
    let mut child = place.command(&args).stdout(Stdio::null()).spawn().unwrap();
    let pid = std::fs::read_to_string(format!("{folder}/pid")).unwrap();
    // outputs enter the journal a moment after their step
    while place.count("SELECT count(*) AS n FROM artifacts") < 2 {}
    child.kill().unwrap();
    child.wait().unwrap();
    let group = format!("-{}", pid.trim());
    assert!(Command::new("kill").args(["-9", "--", &group]).status().unwrap().success());

    let args = [file.as_str(), "--set", &set, "--resume", "last"];
    let (code, object) = run(&place, &args);
    assert_eq!((code, &object["output"]), (0, &json!("1\n2\nx\n")), "{object}");
    let noted = std::fs::read_to_string(format!("{folder}/noted")).unwrap();
    assert_eq!(noted.len(), 4, "nothing is done twice: {noted}");
    let abandoned = "SELECT count(*) AS n FROM runs WHERE error_type = 'abandoned'";
    assert_eq!(place.count(abandoned), 1);
    assert_eq!(place.count("SELECT count(*) AS n FROM steps WHERE cached"), 2);
    // an output lies with the run that did the work, and the run that goes on says which that is
    let kept = "SELECT filename FROM artifacts WHERE kind = 'output' AND filename LIKE 'each/%'";
    assert_eq!(place.sql(kept).len(), 2);
    let run = "SELECT r.attributes, a.run_id FROM runs r, runs a
         WHERE r.result = 'success' AND a.error_type = 'abandoned'";
    let run = &place.sql(run)[0];
    let attributes: Value = serde_json::from_str(run["attributes"].as_str().unwrap()).unwrap();
    assert_eq!(attributes, json!({"resumed_from": run["run_id"]}));
    let (code, _, errors) = told(&place, &["pipeline", "run", "sequence", "--resume", "last"]);
    assert_eq!(code, 2);
    assert!(errors.contains("no run of sequence is left to go on with"), "{errors}");
}

#[test]
fn a_pure_step_is_done_once_for_the_same_inputs() {
    let place = Place::new();
    let folder = place.root.path().to_str().unwrap().to_owned();
    let file = format!("{folder}/pure.yaml");
    let text = "
name: pure
parameters:
  - {name: folder, type: text}
  - {name: n, type: integer, default: 1}
steps:
  - name: once
    use: command
    pure: true
    with: {argv: [sh, -c, 'echo x >> done; echo {{ params.n }}'], cwd: \"{{ params.folder }}\"}
";
    std::fs::write(&file, text).unwrap();
    let set = format!("folder={folder}");
    let done = || std::fs::read_to_string(format!("{folder}/done")).unwrap().len() / 2;
    for (more, expected) in [
        (&["--set", "n=1"][..], 1),
        (&["--set", "n=1"], 1),
        (&["--set", "n=2"], 2),
        (&["--set", "n=1", "--fresh"], 3),
        (&["--set", "n=2"], 3),
    ] {
        let (code, object) = run(&place, &[&[file.as_str(), "--set", &set], more].concat());
        assert_eq!((code, done()), (0, expected), "{more:?}");
        assert_eq!(object["output"], format!("{}\n", &more[1][2..]));
    }
    assert_eq!(place.count("SELECT count(*) AS n FROM steps WHERE cached"), 2);
}

/// Steps whose effects are noted in a file, the last of which fails until a file is there.
const NOTED: &str = "
name: noted
parameters:
  - {name: folder, type: text}
steps:
  - name: first
    use: command
    with: {argv: [sh, -c, echo first >> log], cwd: \"{{ params.folder }}\"}
  - name: reserve
    use: command
    with: {argv: [sh, -c, echo do >> log], cwd: \"{{ params.folder }}\"}
    undo:
      use: command
      with: {argv: [sh, -c, echo undo >> log], cwd: \"{{ params.folder }}\"}
  - name: last
    use: command
    with: {argv: [test, -e, fixed], cwd: \"{{ params.folder }}\"}
";

#[test]
fn what_was_taken_back_is_done_again_and_what_was_not_is_kept_from_run_to_run() {
    let place = Place::new();
    let folder = place.root.path().to_str().unwrap().to_owned();
    let file = format!("{folder}/noted.yaml");
    std::fs::write(&file, NOTED).unwrap();
    let set = format!("folder={folder}");
    let log = || std::fs::read_to_string(format!("{folder}/log")).unwrap().replace('\n', " ");
    assert_eq!(run(&place, &[&file, "--set", &set]).0, 1);
    assert_eq!(log(), "first do undo ");
    for round in 1..=2 {
        assert_eq!(run(&place, &[&file, "--set", &set, "--resume", "last"]).0, 1);
        assert_eq!(log(), format!("first {}", "do undo ".repeat(1 + round)));
    }
    std::fs::write(format!("{folder}/fixed"), "").unwrap();
    assert_eq!(run(&place, &[&file, "--set", &set, "--resume", "last"]).0, 0);
    assert_eq!(log(), "first do undo do undo do undo do ");
    let (code, _, errors) = told(&place, &["pipeline", "run", "graph", "--resume", "nothing"]);
    assert_eq!(code, 2);
    assert!(errors.contains("there is no run nothing"), "{errors}");
}

#[test]
fn a_called_file_is_found_beside_the_one_that_calls_and_nowhere_else() {
    let place = Place::new();
    let folder = place.root.path();
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    std::fs::create_dir(folder.join("graph")).unwrap(); // a folder is no pipeline
    let call =
        |used: &str| format!("name: caller\nsteps: [{{workflow: {{name: it, use: {used}}}}}]\n");
    let leaf = "name: leaf\nsteps: [{name: a, use: value, with: {value: leaf}}]\n";
    std::fs::write(folder.join("outer.yaml"), call("sub/middle.yaml")).unwrap();
    std::fs::write(folder.join("sub/middle.yaml"), call("leaf.yaml")).unwrap();
    std::fs::write(folder.join("sub/leaf.yaml"), leaf).unwrap();
    let (code, object) = run(&place, &["outer.yaml"]);
    assert_eq!((code, &object["output"]), (0, &json!("leaf")), "two of one name are no circle");
    std::fs::write(folder.join("leaf.yaml"), leaf).unwrap();
    std::fs::remove_file(folder.join("sub/leaf.yaml")).unwrap();
    let (code, _, errors) = told(&place, &["pipeline", "check", "outer.yaml"]);
    assert_eq!((code, errors.as_str()), (1, ""));
    assert_eq!(run(&place, &["graph"]).0, 0, "the one that comes with the program");
}
