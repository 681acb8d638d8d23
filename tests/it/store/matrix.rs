//! Every kind of file of a small store is damaged in every way: flipped bytes, cut, emptied, gone,
//! a folder in its place. Whoever reads, writes, checks or repairs then does not panic and does not
//! wait; tables that are not touched answer; a check finds what changes an answer; and a repair
//! leaves only sound files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use genstore::clock::SystemClock;
use genstore::error::Error;
use genstore::event::Table;
use genstore::journal::disk::SystemDisk;
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::Store;
use genstore::store::check::{Finding, Severity, check};

use super::check::{copy, files, flip, folder, make};
use super::repair::{mend, mend_on, shown};
use super::rows::{NOW_US, open, quiet};
use crate::disk::{Fault, Machine};

/// Places at which each file is flipped.
const FLIPS: usize = 5;

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip(usize),
    Half,
    Empty,
    Gone,
    Folder,
}

impl Damage {
    fn all(size: usize) -> Vec<Self> {
        let step = (size / FLIPS).max(1);
        let mut all: Vec<_> = (step / 2..size).step_by(step).map(Self::Flip).collect();
        all.extend([Self::Half, Self::Empty, Self::Gone, Self::Folder]);
        all
    }

    fn apply(self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        match self {
            Self::Flip(at) => {
                let mut bytes = bytes;
                bytes[at] ^= 1 << (at % 8);
                fs::write(path, bytes).unwrap();
            }
            Self::Half => fs::write(path, &bytes[..bytes.len() / 2]).unwrap(),
            Self::Empty => fs::write(path, "").unwrap(),
            Self::Gone => fs::remove_file(path).unwrap(),
            Self::Folder => {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            }
        }
    }
}

/// The answers of SQL: of some tables all rows as text, sorted, or the error.
fn answers(path: &Path, session: &Session) -> Result<BTreeMap<&'static str, Vec<String>>, Error> {
    let snapshot = Store::open_read_only(path)?.snapshot()?;
    let session = session.with_snapshot(&snapshot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut answers = BTreeMap::new();
    for table in [Table::Runs, Table::Steps, Table::Issues, Table::StepLatency] {
        let name = table.name();
        let sql = format!("SELECT * FROM {name}");
        let rows = match runtime.block_on(session.query(&sql, &Params::new())) {
            Ok(output) => {
                let batches = output.batches.iter();
                let text = |batch| arrow::util::pretty::pretty_format_batches(&[batch]);
                let text = batches.cloned().map(|it| text(it).unwrap().to_string());
                let lines = text.flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>());
                let mut lines: Vec<_> = lines.filter(|it| !it.starts_with('+')).collect();
                lines.sort();
                lines
            }
            Err(error) => {
                assert!(error.hint().is_some(), "{name}: {error}");
                vec![format!("error: {}", error.in_one_line())]
            }
        };
        answers.insert(name, rows);
    }
    Ok(answers)
}

struct Matrix {
    sound: tempfile::TempDir,
    expected: BTreeMap<&'static str, Vec<String>>,
}

impl Matrix {
    fn new() -> Self {
        let sound = folder();
        make(sound.path());
        let expected = answers(sound.path(), &session()).unwrap();
        Self { sound, expected }
    }

    /// One file, damaged in one way.
    fn case(&self, inside: &Path, damage: Damage, session: &Session) {
        let folder = folder();
        copy(self.sound.path(), folder.path());
        let path = folder.path().join(inside);
        damage.apply(&path);
        let name = inside.to_string_lossy();
        let table = inside.components().nth(1).map(|it| it.as_os_str().to_string_lossy());
        let table = table.filter(|_| name.starts_with("tables"));
        let told = check(folder.path(), NOW_US, &mut |_| ());
        // of a lock there is nothing to check
        let is_told = name.ends_with("lock") || told.map_or(true, |it| !it.findings.is_empty());
        match answers(folder.path(), session) {
            Ok(answers) => {
                for (other, rows) in &answers {
                    let right = rows == &self.expected[other];
                    let touched = table.as_deref() == Some(*other) || table.is_none();
                    assert!(right || touched, "{name} {damage:?} touches {other}: {rows:?}");
                    assert!(right || is_told || lost(&name, damage), "{name} {damage:?}: {other}");
                }
            }
            Err(error) => {
                assert!(table.is_none(), "{name} {damage:?} closes all tables: {error}");
                assert!(is_told, "{name} {damage:?}: {error}");
                let hinted = error.hint().is_some() || matches!(damage, Damage::Folder);
                assert!(hinted, "{name} {damage:?}: {error}");
            }
        }
        if let Err(error) = open(folder.path(), quiet()) {
            assert!(is_told, "{name} {damage:?}: {error}");
        }
        let first = mend_on(Arc::new(SystemDisk), folder.path(), false);
        if first.is_ok() && !matches!(damage, Damage::Folder) {
            let report = mend(folder.path(), true).report;
            // rows that were given up may be missed by others; the files are sound
            let wrong =
                |it: &&Finding| it.severity == Severity::Error && !it.rule.starts_with("rows.");
            let wrong: Vec<_> = report.findings.iter().filter(wrong).collect();
            assert!(wrong.is_empty(), "{name} {damage:?}: {wrong:#?}");
            assert!(open(folder.path(), quiet()).is_ok(), "{name} {damage:?}");
        }
    }
}

/// What nobody can know: that there was a last journal file.
fn lost(name: &str, damage: Damage) -> bool {
    name == "journal/0/4.wal" && matches!(damage, Damage::Gone)
}

fn session() -> Session {
    let snapshot = genstore::store::snapshot::Snapshot::default();
    Session::new(&snapshot, SessionSettings::default(), Arc::new(SystemClock::new())).unwrap()
}

#[test]
fn whatever_is_damaged_nothing_panics_and_the_rest_answers() {
    let matrix = Matrix::new();
    let root = matrix.sound.path();
    let all: Vec<(PathBuf, Vec<u8>)> = files(root).into_iter().collect();
    // one file of a kind stands for all
    let mut kinds = BTreeSet::new();
    let mut looked = |path: &Path| {
        let text = path.to_string_lossy();
        let log = ["0.json", "3.json", "checkpoint"].iter().any(|it| text.contains(it));
        match text.split_once("/tables/") {
            None => !text.ends_with("1.wal") && !text.ends_with("3.wal"),
            Some((_, inside)) if inside.starts_with("steps/_delta_log") => log,
            Some((_, "runs/_delta_log/00000000000000000003.json")) => true,
            Some((_, inside)) => inside.starts_with("steps/") && kinds.insert("data"),
        }
    };
    let cases: Vec<(PathBuf, Damage)> = all
        .iter()
        .filter(|(path, _)| looked(path))
        .flat_map(|(path, bytes)| {
            let inside = path.strip_prefix(root).unwrap().to_owned();
            Damage::all(bytes.len()).into_iter().map(move |it| (inside.clone(), it))
        })
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let session = session();
                while let Some((inside, damage)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let case = || matrix.case(inside, *damage, &session);
                    let case = catch_unwind(AssertUnwindSafe(case));
                    assert!(case.is_ok(), "{} {damage:?}", inside.display());
                }
            });
        }
    });
    assert!(cases.len() > 80, "{}", cases.len());
}

#[test]
fn a_repair_that_breaks_at_any_operation_is_done_again() {
    let sound = folder();
    make(sound.path());
    let expected = shown(sound.path());
    let mut operations = 0;
    loop {
        let machine = Machine::new();
        let path = machine.store();
        fs::create_dir(&path).unwrap();
        copy(sound.path(), &path);
        for table in ["runs", "steps"] {
            let commit = format!("tables/{table}/_delta_log/00000000000000000003.json");
            fs::write(path.join(commit), "").unwrap();
        }
        flip(&path.join("journal/0/1.wal"), 300);
        let disk = machine.process().with(Fault::crash().after(operations));
        let broke = mend_on(disk.shared(), &path, false).is_err();
        let repaired = mend(&path, false);
        assert!(repaired.report.is_sound(), "at {operations}: {:#?}", repaired.report.findings);
        assert_eq!(shown(&path), expected, "at {operations}");
        if !broke {
            break;
        }
        operations += 1;
    }
    assert!(operations > 20, "{operations}");
}
