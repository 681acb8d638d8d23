//! As of a moment there are the rows that were there then, whatever has happened since: flushes of
//! two writers, merges, removals, checkpoints and clean-ups.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::clock::{Clock, ManualClock, SystemIds};
use crate::event::{BatchRow, Event, Row, RunRow, ScoreRow, Text, TimeUs};
use crate::store::data_file;
use crate::store::delta::{Rewrite, rewrite};
use crate::store::keeper::Keeper;
use crate::store::schema::arrow_schema;
use crate::store::segment_writer::SegmentWriter;
use crate::store::{Compaction, Store, StoreOptions};

const NOW_US: i64 = 1_790_000_000_000_000;
const SHOWN: [Table; 3] = [Table::Runs, Table::Scores, Table::Batches];

/// A store with a clock that moves a little with each step.
struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    options: StoreOptions,
    writers: Vec<Store>,
    runs: i64,
}

type Rows = BTreeMap<&'static str, Vec<String>>;

impl World {
    fn new(options: StoreOptions) -> Self {
        let memory = tempfile::tempdir_in("/dev/shm"); // nothing here is about syncs
        let folder = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let clock = ManualClock::at(NOW_US);
        let compaction = Compaction { enabled: false, ..Compaction::default() };
        let options = StoreOptions { flush_age_ms: 3_600_000, linger_ms: 1, compaction, ..options };
        let mut world = Self { folder, clock, options, writers: Vec::new(), runs: 0 };
        for _ in 0..2 {
            world.open();
        }
        world
    }

    fn open(&mut self) {
        let store = Store::open_at(
            self.folder.path(),
            self.options.clone(),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(SystemIds),
        );
        self.writers.push(store.unwrap());
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn keeper(&self) -> Keeper {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Keeper::open(self.path(), clock, Arc::new(SystemIds)).unwrap()
    }

    fn tick(&self) {
        self.clock.advance_ns(1_000_000_000);
    }

    /// A run with a score, and a batch of the same number, flushed by one of the writers.
    fn flush(&mut self, writer: usize) {
        self.tick();
        let run_id = Text::from(format!("run-{:04}", self.runs));
        let events = vec![
            Event::from(ScoreRow { run_id: run_id.clone(), ..ScoreRow::default() }),
            Event::from(RunRow { run_id, start_time: TimeUs(NOW_US), ..RunRow::default() }),
            Event::from(BatchRow { batch_id: batch_id(self.runs), ..BatchRow::default() }),
        ];
        self.runs += 1;
        self.writers[writer].commit_blocking(events).unwrap();
        self.writers[writer].flush().unwrap();
    }

    /// Puts the first files of a table together, or takes the first one out.
    fn rewrite(&mut self, tables: &[Table], data_change: bool) {
        self.tick();
        let keeper = self.keeper();
        let writing = &keeper.writing;
        for table in SHOWN {
            writing.tables.log(table).unwrap().refresh().unwrap();
        }
        let time_us = writing.tables.next_flush_time_us(self.clock.now_us()).unwrap();
        for table in tables {
            let mut log = writing.tables.log(*table).unwrap();
            let files = log.files();
            let gone: Vec<_> = files.iter().take(if data_change { 1 } else { 3 }).collect();
            let name = |it: &&DataFile| it.path.file_name().unwrap().to_str().unwrap().to_owned();
            let removes = gone.iter().map(name).collect();
            let mut writer = SegmentWriter::new(writing, *table);
            if !data_change {
                let source = FileSource::default();
                let schema = arrow_schema(*table);
                let names: Vec<&str> =
                    schema.fields().iter().map(|it| it.name().as_str()).collect();
                for file in &gone {
                    for batch in data_file::columns(&source, file, &names).unwrap() {
                        let batch = batch.columns().to_vec();
                        let batch = arrow::array::RecordBatch::try_new(Arc::clone(&schema), batch);
                        writer.write(&batch.unwrap()).unwrap();
                    }
                }
            }
            let rewritten = Rewrite {
                metrics: Map::new(),
                operation: if data_change { "DELETE" } else { "OPTIMIZE" },
                parameters: Map::new(),
                removes,
                adds: writer.finish().unwrap(),
                data_change,
                time_us,
            };
            let files = Arc::clone(writing.files());
            assert!(rewrite(&*files, &*writing.ids, &mut log, &rewritten).unwrap());
        }
    }

    /// The newest stamp of all logs.
    fn newest_us(&self) -> i64 {
        let keeper = self.keeper();
        keeper.writing.tables.next_flush_time_us(0).unwrap() - 1
    }

    fn now(&self) -> Rows {
        rows(&Store::open_read_only(self.path()).unwrap().snapshot().unwrap())
    }

    fn as_of(&self, at_us: i64) -> Result<Rows> {
        let store = Store::open_read_only(self.path()).unwrap();
        store.snapshot_as_of(at_us).map(|it| rows(&it))
    }

    fn moment(&self, text: &str) -> Result<i64> {
        Store::open_read_only(self.path()).unwrap().moment(text, self.clock.now_us())
    }

    /// Removes the files that no log's newest state names.
    fn vacuum(&self) {
        let snapshot = Store::open_read_only(self.path()).unwrap().snapshot().unwrap();
        for table in SHOWN {
            let kept = &snapshot.tables[&table].files;
            let folder = self.path().join("tables").join(table.name());
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() && !kept.iter().any(|it| it.path == path) {
                    fs::remove_file(path).unwrap();
                }
            }
        }
    }

    fn log_file(&self, table: Table, name: &str) -> std::path::PathBuf {
        self.path().join("tables").join(table.name()).join("_delta_log").join(name)
    }
}

fn batch_id(number: i64) -> Text {
    Text::from(format!("01990000-{number:04}-7000-8000-000000000000"))
}

fn rows(snapshot: &Snapshot) -> Rows {
    let options = FormatOptions::default();
    let mut all = Rows::new();
    for table in SHOWN {
        let it = &snapshot.tables[&table];
        assert!(it.damage.is_none() && it.hot.is_empty());
        let id = table.columns()[0].name;
        let found = all.entry(table.name()).or_default();
        for file in it.files.iter() {
            for batch in data_file::columns(&snapshot.source, file, &[id]).unwrap() {
                let cells = ArrayFormatter::try_new(batch.column(0).as_ref(), &options).unwrap();
                found.extend((0..batch.num_rows()).map(|row| cells.value(row).to_string()));
            }
        }
        found.sort_unstable();
    }
    all
}

/// What happens to a store.
#[derive(Debug, Clone)]
enum Step {
    Flush(usize),
    Merge(Table),
    Remove,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2_usize).prop_map(Step::Flush),
        2 => (0..SHOWN.len()).prop_map(|it| Step::Merge(SHOWN[it])),
        1 => Just(Step::Remove),
    ]
}

fn earliest(error: &Error) -> i64 {
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    let hint = error.hint().unwrap();
    let time = hint.strip_prefix("The earliest time that can be shown is ").unwrap();
    moment_us(time.strip_suffix('.').unwrap(), 0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_past_is_what_it_was(
        steps in prop::collection::vec(step(), 1..24),
        kept in prop_oneof![Just(1_u64), Just(6), Just(1_000)],
        vacuumed in any::<bool>(),
    ) {
        let options = StoreOptions {
            checkpoint_commits: 3, log_commits_kept: kept, log_kept_ms: 0, ..StoreOptions::default()
        };
        let mut world = World::new(options);
        let mut past = vec![(world.newest_us().max(NOW_US), world.now())];
        for step in &steps {
            match step {
                Step::Flush(writer) => world.flush(*writer),
                Step::Merge(table) => world.rewrite(&[*table], false),
                Step::Remove if past.last().unwrap().1["runs"].is_empty() => continue,
                Step::Remove => world.rewrite(&[Table::Runs, Table::Scores], true),
            }
            past.push((world.newest_us(), world.now()));
        }
        for store in &world.writers {
            store.close().unwrap(); // nobody cleans up any more
        }
        if vacuumed {
            world.vacuum();
        }
        let mut shown = 0;
        for at in 0..past.len() {
            let (at_us, rows) = &past[at];
            match world.as_of(*at_us) {
                Ok(found) => {
                    prop_assert_eq!(&found, rows, "as of {}", at_us);
                    shown += 1;
                }
                Err(error) => {
                    prop_assert!(kept < 1_000 || vacuumed, "{}", error);
                    let earliest_us = earliest(&error);
                    prop_assert!(earliest_us > *at_us);
                    world.as_of(earliest_us).unwrap();
                    // and there is none in between
                    let between = past.iter().filter(|(it, _)| it > at_us && *it < earliest_us);
                    for (between_us, _) in between {
                        world.as_of(*between_us).unwrap_err();
                    }
                }
            }
            // the border: a microsecond before a commit there is what was there before it
            if at > 0 && let Ok(found) = world.as_of(at_us - 1) {
                prop_assert_eq!(&found, &past[at - 1].1, "just before {}", at_us);
            }
        }
        prop_assert!(shown > 0, "the newest moment can always be shown");
    }
}

#[test]
fn stamps_out_of_order_are_a_set_and_not_the_first_so_many() {
    let mut world = World::new(StoreOptions::default());
    world.flush(0);
    let first_us = world.newest_us();
    let before = world.now();
    // a writer whose clock is slow has read the logs before the other flushed
    let late =
        Keeper::open(world.path(), Arc::clone(&world.clock) as Arc<dyn Clock>, Arc::new(SystemIds))
            .unwrap();
    world.flush(1);
    let second_us = world.newest_us();
    let writing = &late.writing;
    let row = Row::from(RunRow { run_id: Text::from("late"), ..RunRow::default() });
    let batch = crate::store::schema::to_batch(Table::Runs, [&row]).unwrap();
    let mut writer = SegmentWriter::new(writing, Table::Runs);
    writer.write(&batch).unwrap();
    let segment = writer.finish().unwrap().pop();
    let files = Arc::clone(writing.files());
    let mut log = writing.tables.log(Table::Runs).unwrap();
    let stamp_us = first_us + 10;
    let ids = &*writing.ids;
    crate::store::delta::append(&*files, ids, &mut log, "x/1", 1, segment, stamp_us).unwrap();
    drop(log);
    assert_eq!(world.as_of(stamp_us - 1).unwrap(), before);
    assert_eq!(world.as_of(stamp_us).unwrap()["runs"], ["late", "run-0000"]);
    assert_eq!(world.as_of(second_us - 1).unwrap()["runs"], ["late", "run-0000"]);
    assert_eq!(world.as_of(second_us).unwrap()["runs"], ["late", "run-0000", "run-0001"]);
}

#[test]
fn beyond_a_clean_up_or_a_vacuum_the_earliest_time_is_named() {
    let mut world = World::new(StoreOptions::default());
    for writer in [0, 1, 0] {
        world.flush(writer);
    }
    let merged_before_us = world.newest_us();
    world.rewrite(&[Table::Scores], false);
    let merged_us = world.newest_us();
    let scores = world.path().join("tables/scores");
    let snapshot = Store::open_read_only(world.path()).unwrap();
    let snapshot = snapshot.snapshot_as_of(merged_before_us).unwrap();
    let oldest = snapshot.tables[&Table::Scores].files[0].path.clone();
    fs::rename(&oldest, scores.join("moved")).unwrap();
    let error = world.as_of(merged_before_us).unwrap_err();
    let (root, name) = (world.path().display(), oldest.file_name().unwrap().display());
    let (at, merged) = (rfc3339_short(merged_before_us), rfc3339_short(merged_us));
    assert_eq!(
        error.message(),
        format!(
            "{root} cannot be shown as of {at}: a vacuum removed {name}, a file of scores that was \
             replaced or given up at {merged}"
        )
    );
    assert_eq!(
        error.hint(),
        Some(format!("The earliest time that can be shown is {merged}.").as_str())
    );
    assert_eq!(world.as_of(merged_us).unwrap(), world.now());

    let keeper = world.keeper();
    let folder = keeper.writing.layout.table(Table::Runs);
    let files = Arc::clone(keeper.writing.files());
    let keeping = crate::store::delta::LogKeeping {
        checkpoint_commits: 1,
        commits_kept: 1_000,
        kept_ms: u64::MAX,
    };
    crate::store::delta::keep(&*files, &SystemIds, &folder, 3, keeping, NOW_US / 1_000).unwrap();
    for version in 0..3 {
        fs::remove_file(world.log_file(Table::Runs, &format!("{version:020}.json"))).unwrap();
    }
    let error = world.as_of(NOW_US + 1).unwrap_err();
    assert_eq!(
        error.message(),
        format!(
            "{root} cannot be shown as of {}: a vacuum removed {name}, a file of scores that was \
             replaced or given up at {merged}",
            rfc3339_short(NOW_US + 1)
        ),
        "what the later border is due to"
    );
    fs::rename(scores.join("moved"), &oldest).unwrap();
    let error = world.as_of(NOW_US + 1).unwrap_err();
    assert_eq!(
        error.message(),
        format!(
            "{root} cannot be shown as of {}: the log of runs reaches back to {at} only, and was \
             cleaned up before",
            rfc3339_short(NOW_US + 1)
        )
    );
    assert_eq!(earliest(&error), merged_before_us);
    assert_eq!(world.as_of(merged_before_us).unwrap(), world.now());
}

#[test]
fn a_batch_is_a_moment_also_when_its_rows_have_moved() {
    let mut world = World::new(StoreOptions::default());
    let mut moments = Vec::new();
    for writer in [0, 1, 1] {
        world.flush(writer);
        moments.push((world.newest_us(), world.now()));
    }
    let check = |world: &World| {
        for (number, (at_us, rows)) in moments.iter().enumerate() {
            let id = batch_id(number as i64);
            assert_eq!(world.moment(&id).unwrap(), *at_us);
            assert_eq!(world.moment(&id[..13]).unwrap(), *at_us, "a beginning that is enough");
            assert_eq!(&world.as_of(*at_us).unwrap(), rows);
        }
    };
    check(&world);
    world.rewrite(&[Table::Batches], false);
    check(&world);
    // the files are gone, but the log still says which batch was in which
    world.vacuum();
    let first_us = world.moment(&batch_id(0)).unwrap();
    assert_eq!(first_us, moments[0].0);
    assert_eq!(earliest(&world.as_of(first_us).unwrap_err()), world.newest_us());

    let error = world.moment("0199").unwrap_err();
    assert_eq!(error.message(), "3 batches begin with \"0199\"");
    let ids = [0, 1, 2].map(|it| batch_id(it).to_string()).join(", ");
    assert_eq!(error.hint(), Some(format!("They are {ids}.").as_str()));
    let error = world.moment("x").unwrap_err();
    assert_eq!(error.message(), "\"x\" is neither a time nor the id of a batch");
    let ids = [2, 1, 0].map(|it| batch_id(it).to_string()).join(", ");
    assert!(error.hint().unwrap().ends_with(&format!("the newest batches are {ids}.")));
}

#[test]
fn a_batch_that_was_flushed_in_two_goes_is_complete_with_its_runs() {
    let mut world = World::new(StoreOptions::default());
    world.flush(0);
    let flushed_us = world.newest_us();
    // the commit of `runs` came later: its stamp is another
    let path = world.log_file(Table::Runs, &format!("{:020}.json", 1));
    let text = fs::read_to_string(&path).unwrap();
    let later_us = flushed_us + 500;
    let (info, rest) = text.split_once('\n').unwrap();
    let mut info: serde_json::Value = serde_json::from_str(info).unwrap();
    info["commitInfo"]["genstoreFlushTimeUs"] = later_us.into();
    info["commitInfo"].as_object_mut().unwrap().remove("genstoreCrc32c");
    fs::write(&path, format!("{info}\n{rest}")).unwrap();
    assert_eq!(world.moment(&batch_id(0)).unwrap(), later_us);
    assert_eq!(world.as_of(later_us - 1).unwrap()["runs"].len(), 0);
    assert_eq!(world.as_of(later_us).unwrap()["runs"].len(), 1);
}

#[test]
fn a_time_must_lie_between_the_making_of_the_store_and_now() {
    let world = World::new(StoreOptions::default());
    let root = world.path().display().to_string();
    assert_eq!(world.moment("0s").unwrap(), NOW_US);
    assert_eq!(world.as_of(NOW_US).unwrap(), world.now());
    let future = rfc3339_short(NOW_US + 1);
    let error = world.moment(&future).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(error.message(), format!("{future} is in the future"));
    let error = world.moment("1d").unwrap_err();
    let (made, then) = (crate::clock::rfc3339(NOW_US), rfc3339_short(NOW_US - 86_400_000_000));
    assert_eq!(error.message(), format!("{root} was made at {made}, after {then}"));
}
