//! The program from outside: exit codes as a contract, formats, streams, and wrong calls.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use genstore::clock::{ManualClock, SeededIds};
use genstore::event::{Event, RunRow, ScoreRow, Text, TimeUs};
use genstore::store::{Store, StoreOptions};
use tempfile::TempDir;

const ROWS: usize = 50;

/// A folder with a store in it: finished runs, each with a score.
struct World {
    folder: TempDir,
}

impl World {
    /// No store yet.
    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn new() -> Self {
        let world = Self::empty();
        let clock = ManualClock::at(1_700_000_000_000_000);
        let ids = Arc::new(SeededIds::new(1));
        let store = Store::open_at(world.store(), StoreOptions::default(), clock, ids).unwrap();
        for n in 0..ROWS {
            store.commit_blocking(run(n)).unwrap();
        }
        store.close().unwrap();
        world
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("s.db")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("GENSTORE_STORE", self.store())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs with `input` as stdin.
    fn pipe(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn run(n: usize) -> Vec<Event> {
    let run_id = Text::from(format!("run-{n}"));
    let score = ScoreRow {
        run_id: run_id.clone(),
        name: Text::from("quality"),
        value: Some(n as f64),
        ..ScoreRow::default()
    };
    let run = RunRow {
        run_id,
        pipeline_name: Text::from("node_generation"),
        result: Text::from("success"),
        start_time: TimeUs(1_700_000_000_000_000 + n as i64),
        duration_ns: 1_000_000 * n as i64,
        quality_score: Some(n as f64),
        ..RunRow::default()
    };
    vec![Event::from(score), Event::from(run)]
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts the exit code, that stdout is empty, and that stderr names `what`.
#[track_caller]
fn fails(output: &Output, code: i32, what: &[&str]) {
    let text = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(stdout(output), "", "{text}");
    for what in what {
        assert!(text.contains(what), "{what:?} is not in:\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// Asserts success and a silent stderr, and returns stdout.
#[track_caller]
fn answers(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    assert_eq!(stderr(output), "");
    stdout(output)
}

/// C0: fine.
#[test]
fn c0_answers_go_to_stdout_and_nothing_to_stderr() {
    let world = World::new();
    let count = "SELECT count(*) AS n FROM runs JOIN scores USING (run_id)";
    assert_eq!(answers(&world.run(&["sql", "--format", "csv", count])), "n\n50\n");
    assert_eq!(answers(&world.run(&["sql", "--format", "ndjson", count])), "{\"n\":50}\n");
    assert_eq!(answers(&world.run(&["sql", "--format", "json", count])), "[\n{\"n\":50}\n]\n");
    assert_eq!(answers(&world.run(&["sql", "--format", "markdown", count])).lines().count(), 3);
    assert!(answers(&world.run(&["sql", count])).contains("│ 50 │"));
    assert!(answers(&world.run(&["query"])).contains("latency"));
    assert!(answers(&world.run(&["query", "slowest_runs"])).contains("run-49"));
    let status = answers(&world.run(&["store", "status", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["tables"][0]["rows"], 50, "{status}");
    assert!(answers(&world.run(&["store", "status"])).contains("format version"));
    let index = answers(&world.run(&["store", "index", "rebuild", "--json"]));
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    // the ids of these runs are no UUIDs: they are looked for in the tables
    assert_eq!((&index["entries"]["runs"], &index["runs_behind"]), (&0.into(), &0.into()));
    assert_eq!((&index["unavailable"], index["seconds"].is_f64()), (&().into(), true));
    assert!(answers(&world.run(&["store", "index", "status"])).contains("runs behind     0"));
}

/// C0, C1 and C4: a store that is sound, damaged, and none.
#[test]
fn a_check_says_in_its_exit_code_whether_the_store_is_sound() {
    let world = World::new();
    let sound = answers(&world.run(&["store", "check"]));
    assert!(sound.ends_with("the store is sound\n"), "{sound}");
    let check: serde_json::Value =
        serde_json::from_str(&answers(&world.run(&["store", "check", "--json"]))).unwrap();
    assert_eq!((&check["sound"], &check["errors"]), (&true.into(), &0.into()), "{check}");
    fs::write(world.store().join("tables/runs/_delta_log/00000000000000000001.json"), "").unwrap();
    let damaged = world.run(&["store", "check"]);
    assert_eq!(damaged.status.code(), Some(1));
    let text = String::from_utf8(damaged.stdout).unwrap();
    assert!(text.contains("log.commit") && text.contains("--drop-damaged"), "{text}");
    fails(&world.run(&["sql", "SELECT count(*) FROM runs"]), 4, &["00001.json", "store check"]);
    assert!(answers(&world.run(&["sql", "SELECT count(*) FROM steps"])).contains('│'));
    let repaired = answers(&world.run(&["store", "check", "--repair"]));
    assert!(repaired.contains("repaired") && repaired.contains("sound"), "{repaired}");
    let count = answers(&world.run(&["sql", "--format", "csv", "SELECT count(*) AS n FROM runs"]));
    assert_eq!(count, "n\n50\n");
}

#[test]
fn c0_a_script_comes_from_a_file_or_stdin() {
    let world = World::new();
    let script = "-- two; statements\nSELECT 1 AS a;\nSELECT ';' AS b";
    fs::write(world.path("x.sql"), script).unwrap();
    let expected = "a\n1\nb\n;\n";
    assert_eq!(answers(&world.run(&["sql", "-f", "x.sql", "--format", "csv"])), expected);
    assert_eq!(answers(&world.pipe(&["sql", "-", "--format", "csv"], script)), expected);
    let script = format!(".mode csv\n{script}\n;\n.quit\nSELECT nonsense;");
    assert_eq!(answers(&world.pipe(&["repl"], &script)), expected);
}

#[test]
fn c0_a_reader_that_leaves_is_no_error() {
    let world = World::new();
    let sql = "SELECT a.run_id FROM runs a, runs b, runs c, runs d";
    for format in ["ndjson", "csv", "table"] {
        let mut command = world.command(&["sql", "--format", format, sql]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{format}");
    }
}

#[test]
fn c0_exports_read_back() {
    let world = World::new();
    let summary = answers(&world.run(&["export", "--to", "out", "runs", "scores"]));
    assert!(summary.contains("runs") && summary.contains("50"), "{summary}");
    assert!(world.path("out/runs/part-0.parquet").is_file());
    let manifest = fs::read_to_string(world.path("out/_manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["tables"][1]["rows"], 50);
    answers(&world.run(&["export", "--to", "all", "--for", "ndjson"]));
    assert!(world.path("all/step_latency/part-0.ndjson").is_file());
}

/// C1: the work failed.
#[test]
fn c1_an_sql_error_names_the_nearest_and_stops_the_script() {
    let world = World::new();
    fails(&world.run(&["sql", "SELECT * FROM rnus"]), 1, &["rnus", "runs", "^^^^", "1:15"]);
    let column = "SELECT qualty_score FROM runs";
    fails(&world.run(&["sql", column]), 1, &["qualty_score", "quality_score", "^^^^"]);
    fails(&world.run(&["sql", "SELECT p98(duration_ns) FROM runs"]), 1, &["p98", "p9"]);
    fails(&world.run(&["sql", "SELEC 1"]), 1, &["^"]);
    fails(&world.run(&["sql", "SELECT 'open"]), 1, &[]);
    fails(&world.run(&["sql", "DROP TABLE runs"]), 1, &["DROP"]);
    fails(&world.run(&["sql", "SELECT * FROM '/etc/passwd'"]), 1, &["passwd"]);
    fails(&world.run(&["sql", "-f", "nix.sql"]), 1, &["nix.sql"]);
    let script = "SELECT 1 AS a;\nSELECT *\nFROM rnus;\nSELECT 2 AS b;";
    let output = world.pipe(&["sql", "-", "--format", "csv"], script);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), "a\n1\n"));
    assert!(stderr(&output).contains("stdin:3:6"), "{}", stderr(&output));
    fails(&world.pipe(&["repl"], "SELECT * FROM rnus;\n.tables\n"), 1, &["runs"]);
}

#[test]
fn c1_lint_draws_errors_and_goes_on_with_the_set() {
    let world = World::empty();
    fs::create_dir(world.path("set")).unwrap();
    fs::write(world.path("set/a.yaml"), [0xff, 0xfe, 0]).unwrap();
    fs::write(world.path("set/b.yaml"), "name: [1\n").unwrap();
    let output = world.run(&["contract", "lint", "set"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("set/a.yaml") && text.contains("--> set/b.yaml:"), "{text}");
    let output = world.run(&["contract", "lint", "--format", "ndjson", "set"]);
    let text = stdout(&output);
    let files: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(files.len(), 2, "{text}");
    for file in &files {
        assert_eq!(file["verdicts"]["yaml"], false, "{file}");
        let finding = &file["findings"][0];
        assert!(finding["rule_id"].as_str().unwrap().starts_with("contract."), "{file}");
        assert_eq!(finding["level"], "error", "{file}");
    }
    let output = world.run(&["contract", "lint", "--format", "sarif", "set"]);
    assert_eq!(output.status.code(), Some(1));
    let log: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results[1]["locations"][0]["physicalLocation"]["region"]["startLine"], 2, "{log}");
    fails(&world.run(&["contract", "show", "set/b.yaml"]), 1, &["set/b.yaml", "is no contract"]);
    fails(&world.run(&["contract", "show", "nix.yaml"]), 1, &["nix.yaml"]);
}

#[test]
fn c1_a_profile_decides_the_exit_code() {
    let world = World::empty();
    let text = "name: node_a_compute\nnode_type: compute\ncontract_version: {major: 1, minor: 0, \
                patch: 0}\ndescription: Adds numbers up.\ninputs: {a: int}\noutputs: {b: int}\n";
    fs::write(world.path("a.yaml"), text).unwrap();
    answers(&world.run(&["contract", "lint", "a.yaml"]));
    answers(&world.run(&["contract", "lint", "--profile", "structural", "a.yaml"]));
    let output = world.run(&["contract", "lint", "--profile", "minimal", "a.yaml"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("error[contract.minimal-value]") && text.contains("a.yaml:2:12"),
        "{text}"
    );
    assert!(!text.contains("contract.strict-"), "{text}");
    let json = answers(&world.run(&["contract", "lint", "--format", "ndjson", "a.yaml"]));
    let file: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(file["node_type"], "COMPUTE");
    assert_eq!(file["digest"].as_str().unwrap().len(), 64);
    let verdicts = serde_json::json!({
        "yaml": true, "structural": true, "minimal": false, "audit": false, "strict": false,
        "v2": false,
    });
    assert_eq!(file["verdicts"], verdicts);
    let finding = &file["findings"][0];
    let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["rule_id", "level", "message", "start_line", "start_column"]);
}

#[test]
fn c0_safe_rewrites_are_shown_or_carried_out() {
    let world = World::empty();
    let text = "name: node_a_compute\nnode_type: compute # the kind\ncontract_version: 1.0.0\n\
                description: Adds numbers up.\ninputs: {a: int}\noutputs: {b: int}\n";
    fs::write(world.path("a.yaml"), text).unwrap();
    let diff = answers(&world.run(&["contract", "lint", "--fix", "--diff", "a.yaml"]));
    assert!(
        diff.contains("-node_type: compute # the kind\n+node_type: COMPUTE_GENERIC # the kind")
    );
    assert_eq!(fs::read_to_string(world.path("a.yaml")).unwrap(), text);
    fs::write(world.path("broken.yaml"), "name: [\n").unwrap();
    let broken = world.run(&["contract", "lint", "--fix", "--diff", "broken.yaml"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&broken.stdout).contains("error[contract.yaml]"), "{broken:?}");
    let output = world.run(&["contract", "lint", "--fix", "--profile", "minimal", "a.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    let fixed = fs::read_to_string(world.path("a.yaml")).unwrap();
    assert!(fixed.contains("COMPUTE_GENERIC # the kind\ncontract_version: {major: 1,"), "{fixed}");
    assert_eq!(answers(&world.run(&["contract", "lint", "--fix", "a.yaml"])), "");
    assert_eq!(fs::read_to_string(world.path("a.yaml")).unwrap(), fixed);
}

#[test]
fn c1_a_version_must_take_the_step_that_its_changes_ask_for() {
    let world = World::empty();
    let text = "name: node_a_compute\nnode_type: COMPUTE_GENERIC\ncontract_version: 1.0.0\n\
                description: Adds numbers up.\ninputs: {a: int}\noutputs: {b: int}\n";
    fs::write(world.path("a.yaml"), text).unwrap();
    let changed = text.replace("1.0.0", "1.1.0").replace("{a: int}", "{a: int, z: int}");
    fs::write(world.path("b.yaml"), &changed).unwrap();
    let output = world.run(&["contract", "diff", "a.yaml", "b.yaml"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let expected = "breaking    input.z: is new\n            b.yaml:5:18\nstep asked for: major; \
                    contract_version 1.0.0 -> 1.1.0: minor, too small\n";
    assert_eq!(text, expected);
    fs::write(world.path("b.yaml"), changed.replace("1.1.0", "2.0.0")).unwrap();
    let lines =
        answers(&world.run(&["contract", "diff", "--format", "ndjson", "a.yaml", "b.yaml"]));
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["demanded"], &last["enough"]), (&"major".into(), &true.into()));
    let schema = answers(&world.run(&["contract", "schema"]));
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["input"]["$ref"], "#/$defs/Model");
}

#[test]
fn c0_rules_are_listed_and_explained() {
    let world = World::empty();
    let list = answers(&world.run(&["contract", "rules"]));
    let line = list.lines().find(|it| it.starts_with("contract.audit-type ")).unwrap();
    assert!(line.contains("note") && line.contains("audit strict"), "{line}");
    let purity = answers(&world.run(&["contract", "rules", "purity"]));
    assert!(purity.starts_with("contract.purity: warning, counts for: default\n"), "{purity}");
    assert!(purity.contains("\nWhy: ") && purity.contains("\nHow to mend it: "), "{purity}");
    let wrong = world.run(&["contract", "rules", "contract.purty"]);
    fails(&wrong, 2, &["no rule contract.purty", "contract.purity"]);
}

#[test]
fn c0_the_samples_are_shown_in_normal_form() {
    let world = World::empty();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts");
    let lint = world.run(&["contract", "lint", samples.to_str().unwrap()]);
    assert_eq!(answers(&lint), "");
    let files = fs::read_dir(samples).unwrap().map(|it| it.unwrap().path());
    for path in files.filter(|it| it.is_file()) {
        let path = path.to_str().unwrap();
        let json = answers(&world.run(&["contract", "show", "--format", "json", path]));
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let kinds = ["COMPUTE", "EFFECT", "REDUCER", "ORCHESTRATOR"];
        assert!(kinds.contains(&value["node_type"].as_str().unwrap()), "{path}: {json}");
        let yaml = answers(&world.run(&["contract", "show", path]));
        assert!(yaml.contains("\nnode_type: "), "{yaml}");
    }
}

/// C2: a wrong call.
#[test]
fn c2_a_wrong_call_names_the_nearest() {
    let world = World::new();
    fails(&world.run(&[]), 2, &["no command", "genstore help"]);
    fails(&world.run(&["sqll"]), 2, &["sql"]);
    fails(&world.run(&["sql"]), 2, &["QUERY"]);
    fails(&world.run(&["sql", "SELECT 1", "--format", "tabel"]), 2, &["table"]);
    fails(&world.run(&["query", "latencee"]), 2, &["latencee", "latency"]);
    fails(&world.run(&["query", "latency", "sinze=7d"]), 2, &["sinze", "since"]);
    fails(&world.run(&["query", "latency", "since"]), 2, &["since=VALUE"]);
    fails(&world.run(&["export", "--to", "x", "rnus"]), 2, &["rnus", "runs"]);
    assert!(!world.path("x").exists());
    fails(&world.run(&["schema", "rnus"]), 2, &["runs"]);
    fs::create_dir(world.path("full")).unwrap();
    fs::write(world.path("full/file"), "mine").unwrap();
    fails(&world.run(&["export", "--to", "full"]), 2, &["full", "not empty", "--force"]);
    fails(&world.pipe(&["repl"], ".tabels\n"), 2, &[".tables"]);
}

/// C4: no store that could be read. Nothing is made in its place.
#[test]
fn c4_a_store_that_is_not_there_or_none_is_told() {
    let world = World::empty();
    let calls: [&[&str]; 5] = [
        &["sql", "SELECT 1"],
        &["query", "latency"],
        &["store", "status"],
        &["export", "--to", "x"],
        &["sql", "SELECT 1", "--store", "elsewhere.db"],
    ];
    for call in calls {
        let store = if call.contains(&"--store") { "elsewhere.db" } else { "s.db" };
        fails(&world.run(call), 4, &[store, "hint"]);
    }
    assert!(!world.store().exists() && !world.path("x").exists());
    fs::write(world.store(), "a file").unwrap();
    fails(&world.run(&["sql", "SELECT 1"]), 4, &["s.db"]);
    fs::remove_file(world.store()).unwrap();
    fs::create_dir(world.store()).unwrap();
    fs::write(world.store().join("thesis.txt"), "years of work").unwrap();
    fails(&world.run(&["sql", "SELECT 1"]), 4, &["s.db"]);
}

#[test]
fn reading_works_while_another_process_writes() {
    let world = World::new();
    let clock = ManualClock::at(1_700_000_000_000_000);
    let ids = Arc::new(SeededIds::new(7));
    let store = Store::open_at(world.store(), StoreOptions::default(), clock, ids).unwrap();
    store.commit_blocking(run(ROWS)).unwrap();
    let count = ["sql", "--format", "csv", "SELECT count(*) AS n FROM runs"];
    assert_eq!(answers(&world.run(&count)), "n\n51\n");
    store.commit_blocking(run(ROWS + 1)).unwrap();
    assert_eq!(answers(&world.run(&count)), "n\n52\n");
    store.close().unwrap();
}

#[test]
fn a_pipe_gets_no_escapes_and_no_footer_unless_colour_is_forced() {
    let world = World::new();
    let text = answers(&world.run(&["sql", "SELECT NULL AS x"]));
    assert!(!text.contains('\x1b') && !text.contains("1 row"), "{text:?}");
    let forced = world.command(&["sql", "SELECT NULL AS x"]).env("CLICOLOR_FORCE", "1").output();
    assert!(stdout(&forced.unwrap()).contains('\x1b'));
}

#[test]
fn every_command_explains_itself() {
    let world = World::empty();
    let help = answers(&world.run(&["help"]));
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let names = listed.lines().filter_map(|it| it.split_whitespace().next());
    let mut count = 0;
    for name in names.filter(|it| *it != "help") {
        let text = answers(&world.run(&[name, "--help"]));
        assert!(text.contains("Usage: genstore "), "{name}: {text}");
        assert!(!text.starts_with("Usage:"), "{name} does not say what it is for");
        count += 1;
    }
    assert!(count >= 9, "{help}");
}

#[test]
fn the_shell_runs_contracts_with_the_flags_of_the_command() {
    let world = World::empty();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/contracts");
    let set = samples.to_str().unwrap();
    let script = format!(
        ".replay '{set}' --out packages --format csv\n.mode csv\n\
         SELECT count(*) AS n FROM runs WHERE result = 'success';\n"
    );
    let text = answers(&world.pipe(&["repl"], &script));
    let mut lines = text.lines().rev();
    let runs = lines.next().unwrap().parse::<usize>().unwrap();
    assert!(runs >= 8 && lines.next() == Some("n"), "{text}");
    assert!(world.path("packages").is_dir());
    fails(&world.pipe(&["repl"], ".run\n"), 2, &["CONTRACT"]);
    fails(&world.pipe(&["repl"], ".run x.yaml --jbos 2\n"), 2, &["--jobs"]);
    let missing = world.pipe(&["repl"], ".run nix.yaml\nSELECT 1;\n");
    assert_eq!(missing.status.code(), Some(1), "{}", stderr(&missing));
}

#[test]
fn a_store_is_copied_and_brought_up_to_date() {
    let world = World::new();
    let told = answers(&world.run(&["store", "copy", "s.db", "copy.db"]));
    assert!(told.starts_with("s.db is copied to copy.db and verified; its id is "), "{told}");
    let count =
        ["sql", "--format", "csv", "SELECT count(*) AS n FROM runs JOIN scores USING (run_id)"];
    let copied = world.path("copy.db");
    let args = [&count[..], &["--store", copied.to_str().unwrap()]].concat();
    assert_eq!(answers(&world.run(&args)), "n\n50\n");
    fails(&world.run(&["store", "copy", "s.db", "copy.db"]), 2, &["copy.db is a store already"]);
    fails(&world.run(&["store", "copy", "none", "other"]), 4, &["none does not exist"]);
    assert!(!world.path("other").exists());
    let told = answers(&world.run(&["store", "copy", "--json", "s.db", "third.db"]));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["tables"][0]["rows"], 50);

    let nothing = "nothing to do: the store is up to date\n";
    assert_eq!(answers(&world.run(&["store", "upgrade", "--dry-run"])), nothing);
    assert_eq!(answers(&world.run(&["store", "upgrade"])), nothing);
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/compat/1/store");
    let to = world.path("old.db");
    assert!(Command::new("cp").arg("-r").args([&old, &to]).status().unwrap().success());
    let upgrade = ["store", "upgrade", "--store", "old.db"];
    let told = answers(&world.run(&[&upgrade[..], &["--dry-run"]].concat()));
    assert!(
        told.contains("runs            noted digest and statistics of 1 data files\n"),
        "{told}"
    );
    assert!(told.ends_with("nothing was changed: this is what would be done\n"), "{told}");
    let did = answers(&world.run(&upgrade));
    assert!(told.starts_with(&did), "{did}");
    assert_eq!(answers(&world.run(&upgrade)), nothing);
}

/// Queries of the user's own: those of the store, those of a folder, and what is wrong with them.
#[test]
fn own_queries_are_asked_like_those_of_the_project() {
    let world = World::new();
    let own = world.store().join("queries");
    let more = world.folder.path().join("more");
    for folder in [&own, &more] {
        fs::create_dir(folder).unwrap();
    }
    let text = "-- name: mine\n-- question: How many?\n-- param: least int = 1 | at least\n\n\
                SELECT count(*) AS n FROM runs WHERE quality_score >= $least";
    fs::write(own.join("mine.sql"), text).unwrap();
    fs::write(own.join("broken.sql"), "SELECT 1").unwrap();
    fs::write(more.join("wrong.sql"), text.replace("mine", "wrong").replace("runs", "rnus"))
        .unwrap();
    let query = |args: &[&str]| world.run(&[&["query", "--format", "csv"], args].concat());
    assert_eq!(answers(&query(&["mine"])), "n\n49\n");
    assert_eq!(answers(&query(&["mine", "least=48"])), "n\n2\n");
    fails(&query(&["mine", "least=x"]), 2, &["parameter least", "a whole number"]);
    fails(&query(&["broken"]), 1, &["broken.sql lacks its name or question", "-- name: broken"]);
    let listed = query(&[]);
    assert!(stdout(&listed).contains("\nmine,How many?,least=1\n"), "{}", stdout(&listed));
    assert!(stderr(&listed).contains("broken.sql lacks"), "{}", stderr(&listed));
    fails(&query(&["wrong"]), 2, &["there is no query wrong"]);
    fails(&query(&["SELECT 1"]), 2, &["there is no query SELECT 1", "`genstore sql`"]);
    let more = more.display().to_string();
    let places = ["wrong.sql:5:27", "there is no table rnus", "did you mean runs?"];
    fails(&query(&["wrong", "--queries", &more]), 1, &places);
    fails(&query(&["mine", "--queries", "/no/where"]), 1, &["/no/where"]);
}
