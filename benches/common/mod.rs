//! A store of a chosen number of made-up runs for the benches: made once through the public API,
//! kept below the target folder, and opened again by the next bench. The same number gives the
//! same rows. Measures and prints nothing.
//!
//! Every run has eight steps, one score and on average one issue; runs are ten seconds apart, of
//! 1,000 contracts in turn, and each commit holds 500 of them or as many as the environment says.
#![allow(dead_code, clippy::unwrap_used, reason = "each bench uses a part, and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SystemIds};
use genstore::event::{Event, IssueRow, RunRow, ScoreRow, StepRow, Text, TimeUs};
use genstore::journal::disk::{AppendFile, Disk};
use genstore::store::{Store, StoreOptions};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps of a run.
pub(crate) const STEPS: usize = 8;
/// Contracts that are run in turn.
pub(crate) const CONTRACTS: usize = 1_000;
/// Start of the first run, 2026-01-01T00:00:00Z.
pub(crate) const START_US: i64 = 1_767_225_600_000_000;
/// From one run's start to the next one's.
pub(crate) const BETWEEN_US: i64 = 10_000_000;

const STEP_NAMES: [&str; STEPS] =
    ["parse", "lint", "select", "generate", "compliance", "security", "quality", "write"];
const RULES: [&str; 5] = [
    "quality.long_function",
    "security.subprocess",
    "completeness.scaffold",
    "compliance.model_suffix",
    "correctness.unused_import",
];

/// How many runs the bench is to have: `GENSTORE_BENCH_RUNS`, else a million.
pub(crate) fn runs() -> usize {
    std::env::var("GENSTORE_BENCH_RUNS").map_or(1_000_000, |it| it.parse().unwrap())
}

/// How many runs a commit holds: `GENSTORE_BENCH_RUNS_PER_COMMIT`, else 500. Few of them make a
/// store of many files quickly.
pub(crate) fn runs_per_commit() -> usize {
    std::env::var("GENSTORE_BENCH_RUNS_PER_COMMIT").map_or(500, |it| it.parse().unwrap())
}

/// The folder of a store of `runs` runs, made if it is not there yet. Benches that write must
/// copy it.
pub(crate) fn store_of(runs: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stores");
    let per_commit = runs_per_commit();
    let name = format!("runs-{runs}-by-{per_commit}-v1");
    let path = folder.join(&name);
    if path.exists() {
        return path;
    }
    fs::create_dir_all(&folder).unwrap();
    let unfinished = folder.join(format!("{name}.unfinished"));
    fs::remove_dir_all(&unfinished).ok();
    let clock = ManualClock::at(START_US);
    let options = StoreOptions {
        flush_age_ms: 3_600_000,
        journal_bytes_max: 64 << 20,
        hot_bytes_max: 256 << 20,
        journal_grace_ms: 0,
        ..StoreOptions::default()
    };
    let disk = Arc::new(UnsyncedDisk);
    let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let store = Store::open_on(disk, &unfinished, options, time, Arc::new(SystemIds));
    let store = store.unwrap();
    for first in (0..runs).step_by(per_commit) {
        let numbers = first..runs.min(first + per_commit);
        clock.advance_ns(BETWEEN_US * 1_000 * i64::try_from(numbers.len()).unwrap());
        store.commit_blocking(numbers.flat_map(whole_run).collect()).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
    drop(store);
    fs::rename(&unfinished, &path).unwrap();
    path
}

/// The id of a run: a UUIDv7 at its start.
pub(crate) fn run_id(number: usize) -> Text {
    let (a, b) = (mixed(number, 1).to_be_bytes(), mixed(number, 2).to_be_bytes());
    let mut random = [0_u8; 10];
    random.iter_mut().zip(a.iter().chain(&b)).for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(start_us(number) / 1_000).unwrap();
    let id = uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid();
    Text::from(id.to_string())
}

/// The contract of a run.
pub(crate) fn contract_name(number: usize) -> Text {
    Text::from(format!("node_contract_{:04}", number % CONTRACTS))
}

/// All rows of a run.
pub(crate) fn whole_run(number: usize) -> Vec<Event> {
    let run_id = run_id(number);
    let start = start_us(number);
    let durations: Vec<i64> = (0..STEPS).map(|step| duration_ns(number, step)).collect();
    let mut at = start;
    let mut events = Vec::with_capacity(STEPS + 4);
    for (step, duration) in durations.iter().enumerate() {
        events.push(Event::from(step_row(&run_id, step, TimeUs(at), *duration)));
        at += duration / 1_000;
    }
    let issues = mixed(number, 3) % 3;
    events.extend((0..issues).map(|issue| Event::from(issue_row(&run_id, number, issue))));
    let score = (mixed(number, 5) % 1_000) as f64 / 10.0;
    events.push(Event::from(ScoreRow {
        run_id: run_id.clone(),
        name: "overall".into(),
        value: Some(score),
        annotator_kind: "CODE".into(),
        time: TimeUs(at),
        ..ScoreRow::default()
    }));
    let total: i64 = durations.iter().sum();
    events.push(Event::from(RunRow {
        run_id,
        batch_id: Some(Text::from(format!("batch-{:06}", number / CONTRACTS))),
        pipeline_name: "node_generation".into(),
        contract_name: Some(contract_name(number)),
        contract_version: Some("1.0.0".into()),
        contract_digest: Some(digest(number % CONTRACTS, 7)),
        node_type: Some(node_type(number)),
        input_digest: Some(digest(number, 8)),
        tool_version: "0.1.0".into(),
        result: Text::from(if mixed(number, 6).is_multiple_of(20) { "failure" } else { "success" }),
        start_time: TimeUs(start),
        end_time: TimeUs(at),
        duration_ns: total,
        work_ns: total,
        critical_path_ns: total,
        strategy: "ready_queue".into(),
        quality_score: Some(score),
        warning_count: i64::try_from(issues).unwrap(),
        output_digest: Some(digest(number, 9)),
        ..RunRow::default()
    }));
    events
}

fn step_row(run_id: &Text, step: usize, start_time: TimeUs, duration_ns: i64) -> StepRow {
    StepRow {
        run_id: run_id.clone(),
        step_id: Text::from(format!("{:016x}", step + 1)),
        pipeline_name: "node_generation".into(),
        step_name: STEP_NAMES[step].into(),
        component: STEP_NAMES[step].into(),
        component_version: "1".into(),
        attempt: 1,
        result: "success".into(),
        start_time,
        duration_ns,
        queue_ns: duration_ns % 1_000,
        on_critical_path: true,
        stage: i64::try_from(step).unwrap(),
        depends_on: step.checked_sub(1).map_or("", |it| STEP_NAMES[it]).into(),
        ..StepRow::default()
    }
}

fn issue_row(run_id: &Text, number: usize, issue: u64) -> IssueRow {
    let rule = RULES[usize::try_from(mixed(number, 10 + issue)).unwrap() % RULES.len()];
    IssueRow {
        run_id: run_id.clone(),
        step_id: Some("0000000000000007".into()),
        contract_name: Some(contract_name(number)),
        contract_digest: Some(digest(number % CONTRACTS, 7)),
        validator_name: rule.split_once('.').unwrap().0.into(),
        rule_id: rule.into(),
        level: "warning".into(),
        message: Text::from(format!("line {} breaks {rule}", mixed(number, 20) % 200)),
        uri: Some("node.py".into()),
        start_line: Some(i64::try_from(mixed(number, 20) % 200).unwrap()),
        fingerprint: digest(number % CONTRACTS, 30 + issue),
        time: TimeUs(start_us(number)),
        ..IssueRow::default()
    }
}

fn start_us(number: usize) -> i64 {
    START_US + i64::try_from(number).unwrap() * BETWEEN_US
}

fn node_type(number: usize) -> Text {
    ["COMPUTE", "EFFECT", "REDUCER", "ORCHESTRATOR"][number % 4].into()
}

/// Long-tailed, 0.1 ms to about 1 s.
fn duration_ns(number: usize, step: usize) -> i64 {
    let bits = mixed(number, 100 + step as u64);
    i64::try_from(100_000 + (bits >> 32) % 1_000_000 * (1 << (bits % 10))).unwrap()
}

fn digest(number: usize, salt: u64) -> Text {
    let word = |more| mixed(number, salt + more);
    Text::from(format!("{:016x}{:016x}{:016x}{:016x}", word(0), word(50), word(60), word(70)))
}

/// Splitmix64: spread, and the same every time.
fn mixed(number: usize, salt: u64) -> u64 {
    let mut z = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt << 40);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A disk that waits for nothing: a bench that fails makes its store anew.
#[derive(Debug)]
pub(crate) struct UnsyncedDisk;

impl Disk for UnsyncedDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        File::create_new(path)?.write_all(bytes)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(size_bytes)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(UnsyncedFile(OpenOptions::new().append(true).open(path)?)))
    }
}

#[derive(Debug)]
struct UnsyncedFile(File);

impl AppendFile for UnsyncedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
