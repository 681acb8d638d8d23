//! The store of the questions' bench: made through the paths by which an import and a compaction
//! write, so that its files, statistics, sketches and index are those of a real one. Kept below the
//! system's temporary folder, and used again as long as runs, rows and format are the same.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SystemIds};
use genstore::event::{Row, Table};
use genstore::store::load::{Load, LoadOptions};
use genstore::store::schema::to_batch;
use genstore::store::{CompactOptions, FORMAT_VERSION, Keeper, Location, Store};

use crate::common::UnsyncedDisk;
use crate::made::{self, History};

/// Raised when the made-up rows, or what is written of them, change.
const VERSION: u32 = 3;
/// Runs whose rows are handed over together.
const RUNS_AT_ONCE: usize = 2_000;
/// What the tables remember these rows by.
const MADE: &str = "made-up";
const BY_RUN: [Table; 5] =
    [Table::Runs, Table::Steps, Table::Issues, Table::Scores, Table::LlmCalls];

/// The store of so many runs, made if it is not there yet, or if it is to be made afresh.
pub(crate) fn store_of(runs: usize, afresh: bool) -> PathBuf {
    let folder = std::env::temp_dir().join("genstore-bench");
    let path = folder.join(format!("questions-{runs}-v{VERSION}-format{FORMAT_VERSION}"));
    if path.exists() && !afresh {
        return path;
    }
    fs::create_dir_all(&folder).unwrap();
    let unfinished = path.with_extension("unfinished");
    fs::remove_dir_all(&unfinished).ok();
    make(&unfinished, runs);
    fs::remove_dir_all(&path).ok();
    fs::rename(&unfinished, &path).unwrap();
    path
}

fn make(path: &Path, runs: usize) {
    let clock: Arc<dyn Clock> = ManualClock::at(made::END_US);
    let (ids, disk) = (Arc::new(SystemIds), Arc::new(UnsyncedDisk));
    let options = LoadOptions::default();
    let location = Location::from(path);
    let mut load =
        Load::begin(disk, &location, Arc::clone(&clock), Arc::<SystemIds>::clone(&ids), options)
            .unwrap();
    for table in BY_RUN {
        fill(&mut load, table, History::new(runs));
    }
    for (table, rows) in [(Table::Contracts, made::contracts()), (Table::Batches, made::batches())]
    {
        load.note(table, MADE);
        load.fill(table, |sink| sink(to_batch(table, &rows)?, false)).unwrap();
    }
    load.commit().unwrap();
    let keeper = Keeper::open(path, Arc::clone(&clock), Arc::<SystemIds>::clone(&ids)).unwrap();
    keeper.compact(&CompactOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    drop(keeper);
    Store::open_read_only(path).unwrap().rebuild_index(&mut |_| ControlFlow::Continue(())).unwrap();
}

/// One thread makes rows while another puts them into batches and files.
fn fill(load: &mut Load, table: Table, history: History) {
    load.note(table, MADE);
    if table == Table::Steps {
        load.note(Table::StepLatency, MADE); // as an import of them does
    }
    std::thread::scope(|scope| {
        let (sender, made) = std::sync::mpsc::sync_channel::<Vec<Row>>(2);
        scope.spawn(move || {
            for first in (0..history.runs).step_by(RUNS_AT_ONCE) {
                let numbers = first..history.runs.min(first + RUNS_AT_ONCE);
                if sender.send(history.rows(table, numbers)).is_err() {
                    return;
                }
            }
        });
        load.fill(table, |sink| {
            for rows in made {
                sink(to_batch(table, &rows)?, table == Table::Steps)?;
            }
            Ok(())
        })
        .unwrap();
    });
}
