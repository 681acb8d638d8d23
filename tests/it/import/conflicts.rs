//! What is refused as a whole: rows that are there twice, rows that the store has, children of
//! nobody, wrong folders and wrong calls. Nothing is there afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use genstore::event::Table;
use genstore::export::{FileFormat, MANIFEST};

use super::fixture::*;
use crate::program::Place;

const RUNS: &str = "run_id,pipeline_name,tool_version,result,degraded,cached,start_time,end_time,\
                    duration_ns,queue_ns,work_ns,critical_path_ns,strategy,error_count,\
                    warning_count,note_count\n";
const STEPS: &str = "run_id,step_id,pipeline_name,step_name,component,component_version,attempt,\
                     result,degraded,cached,start_time,duration_ns,queue_ns,wait_ns,\
                     on_critical_path,stage,depends_on\n";

fn runs(ids: &[&str]) -> String {
    let time = "2026-01-02T03:04:05Z";
    let row = |id: &&str| format!("{id},p,1,success,false,false,{time},{time},1,0,0,0,s,0,0,0\n");
    RUNS.to_owned() + &ids.iter().map(row).collect::<String>()
}

fn steps(ids: &[(&str, &str)]) -> String {
    let row = |(run, step): &(&str, &str)| {
        format!("{run},{step},p,n,c,1,1,success,false,false,2026-01-02T03:04:05Z,1,0,0,true,0,\n")
    };
    STEPS.to_owned() + &ids.iter().map(row).collect::<String>()
}

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Message and hint of files that are refused; the store is as it was.
    fn refused(&self, table: Table, paths: &[&Path]) -> (String, String) {
        let before = counts_if_there(&self.store());
        let refused = refused(&self.store(), &files(table, paths), self.folder.path());
        assert_eq!(counts_if_there(&self.store()), before);
        if self.store().exists() {
            assert_no_strays(&self.store());
        }
        refused
    }
}

fn counts_if_there(store: &Path) -> Option<std::collections::BTreeMap<Table, u64>> {
    // a store that the import has made is empty
    store.exists().then(|| counts(store)).filter(|it| it.values().any(|it| *it > 0))
}

#[test]
fn rows_that_are_there_twice() {
    let case = Case::new();
    let (a, b) = (
        case.write("a.csv", &runs(&["r1", "r2"])),
        case.write("b.csv", &runs(&["r3", "r2", "r1"])),
    );
    let (message, hint) = case.refused(Table::Runs, &[&a, &b]);
    assert_eq!(message, "b.csv: row 2: run r2 is there twice, first in row 2 of a.csv");
    assert_eq!(hint, "Leave one of them out; nothing was imported.");
    let twice = case.write("c.csv", &runs(&["r1", "r2", "r3", "r2"]));
    let (message, _) = case.refused(Table::Runs, &[&twice]);
    assert_eq!(message, "c.csv: row 4: run r2 is there twice, first in row 2");

    run(&case.store(), &files(Table::Runs, &[&a])).unwrap();
    let (message, hint) = case.refused(Table::Runs, &[&b]);
    assert_eq!(message, "b.csv: row 2: run r2 is in the store already");
    assert_eq!(hint, "Leave it out; nothing was imported.");
    let many: Vec<String> = (0..50).map(|it| format!("{it:016x}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|it| ("r1", it.as_str())).collect();
    let good = case.write("steps.csv", &steps(&many));
    run(&case.store(), &files(Table::Steps, &[&good])).unwrap();
    let more = case.write("more.csv", &steps(&[("r2", "x"), many[7]]));
    let (message, _) = case.refused(Table::Steps, &[&more]);
    assert_eq!(message, "more.csv: row 2: step 0000000000000007 of run r1 is in the store already");
    let twice = case.write("twice.csv", &steps(&[("r2", "x"), ("r1", "x"), ("r2", "x")]));
    let (message, _) = case.refused(Table::Steps, &[&twice]);
    assert_eq!(message, "twice.csv: row 3: step x of run r2 is there twice, first in row 1");
}

#[test]
fn a_file_that_is_named_twice_is_taken_once() {
    let case = Case::new();
    let (a, b) = (case.write("a.csv", &runs(&["r1"])), case.write("b.csv", &runs(&["r1"])));
    let report = run(&case.store(), &files(Table::Runs, &[&a, &a, &b])).unwrap();
    assert_eq!((of(&report, Table::Runs).rows, of(&report, Table::Runs).files), (1, 1));
}

#[test]
fn children_of_nobody() {
    let case = Case::new();
    let stray = case.write("steps.csv", &steps(&[("r1", "1"), ("r2", "1")]));
    let hint = "Import `runs` first, or a folder with all tables at once; nothing was imported.";
    let expected = "steps.csv: row 1: run r1 is neither in the store nor in this import";
    assert_eq!(case.refused(Table::Steps, &[&stray]), (expected.to_owned(), hint.to_owned()));
    let first = case.write("r1.csv", &runs(&["r1"]));
    run(&case.store(), &files(Table::Runs, &[&first])).unwrap();
    let expected = "steps.csv: row 2: run r2 is neither in the store nor in this import";
    assert_eq!(case.refused(Table::Steps, &[&stray]).0, expected);
    // with its run, by the names of the files
    case.write("all/runs.csv", &runs(&["r2"]));
    fs::copy(&stray, case.folder.path().join("all/steps.csv")).unwrap();
    run(&case.store(), &folder(&case.folder.path().join("all"))).unwrap();
    assert_eq!(counts(&case.store())[&Table::Steps], 2);
    assert_eq!(counts(&case.store())[&Table::StepLatency], 1);
}

#[test]
fn a_dry_run_finds_what_is_wrong_and_writes_nothing() {
    let case = Case::new();
    let a = case.write("a.csv", &runs(&["r1", "r2"]));
    let mut request = files(Table::Runs, &[&a]);
    request.dry_run = true;
    assert_eq!(of(&run(&case.store(), &request).unwrap(), Table::Runs).rows, 2);
    assert!(!case.store().exists());
    run(&case.store(), &files(Table::Runs, &[&a])).unwrap();
    let b = case.write("b.csv", &runs(&["r2"]));
    let mut request = files(Table::Runs, &[&b]);
    request.dry_run = true;
    assert!(run(&case.store(), &request).is_err());
    let c = case.write("c.csv", &runs(&["r3"]));
    let mut request = files(Table::Runs, &[&c]);
    request.dry_run = true;
    run(&case.store(), &request).unwrap();
    assert_eq!(counts(&case.store())[&Table::Runs], 2);
    assert_no_strays(&case.store());
}

#[test]
fn a_row_that_is_wrong_takes_the_whole_import_with_it() {
    let case = Case::new();
    let good: Vec<String> = (0..100).map(|it| format!("r{it:03}")).collect();
    let good: Vec<&str> = good.iter().map(String::as_str).collect();
    let text =
        runs(&good) + &runs(&["last"]).replace(RUNS, "").replace(",1,0,0,0,s", ",1.5,0,0,0,s");
    let path = case.write("runs.csv", &text);
    let (message, hint) = case.refused(Table::Runs, &[&path]);
    assert_eq!(
        message,
        "runs.csv: row 101 (line 102), column duration_ns: \"1.5\" has a fraction, which would be lost"
    );
    assert_eq!(hint, "Write it in decimal digits, without a fraction.");
}

#[test]
fn wrong_folders_and_manifests() {
    let case = Case::new();
    let from = case.folder.path().join("from");
    fill(&from, &events(3, 1));
    let exported = case.folder.path().join("exported");
    export(&from, &exported, FileFormat::Csv);
    let text = fs::read_to_string(exported.join(MANIFEST)).unwrap();
    let refused = |text: &str| {
        fs::write(exported.join(MANIFEST), text).unwrap();
        refused(&case.store(), &folder(&exported), &exported)
    };
    let hint = "Copy the folder again, or remove _manifest.json to go by the names.";
    let (message, told) = refused("{");
    assert_eq!(
        (message.as_str(), told.as_str()),
        ("_manifest.json is no manifest of an export", hint)
    );
    let (message, _) = refused(&text.replace("\"manifest_version\": 1", "\"manifest_version\": 2"));
    assert_eq!(message, "_manifest.json has version 2 of its form");
    let (message, _) = refused(&text.replace("runs/part-0.csv", "../part-0.csv"));
    assert_eq!(message, "_manifest.json names a file outside of its folder: ../part-0.csv");
    let (message, _) = refused(&text.replace("\"name\": \"runs\"", "\"name\": \"rusn\""));
    assert_eq!(message, "_manifest.json names a table rusn (runs?)");
    let runs = exported.join("runs/part-0.csv");
    let rows = fs::read_to_string(&runs).unwrap();
    fs::write(&runs, rows.trim_end()).unwrap();
    let (message, told) = refused(&text);
    let expected = "runs/part-0.csv is not the file that the manifest names";
    assert_eq!((message.as_str(), told.as_str()), (expected, hint));
    fs::remove_file(&runs).unwrap();
    let error = run(&case.store(), &folder(&exported)).unwrap_err();
    assert!(error.message().starts_with("cannot read "), "{error}");
    assert!(!case.store().exists());

    let empty = case.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let error = run(&case.store(), &folder(&empty)).unwrap_err();
    assert!(error.message().ends_with("holds no _manifest.json and no file of a table"), "{error}");
    assert_eq!(error.kind().exit_code(), 2);
    let unnamed = case.write("runs.txt", "x");
    let (message, hint) = case.refused(Table::Runs, &[&unnamed]);
    assert_eq!(message, "runs.txt: the name does not tell the format");
    assert_eq!(hint, "Name it with --format: parquet, csv or ndjson.");
}

#[test]
fn the_command_line() {
    let place = Place::new();
    let write = |name: &str, text: &str| fs::write(place.root.path().join(name), text).unwrap();
    write("r.csv", &runs(&["r1", "r2"]));
    write("s.txt", &steps(&[("r1", "1")]));
    let failed = |args: &[&str]| {
        let output = place.run(args);
        assert!(output.stdout.is_empty());
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let wrong: [(&[&str], i32, &str); 6] = [
        (&["import"], 2, "required arguments were not provided"),
        (
            &["import", "r.csv"],
            2,
            "error: of which table is r.csv?\n  hint: `genstore import TABLE FILE` names it.\n",
        ),
        (
            &["import", "runs"],
            2,
            "error: no file of runs is named\n  hint: `genstore import TABLE FILE` names it.\n",
        ),
        (
            &["import", "rnus", "r.csv"],
            2,
            "error: there is no table \"rnus\"\n  hint: Did you mean runs?\n",
        ),
        (&["import", "runs", "q.csv"], 1, "error: cannot read q.csv\n"),
        (
            &["import", "--format", "csv", "steps", "s.txt"],
            1,
            "error: s.txt: row 1: run r1 is neither in the store nor in this import\n",
        ),
    ];
    for (args, code, text) in wrong {
        let (found, said) = failed(args);
        assert_eq!(found, code, "{args:?}: {said}");
        assert!(said.contains(text), "{args:?}: {said}");
    }
    let output = place.run(&["import", "runs", "r.csv", "--json"]);
    assert!(output.status.success() && output.stderr.is_empty());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["tables"][0]["rows"], 2);
    let output = place.run(&["import", "--format", "csv", "steps", "s.txt"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("steps"), "{said}");
    let output = place.run(&["import", "--dry-run", "runs", "r.csv"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.ends_with("nothing was written: this was a dry run\n"), "{said}");
    assert_eq!(place.count("SELECT count(*) AS n FROM steps JOIN runs USING (run_id)"), 1);
    place.assert_checked();
}

#[test]
fn many_imports_leave_a_log_that_is_soon_read() {
    let case = Case::new();
    for number in 0..=100 {
        let id = format!("run-{number}");
        let file = case.write(&format!("{number}.csv"), &runs(&[&id]));
        run(&case.store(), &files(Table::Runs, &[&file])).unwrap();
    }
    let log = case.store().join("tables/runs/_delta_log");
    assert!(log.join(format!("{:020}.checkpoint.parquet", 100)).exists());
}
