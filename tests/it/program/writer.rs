//! A process that does nothing but write runs, and prints each as soon as it is acknowledged, as a
//! replay does. Reads nothing.

use std::ffi::OsStr;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use genstore::clock::{Clock, IdSource, SystemClock, SystemIds};
use genstore::config::Environment;
use genstore::event::{Event, IssueRow, RunRow, RunStarted, StepRow, Text, TimeUs};
use genstore::store::{Store, StoreOptions};

const STEPS: i64 = 5;

/// How long to write, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) seconds: u64,
    /// The journal is flushed whenever it has this size.
    pub(crate) journal_bytes_max: u64,
    /// Between two runs: others want to get on, too, and somebody must read all this.
    pub(crate) pause_us: u64,
    /// After so many runs comes one that seems to have started long ago, for a retention to take
    /// away; it is not printed. Never at 0.
    pub(crate) old_every: u64,
}

/// How long ago such a run started: 200 days, in microseconds.
const OLD_US: i64 = 200 * 24 * 3_600 * 1_000_000;

/// Writes runs at a pace to a store in a folder, or at an address.
pub(crate) fn write(store: impl AsRef<OsStr>, pace: Pace) {
    let environment = Environment::from_process();
    let location = environment.store_location(Some(store.as_ref())).unwrap();
    let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
    let options = StoreOptions {
        journal_bytes_max: pace.journal_bytes_max,
        hot_bytes_max: 8 * pace.journal_bytes_max,
        linger_ms: 1,
        journal_grace_ms: 2_000,
        checkpoint_commits: 10,
        ..StoreOptions::default()
    };
    let store_clock = Arc::<SystemClock>::clone(&clock);
    let store_ids = Arc::<SystemIds>::clone(&ids);
    let store = Store::open_at(&location, options, store_clock, store_ids).unwrap();
    let mut out = std::io::stdout().lock();
    let seconds_ns = i64::try_from(pace.seconds.saturating_mul(1_000_000_000)).unwrap_or(i64::MAX);
    let end_ns = clock.monotonic_ns().saturating_add(seconds_ns);
    for number in 1.. {
        if clock.monotonic_ns() >= end_ns {
            break;
        }
        if pace.old_every > 0 && number % pace.old_every == 0 {
            let start_us = clock.now_us() - OLD_US;
            write_run(&store, &old_id(start_us, ids.next_id()), TimeUs(start_us));
        }
        let run_id = Text::from(ids.next_id().to_string());
        write_run(&store, &run_id, TimeUs(clock.now_us()));
        // a leading newline: a test harness may have begun the line
        let line = format!("\n{{\"run_id\":\"{run_id}\",\"steps\":{STEPS},\"issues\":1}}\n");
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
        std::thread::sleep(Duration::from_micros(pace.pause_us));
    }
    store.close().unwrap();
}

/// The id that a run would have that started then.
fn old_id(start_us: i64, now: uuid::Uuid) -> Text {
    let mut random = [0; 10];
    random.iter_mut().zip(now.as_bytes().iter().skip(6)).for_each(|(to, from)| *to = *from);
    let ms = u64::try_from(start_us / 1_000).unwrap();
    let id = uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid();
    Text::from(id.to_string())
}

/// Writes a run, and returns when it is acknowledged.
fn write_run(store: &Store, run_id: &Text, start_time: TimeUs) {
    let started = RunStarted { run_id: run_id.clone(), start_time, ..RunStarted::default() };
    store.append(vec![Event::RunStarted(started)]).unwrap();
    store.append((1..=STEPS).map(|it| step(run_id, it, start_time)).collect()).unwrap();
    let issue = IssueRow { run_id: run_id.clone(), time: start_time, ..IssueRow::default() };
    let run = RunRow {
        run_id: run_id.clone(),
        result: Text::from("success"),
        start_time,
        end_time: start_time,
        note_count: 1,
        ..RunRow::default()
    };
    store.commit_blocking(vec![Event::from(issue), Event::from(run)]).unwrap();
}

fn step(run_id: &Text, number: i64, start_time: TimeUs) -> Event {
    Event::from(StepRow {
        run_id: run_id.clone(),
        step_id: Text::from(format!("{number:016x}")),
        step_name: Text::from(format!("step_{number}")),
        attempt: 1,
        result: Text::from("success"),
        start_time,
        duration_ns: 1_000 * number,
        ..StepRow::default()
    })
}
