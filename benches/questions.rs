//! Ten questions of an analyst on a made-up history of ninety days:
//! `cargo bench --bench questions -- --runs 1000000`. Per question the first run in a new session
//! and the median of later ones, from the rows and, where they apply, from the sketches of
//! `step_latency`, with the memory of the process at its peak. `benches/questions/` holds the
//! texts: `.sql` as any engine takes it, `.genstore.sql` where ours differs, `.sketch.sql` where
//! the sketches answer. `benches/peers.py` asks other engines the same and compares the answers.
//!
//! Sketches answer 01, 02 and 06. The rows of a million runs take 12.2 bytes a step, their sketches
//! 2.8: 2 those of hours, 0.8 their sums over days and months.
//!
//! Measured and left: pages of 4,096 rows instead of 20,000 make steps 4 % longer and one run no
//! faster; scans that decode other columns only of rows that pass a filter are slower where most
//! rows do. Packed sketches of days are added up twice as fast, are three times as long, and save a
//! tenth of a question.
//!
//! `--times N` later runs (9), `--threads N` (2), `--only TEXT` questions with it in their names,
//! `--afresh` makes the store again, `--explain` prints plans with what their parts took, `--serve`
//! answers statements, one JSON object per line, as `benches/peers.py` asks them.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;
#[path = "../tests/it/dice.rs"]
mod dice;
#[path = "questions/history.rs"]
mod history;
#[path = "questions/made.rs"]
mod made;

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use arrow::util::display::{ArrayFormatter, FormatOptions};
use genstore::clock::{Clock, SystemClock};
use genstore::event::Table;
use genstore::sql::{Params, QueryOutput, Session, SessionSettings};
use genstore::store::Store;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|it| it != name).nth(1)
}

fn number(name: &str, default: usize) -> usize {
    argument(name).map_or(default, |it| it.parse().unwrap())
}

fn flag(name: &str) -> bool {
    env::args().any(|it| it == name)
}

/// A question as texts.
struct Question {
    name: String,
    rows: String,
    sketches: Option<String>,
}

fn questions() -> Vec<Question> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/questions");
    let files = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name());
    let mut names: Vec<String> = files
        .filter_map(|it| Some(it.to_str()?.strip_suffix(".sql")?.to_owned()))
        .filter(|it| !it.contains('.'))
        .filter(|it| argument("--only").is_none_or(|only| it.contains(&only)))
        .collect();
    names.sort();
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let one = |name: String| Question {
        rows: read(&format!("{name}.genstore.sql"))
            .or_else(|| read(&format!("{name}.sql")))
            .unwrap(),
        sketches: read(&format!("{name}.sketch.sql")),
        name,
    };
    names.into_iter().map(one).collect()
}

struct Bench {
    clock: Arc<dyn Clock>,
    runtime: Runtime,
    store: PathBuf,
}

impl Bench {
    fn new(store: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { clock: Arc::new(SystemClock::new()), runtime, store }
    }

    fn ms<T>(&self, work: impl FnOnce() -> T) -> (f64, T) {
        let start = self.clock.monotonic_ns();
        let done = work();
        ((self.clock.monotonic_ns() - start) as f64 / 1e6, done)
    }

    /// The store opened anew, with nothing in its caches.
    fn session(&self) -> (Store, Session) {
        let store = Store::open_read_only(&self.store).unwrap();
        let snapshot = store.snapshot().unwrap();
        let settings =
            SessionSettings { threads: number("--threads", 2), ..SessionSettings::default() };
        let session = Session::new(&snapshot, settings, Arc::clone(&self.clock)).unwrap();
        (store, session)
    }

    fn ask(&self, session: &Session, sql: &str) -> QueryOutput {
        self.runtime.block_on(session.query(sql, &Params::default())).unwrap()
    }

    /// Milliseconds of the first run with all that comes before it, the median of later ones, the
    /// median of what all threads worked in these, and megabytes at their peak.
    fn measure(&self, sql: &str) -> [f64; 4] {
        let (first_ms, (_store, session)) = self.ms(|| {
            let opened = self.session();
            self.ask(&opened.1, sql);
            opened
        });
        forget_peak();
        let (mut later, mut worked) = (Vec::new(), Vec::new());
        for _ in 0..number("--times", 9) {
            let before = worked_ms();
            later.push(self.ms(|| self.ask(&session, sql)).0);
            worked.push(worked_ms() - before);
        }
        [first_ms, median(later), median(worked), peak_mb()]
    }

    fn explain(&self, sql: &str) {
        let (_store, session) = self.session();
        self.ask(&session, sql);
        let explained = self.ask(&session, &format!("EXPLAIN ANALYZE {sql}"));
        for row in rows(&explained) {
            println!("{}", row.last().unwrap().as_str().unwrap());
        }
    }
}

fn main() {
    let bench = Bench::new(history::store_of(number("--runs", 100_000), flag("--afresh")));
    if flag("--serve") {
        return serve(&bench);
    }
    if flag("--explain") {
        for Question { name, rows, sketches } in questions() {
            for sql in std::iter::once(rows).chain(sketches) {
                println!("-- {name}");
                bench.explain(&sql);
            }
        }
        return;
    }
    sizes(&bench);
    println!(
        "{:<24}{:>10}{:>10}{:>9}{:>6}{:>12}{:>10}{:>9}{:>6}",
        "question",
        "first ms",
        "rows ms",
        "work ms",
        "MB",
        "first ms",
        "sketch ms",
        "work ms",
        "MB"
    );
    let (mut from_rows, mut best) = (Vec::new(), Vec::new());
    for Question { name, rows, sketches } in questions() {
        let [first, median, worked, mb] = bench.measure(&rows);
        print!("{name:<24}{first:>10.1}{median:>10.2}{worked:>9.1}{mb:>6.0}");
        from_rows.push(median);
        best.push(median);
        if let Some(sql) = sketches {
            let [first, median, worked, mb] = bench.measure(&sql);
            print!("{first:>12.1}{median:>10.2}{worked:>9.1}{mb:>6.0}");
            *best.last_mut().unwrap() = median;
        }
        println!();
    }
    println!("geometric mean, rows alone:            {:>8.2} ms", mean(&from_rows));
    println!("geometric mean, sketches where they do:{:>8.2} ms", mean(&best));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean(ms: &[f64]) -> f64 {
    (ms.iter().map(|it| it.ln()).sum::<f64>() / ms.len() as f64).exp()
}

/// What the tables take.
fn sizes(bench: &Bench) {
    let (ms, (store, _)) = bench.ms(|| bench.session());
    println!("{} (opened in {ms:.1} ms)", bench.store.display());
    let snapshot = store.snapshot().unwrap();
    for table in Table::ALL.iter().filter(|it| snapshot.tables[it].rows() > 0) {
        let (rows, files) = (snapshot.tables[table].rows(), &snapshot.tables[table].files);
        let bytes: u64 = files.iter().map(|it| it.size_bytes).sum();
        let per_row = bytes as f64 / rows as f64;
        let (name, files) = (table.name(), files.len());
        println!("  {name:<14}{rows:>10} rows in {files} files, {per_row:>7.1} bytes a row");
    }
}

/// The cells of a result as text, NULL as NULL.
fn rows(output: &QueryOutput) -> Vec<Vec<Value>> {
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in &output.batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|it| (it, ArrayFormatter::try_new(it, &options).unwrap()))
            .collect();
        let cell = |at: usize| {
            let of = |(column, text): &(&arrow::array::ArrayRef, ArrayFormatter<'_>)| {
                if column.is_null(at) { Value::Null } else { text.value(at).to_string().into() }
            };
            columns.iter().map(of).collect()
        };
        rows.extend((0..batch.num_rows()).map(cell));
    }
    rows
}

/// Answers `{"sql": …, "rows": true}` with milliseconds, the peak of memory, and rows if wanted.
/// `{"open": true}` opens the store anew.
fn serve(bench: &Bench) {
    let mut opened = bench.session();
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        forget_peak();
        let mut answer = if let Some(sql) = asked["sql"].as_str() {
            let params = Params::default();
            let query = opened.1.query(sql, &params);
            match bench.ms(|| bench.runtime.block_on(query)) {
                (_, Err(error)) => json!({ "error": error.in_one_line() }),
                (ms, Ok(output)) if asked["rows"] == true => {
                    json!({ "ms": ms, "rows": rows(&output) })
                }
                (ms, Ok(_)) => json!({ "ms": ms }),
            }
        } else {
            let (ms, again) = bench.ms(|| bench.session());
            opened = again;
            json!({ "ms": ms, "store": bench.store })
        };
        answer["peak_mb"] = peak_mb().into();
        println!("{answer}");
        io::stdout().flush().unwrap();
    }
}

/// Milliseconds that the threads of this process have worked, as far as the system tells: on a
/// machine with other work they tell more than the clock.
fn worked_ms() -> f64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let worked = threads.filter_map(|it| {
        let told = fs::read_to_string(it.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse::<f64>().ok()
    });
    worked.sum::<f64>() / 1e6
}

/// The peak of this process's memory is counted from here on.
fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").ok();
}

/// Megabytes of this process's memory at their peak, as far as the system tells.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kb = found.and_then(|it| it.trim().split(' ').next()?.parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1e3
}
