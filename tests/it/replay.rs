//! The whole path through the program: a folder of contracts in, packages and rows out, and nothing
//! lost when it is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A store and an output folder of a test's own.
struct Place {
    root: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { root: TempDir::new().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.root.path().join("store")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
        command.current_dir(self.root.path()).arg("--store").arg(self.store()).args(args);
        command.env_remove("GENSTORE_STORE").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn sql(&self, query: &str) -> Vec<Value> {
        let output = self.run(&["sql", "--format", "ndjson", query]);
        assert!(output.status.success(), "{query}\n{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    }

    fn count(&self, query: &str) -> i64 {
        self.sql(query).first().unwrap().get("n").unwrap().as_i64().unwrap()
    }
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn samples() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts").display().to_string()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{key} in {value}"))
}

/// Every printed run is there once, with exactly the children that were counted when it ended.
fn assert_whole(place: &Place, printed: &BTreeMap<String, Value>) {
    let counted = place.sql(
        "SELECT r.run_id, count(*) AS n, max(s.n) AS steps, max(coalesce(i.n, 0)) AS issues
         FROM runs r
         LEFT JOIN (SELECT run_id, count(*) n FROM steps GROUP BY 1) s ON s.run_id = r.run_id
         LEFT JOIN (SELECT run_id, count(*) n FROM issues GROUP BY 1) i ON i.run_id = r.run_id
         GROUP BY 1",
    );
    let found: BTreeMap<&str, &Value> = counted.iter().map(|it| (text(it, "run_id"), it)).collect();
    for (run_id, run) in printed {
        let row = found.get(run_id.as_str()).unwrap_or_else(|| panic!("{run_id} is lost"));
        assert_eq!(row.get("n"), Some(&Value::from(1)), "{run_id} is doubled");
        for children in ["steps", "issues"] {
            assert_eq!(row.get(children), run.get(children), "{children} of {run_id}");
        }
    }
    for table in ["runs", "steps"] {
        let key = if table == "runs" { "run_id" } else { "run_id || step_id" };
        let doubled = format!("SELECT count(*) - count(DISTINCT {key}) AS n FROM {table}");
        assert_eq!(place.count(&doubled), 0, "doubled rows in {table}");
    }
    // Summed over all runs, what a run says of itself is what its rows say.
    assert_eq!(
        place.count("SELECT sum(error_count + warning_count + note_count) AS n FROM runs"),
        place.count("SELECT count(*) AS n FROM issues WHERE run_id IN (SELECT run_id FROM runs)"),
    );
}

fn by_run(printed: Vec<Value>) -> BTreeMap<String, Value> {
    printed.into_iter().map(|it| (text(&it, "run_id").to_owned(), it)).collect()
}

#[test]
fn a_folder_of_contracts_becomes_packages_and_rows() {
    let place = Place::new();
    let output = place.run(&["replay", &samples(), "--format", "ndjson"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "", "nothing is said on success when nobody looks");
    let printed = by_run(lines(&output));
    let files = std::fs::read_dir(samples()).unwrap().flatten();
    let files = files.filter(|it| it.path().extension().is_some_and(|it| it == "yaml")).count();
    assert_eq!(printed.len(), files);
    assert_whole(&place, &printed);
    for run in printed.values() {
        assert_eq!(text(run, "result"), "success", "{run}");
        let folder = place.root.path().join(text(run, "folder"));
        assert!(folder.join("node.py").is_file(), "{folder:?}");
    }
    let kinds: BTreeSet<_> = printed.values().map(|it| text(it, "node_type")).collect();
    assert_eq!(kinds, BTreeSet::from(["COMPUTE", "EFFECT", "ORCHESTRATOR", "REDUCER"]));
    assert_eq!(place.count("SELECT count(*) AS n FROM batches WHERE result = 'success'"), 1);
    assert_eq!(
        place.count("SELECT count(*) AS n FROM scores WHERE name = 'overall'"),
        i64::try_from(files).unwrap()
    );
    // The sketches count what the steps count.
    assert_eq!(
        place.count("SELECT sum(count) AS n FROM step_latency"),
        place.count("SELECT count(*) AS n FROM steps"),
    );
}

#[test]
fn the_summary_is_what_sql_says() {
    let place = Place::new();
    let output = place.run(&["replay", &samples(), "--format", "json"]);
    assert!(output.status.success());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let batch = place.sql("SELECT batch_id FROM batches");
    let batch = format!("batch_id={}", text(batch.first().unwrap(), "batch_id"));
    let asked = place.run(&["query", "batch_summary", &batch, "--format", "json"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(printed, asked);
}

#[test]
fn bad_files_of_a_set_get_a_row_and_the_others_are_done() {
    let place = Place::new();
    let set = place.root.path().join("set");
    std::fs::create_dir(&set).unwrap();
    let sample = std::fs::read_dir(samples()).unwrap().flatten().map(|it| it.path());
    let sample = sample
        .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
        .find(|it| !std::fs::read_to_string(it).unwrap().contains("!include"))
        .unwrap();
    std::fs::copy(sample, set.join("good.yaml")).unwrap();
    std::fs::write(set.join("binary.yaml"), [0_u8, 159, 146, 150, 0, 1]).unwrap();
    std::fs::write(set.join("empty.yaml"), "").unwrap();
    std::fs::write(set.join("list.yaml"), "- a\n- b\n").unwrap();
    std::fs::write(set.join("broken.yaml"), "name: [a\n").unwrap();
    let escape = "name: a\nnode_type: compute\nx: !include ../../etc/passwd\n";
    std::fs::write(set.join("climb.yaml"), escape).unwrap();
    let evil = "name: ../../evil\nnode_type: COMPUTE_GENERIC\ncontract_version: {major: 1, minor: 0, patch: 0}\n";
    std::fs::write(set.join("evil.yaml"), evil).unwrap();
    let huge = std::fs::File::create(set.join("huge.yaml")).unwrap();
    huge.set_len(60 << 20).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("loop.yaml", set.join("loop.yaml")).unwrap();
        std::os::unix::fs::symlink("gone", set.join("vanished.yaml")).unwrap();
    }
    let output = place.run(&["replay", "set", "--format", "ndjson"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = by_run(lines(&output));
    assert_eq!(printed.len(), std::fs::read_dir(&set).unwrap().count());
    assert_whole(&place, &printed);
    for run in printed.values() {
        let uri = text(run, "uri");
        if uri.ends_with("good.yaml") {
            assert_eq!(text(run, "result"), "success", "{run}");
        } else if !uri.ends_with("evil.yaml") {
            assert_ne!(text(run, "result"), "success", "{run}");
            assert!(!text(run, "error_message").is_empty(), "{run}");
        }
    }
    assert!(!place.root.path().join("evil").exists());
    let out = place.root.path().join("generated");
    for entry in std::fs::read_dir(out).unwrap().flatten() {
        assert!(entry.file_name().to_string_lossy().starts_with("node_"), "{entry:?}");
    }
}

#[test]
fn what_was_printed_survives_kill_9() {
    let place = Place::new();
    let mut printed = BTreeMap::new();
    for lines_until_kill in [0, 1, 2, 3, 5, 7] {
        let mut child = place
            .command(&["replay", &samples(), "--format", "ndjson", "--jobs", "2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..lines_until_kill {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
            let run: Value = serde_json::from_str(&line).unwrap();
            printed.insert(text(&run, "run_id").to_owned(), run);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What was on its way through the pipe was acknowledged too.
        for line in reader.lines().map_while(Result::ok) {
            if let Ok(run) = serde_json::from_str::<Value>(&line) {
                printed.insert(text(&run, "run_id").to_owned(), run);
            }
        }
        if place.store().join("store.json").exists() {
            assert_whole(&place, &printed);
        }
    }
    let output = place.run(&["replay", &samples(), "--format", "ndjson"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    printed.extend(by_run(lines(&output)));
    assert_whole(&place, &printed);
}

#[cfg(unix)]
#[test]
fn a_signal_to_end_is_obeyed_and_recorded() {
    for signal in ["INT", "TERM"] {
        let place = Place::new();
        let set = place.root.path().join("set");
        std::fs::create_dir(&set).unwrap();
        // more lines than a pipe holds: the replay cannot end before its lines are read
        for n in 0..400 {
            std::fs::write(set.join(format!("c{n}.yaml")), format!("a: {n}\n")).unwrap();
        }
        let mut child = place
            .command(&["replay", "set", "--format", "ndjson", "--jobs", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success());
        let printed = 1 + reader.lines().map_while(Result::ok).count();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {stderr}");
        assert!(stderr.contains("interrupted"), "{stderr}");
        assert!(printed < 400, "all was done before {signal}");
        let batch = &place.sql("SELECT result, succeeded + failed AS done FROM batches")[0];
        assert_eq!(text(batch, "result"), "cancellation");
        assert_eq!(batch["done"], printed, "{signal}");
    }
}

/// A full disk behind stdout ends the batch, and not the runs in the middle of their work.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_that_cannot_print_is_ended_and_recorded() {
    let place = Place::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = place
        .command(&["replay", &samples(), "--format", "ndjson", "--jobs", "1"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
    assert_eq!(place.count("SELECT count(*) AS n FROM batches"), 1);
    // the next writer ends what has no end
    let output = place.run(&["run", &format!("{}/no.yaml", samples())]);
    assert_eq!(output.status.code(), Some(1));
    let abandoned = "SELECT count(*) AS n FROM runs WHERE error_type = 'abandoned'";
    assert_eq!(place.count(abandoned), 0);
}

#[test]
fn every_real_contract_gets_a_row() {
    let Some(corpus) = std::env::var_os("GENSTORE_CORPUS") else {
        eprintln!("skipped: GENSTORE_CORPUS names no folder of real contracts");
        return;
    };
    let place = Place::new();
    let set = Path::new(&corpus).join("real");
    let output = place.run(&["replay", &set.display().to_string(), "--format", "ndjson"]);
    let printed = by_run(lines(&output));
    let yaml = |it: &std::fs::DirEntry| it.path().extension().is_some_and(|it| it == "yaml");
    assert_eq!(printed.len(), std::fs::read_dir(&set).unwrap().flatten().filter(yaml).count());
    assert_whole(&place, &printed);
    let odd = place.sql(
        "SELECT error_type, error_message FROM runs WHERE result NOT IN ('success', 'failure')",
    );
    assert!(odd.is_empty(), "a real contract is judged, never an error: {odd:?}");
}
