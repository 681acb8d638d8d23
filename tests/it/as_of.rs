//! The past on the command line and in the shell: the rows that there were, and clear words where
//! there are none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SystemIds};
use genstore::error::Result;
use genstore::event::{BatchRow, Event, Text};
use genstore::output::Format;
use genstore::repl::{Reader, Settings, Shell, Source, Step};
use genstore::sql::SessionSettings;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Store, StoreOptions};

use crate::store::rows::whole_run;

/// 2023-11-14T22:13:20Z
const MADE_US: i64 = 1_700_000_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;
/// After the first batch, and before the second.
const BETWEEN: &str = "2023-11-14T23:43:20Z";

/// A store with a batch of one run an hour after it was made, and one of two runs an hour later.
struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    writer: Store,
}

impl World {
    fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::at(MADE_US));
        let path = folder.path().join("s.db");
        let options = StoreOptions { flush_age_ms: 3_600_000, ..StoreOptions::default() };
        let (time, ids) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SystemIds));
        let writer = Store::open_at(&path, options, time, ids).unwrap();
        Self { folder, clock, writer }
    }

    fn batch(&self, id: &str, runs: std::ops::Range<i64>) {
        self.clock.advance_ns(HOUR_NS);
        for number in runs {
            self.writer.commit_blocking(whole_run(number)).unwrap();
        }
        let row = BatchRow { batch_id: Text::from(id), ..BatchRow::default() };
        self.writer.commit_blocking(vec![Event::from(row)]).unwrap();
        self.writer.flush().unwrap();
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.db")
    }

    fn run(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("GENSTORE_STORE", self.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn answer(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn error(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.run(args, "");
        assert!(output.stdout.is_empty());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// The rows of each file of an export, sorted.
fn exported(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for table in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
        if table.is_dir() {
            for part in fs::read_dir(&table).unwrap().map(|it| it.unwrap().path()) {
                let text = fs::read_to_string(&part).unwrap();
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines.sort_unstable();
                let name = part.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, lines);
            }
        }
    }
    found
}

#[test]
fn commands_show_what_there_was() {
    let world = World::new();
    world.batch("01990000-0000-7000-8000-00000000000a", 0..1);
    let export = |to: &str, more: &[&str]| {
        let args = [&["export", "--for", "ndjson", "--to", to], more].concat();
        world.answer(&args, "");
    };
    export("then", &[]);
    world.batch("01990000-0000-7000-8000-00000000000b", 1..3);
    let count = "SELECT count(*) AS n FROM runs JOIN scores USING (run_id)";
    let sql =
        |more: &[&str]| world.answer(&[&["sql", "--format", "csv", count], more].concat(), "");
    assert_eq!(sql(&[]), "n\n3\n");
    assert_eq!(sql(&["--as-of", BETWEEN]), "n\n1\n");
    assert_eq!(sql(&["--as-of", "2023-11-14 23:43"]), "n\n1\n");
    assert_eq!(sql(&["--as-of", "2023-11-15"]), "n\n1\n");
    assert_eq!(sql(&["--as-of", "2023-11-16"]), "n\n3\n");
    assert_eq!(sql(&["--as-of", "01990000-0000-7000-8000-00000000000a"]), "n\n1\n");
    assert_eq!(sql(&["--as-of", "01990000-0000-7000-8000-00000000000b"]), "n\n3\n");
    let batches = |more: &[&str]| {
        let args = [&["query", "batches", "--format", "ndjson"], more].concat();
        world.answer(&args, "").lines().count()
    };
    assert_eq!((batches(&[]), batches(&["--as-of", BETWEEN])), (2, 1));

    export("now", &[]);
    export("later", &["--as-of", BETWEEN]);
    let folder = world.folder.path();
    assert_eq!(exported(&folder.join("later")), exported(&folder.join("then")));
    assert_ne!(exported(&folder.join("now")), exported(&folder.join("then")));
    let manifest = |name: &str| -> serde_json::Value {
        let bytes = fs::read(folder.join(name).join("_manifest.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    assert_eq!(manifest("later")["as_of"], "2023-11-14T23:43:20.000000Z");
    assert!(manifest("then").get("as_of").is_none());
}

#[test]
fn a_wrong_moment_is_told_and_nothing_is_shown() {
    let world = World::new();
    world.batch("01990000-0000-7000-8000-00000000000a", 0..1);
    let told = |moment: &str| world.error(&["sql", "FROM runs", "--as-of", moment]);
    let (code, text) = told("2999-01-01");
    assert_eq!(code, Some(2));
    assert!(text.contains("2999-01-01T00:00:00Z is in the future"), "{text}");
    let (code, text) = told("2023-11-14");
    assert_eq!(code, Some(2));
    let made = "was made at 2023-11-14T22:13:20.000000Z, after 2023-11-14T00:00:00Z";
    assert!(text.contains(made), "{text}");
    let (code, text) = told("nightly");
    assert_eq!(code, Some(2));
    assert!(text.contains("\"nightly\" is neither a time nor the id of a batch"), "{text}");
    assert!(text.contains("01990000-0000-7000-8000-00000000000a"), "{text}");
    let row = BatchRow { batch_id: Text::from("hot"), ..BatchRow::default() };
    world.writer.commit_blocking(vec![Event::from(row)]).unwrap();
    let (code, text) = told("hot");
    assert_eq!(code, Some(1));
    assert!(text.contains("the batch hot is not in the tables yet"), "{text}");
}

#[test]
fn the_shell_looks_back_and_returns() {
    let world = World::new();
    world.batch("01990000-0000-7000-8000-00000000000a", 0..1);
    world.batch("01990000-0000-7000-8000-00000000000b", 1..3);
    let script = format!(
        "SELECT count(*) AS n FROM runs;\n.as_of {BETWEEN}\n.as_of\nSELECT count(*) AS n FROM \
         runs;\n.as_of 2023-11-16\nSELECT count(*) AS n FROM runs;\n.as_of now\n.as_of\n"
    );
    let told = world.answer(&["repl", "--format", "csv"], &script);
    assert_eq!(told, format!("n\n3\n{BETWEEN}\nn\n1\nn\n3\nnow\n"));
    let args = ["repl", "--format", "csv", "--as-of", BETWEEN];
    assert_eq!(world.answer(&args, "SELECT count(*) AS n FROM runs;\n"), "n\n1\n");
}

struct Past(Store);

impl Source for Past {
    fn now(&mut self) -> Result<Snapshot> {
        self.0.snapshot()
    }

    fn as_of(&mut self, moment_us: i64) -> Result<Snapshot> {
        self.0.snapshot_as_of(moment_us)
    }

    fn moment(&mut self, text: &str, now_us: i64) -> Result<i64> {
        self.0.moment(text, now_us)
    }
}

#[test]
fn the_prompt_says_that_it_is_the_past() {
    let world = World::new();
    world.batch("01990000-0000-7000-8000-00000000000a", 0..1);
    world.batch("01990000-0000-7000-8000-00000000000b", 1..3);
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let source = Box::new(Past(Store::open_read_only(&world.path()).unwrap()));
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    let reader = Reader::new(source, settings, Arc::clone(&clock));
    let settings = Settings { format: Format::Csv, ..Settings::default() };
    let mut shell = Shell::new(reader, settings, clock).unwrap();
    let mut feed = |line: &str| {
        let mut out = Vec::new();
        let step = shell.feed(line, &mut out).map_err(|it| it.error.to_string());
        (step, shell.prompt())
    };
    let past = format!("genstore @{BETWEEN}> ");
    assert_eq!(feed("").1, "genstore> ");
    assert_eq!(feed("SELECT").1, "     ...> ");
    assert_eq!(feed("1;").1, "genstore> ");
    // half an hour before the second batch, which is now
    assert_eq!(feed(".as_of 30m"), (Ok(Step::Done), past.clone()));
    let (step, prompt) = feed("SELECT");
    assert_eq!((step, prompt.len()), (Ok(Step::More), past.len()));
    assert!(prompt.ends_with(" ...> "));
    assert_eq!(feed("1;").0, Ok(Step::Done));
    let (step, prompt) = feed(".as_of tomorrow");
    assert!(step.unwrap_err().contains("neither a time"));
    assert_eq!(prompt, past, "it stays where it was");
    assert_eq!(feed(".as_of now").1, "genstore> ");
}
