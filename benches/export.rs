//! Exports of a large store, in each profile: megabytes of Arrow data per second, beside one
//! `ArrowWriter` that is given the same batches from memory, and beside bare writes of the files
//! that came out. Prints a table; asserts only that no row is lost.
//! `GENSTORE_BENCH_RUNS=20000 cargo bench --bench export --profile dev` is a small one.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use futures::StreamExt;
use genstore::clock::{Clock, IdSource, SystemClock, SystemIds};
use genstore::event::Table;
use genstore::export::{
    Destination, Exported, PROFILES, Profile, ROWS_PER_FILE, Request, What, export, to_the_end,
};
use genstore::journal::disk::SystemDisk;
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::{Location, Store};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokio::runtime::Runtime;

const TABLES: [Table; 4] = [Table::Runs, Table::Steps, Table::Issues, Table::Scores];
/// Bytes of batches that the bare writer is given at a time.
const BARE_BYTES: usize = 512 << 20;

struct Bench {
    clock: Arc<SystemClock>,
    runtime: Runtime,
    session: Session,
    store: std::path::PathBuf,
}

impl Bench {
    fn seconds<T>(&self, work: impl FnOnce() -> T) -> (f64, T) {
        let start = self.clock.monotonic_ns();
        let done = work();
        ((self.clock.monotonic_ns() - start) as f64 / 1e9, done)
    }

    /// Calls `take` with every batch of a table.
    fn each_batch(&self, table: Table, mut take: impl FnMut(RecordBatch)) {
        self.runtime.block_on(async {
            let sql = format!("SELECT * FROM {}", table.name());
            let mut stream = self.session.query_stream(&sql, &Params::new()).await.unwrap();
            while let Some(batch) = stream.next().await {
                take(batch.unwrap());
            }
        });
    }

    fn export(
        &self,
        to: &Path,
        profile: &'static Profile,
        more: &dyn Fn(&mut Request),
    ) -> Exported {
        let mut request = Request {
            what: What::Tables(TABLES.to_vec()),
            to: Destination::on_disk(to, SystemDisk::shared()).unwrap(),
            profile,
            by_day: false,
            since_us: None,
            incremental: false,
            force: false,
            rows_per_file: ROWS_PER_FILE,
            threads: 0,
            id: SystemIds.next_id(),
            now_us: common::START_US,
            as_of_us: None,
            store: Location::from(self.store.as_path()),
            store_id: "bench".to_owned(),
        };
        more(&mut request);
        export(&self.session, &request, &mut to_the_end).unwrap()
    }

    /// One writer, one thread, batches from memory; reading them is not measured.
    fn bare_writer(&self, to: &Path) -> f64 {
        let mut seconds = 0.0;
        for table in TABLES {
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_max_row_group_row_count(Some(128 * 1024))
                .build();
            let schema = genstore::store::schema::arrow_schema(table);
            let file = File::create(to.join(table.name())).unwrap();
            let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).unwrap();
            let mut held: Vec<RecordBatch> = Vec::new();
            let mut write = |held: &mut Vec<RecordBatch>| {
                let write = || held.iter().for_each(|it| writer.write(it).unwrap());
                seconds += self.seconds(write).0;
                held.clear();
            };
            self.each_batch(table, |batch| {
                held.push(batch);
                if held.iter().map(RecordBatch::num_rows).sum::<usize>() * 300 > BARE_BYTES {
                    write(&mut held);
                }
            });
            write(&mut held);
            seconds += self.seconds(|| writer.into_inner().unwrap().sync_all().unwrap()).0;
        }
        seconds
    }

    /// The files of an export, written and synced once more.
    fn bare_files(&self, from: &Path, exported: &Exported, to: &Path) -> (f64, u64) {
        let (mut seconds, mut size) = (0.0, 0);
        for file in exported.manifest.tables.iter().flat_map(|it| &it.files) {
            let bytes = fs::read(from.join(&file.path)).unwrap();
            size += bytes.len() as u64;
            let path = to.join(file.path.replace('/', "-"));
            let write = || {
                let mut file = File::create(path).unwrap();
                file.write_all(&bytes).unwrap();
                file.sync_all().unwrap();
            };
            seconds += self.seconds(write).0;
        }
        (seconds, size)
    }
}

fn arrow_bytes(batch: &RecordBatch) -> u64 {
    let size = |it: &dyn Array| it.to_data().get_slice_memory_size().unwrap();
    batch.columns().iter().map(|it| size(it.as_ref()) as u64).sum()
}

fn memory_max_mb() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let runs = common::runs();
    let store = common::store_of(runs);
    let snapshot = Store::open_read_only(&store).unwrap().snapshot().unwrap();
    let clock = Arc::new(SystemClock::new());
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    let time: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let session = Session::new(&snapshot, settings, time).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bench = Bench { clock, runtime, session, store };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (mut bytes, mut rows) = (0, 0);
    let mut read_s = 0.0;
    for table in TABLES {
        let mut count = |batch: RecordBatch| {
            bytes += arrow_bytes(&batch);
            rows += batch.num_rows() as u64;
        };
        read_s += bench.seconds(|| bench.each_batch(table, &mut count)).0;
    }
    let line = |name: &str, seconds: f64, size: u64| {
        let rate = bytes as f64 / 1e6 / seconds;
        println!("{name:<28} {seconds:>8.2} s {rate:>8.0} MB/s {:>8.1} MB out", size as f64 / 1e6);
    };
    println!("{runs} runs, {rows} rows, {:.0} MB of Arrow data in four tables", bytes as f64 / 1e6);
    line("read alone", read_s, 0);
    let bare = folder.path().join("bare");
    fs::create_dir(&bare).unwrap();
    line("bare ArrowWriter, 1 thread", bench.bare_writer(&bare), 0);
    fs::remove_dir_all(&bare).unwrap();
    for profile in &PROFILES {
        let to = folder.path().join(profile.name);
        let (seconds, exported) = bench.seconds(|| bench.export(&to, profile, &|_| {}));
        let written: u64 = exported.written.iter().map(|it| it.rows).sum();
        assert_eq!(written, rows);
        line(profile.name, seconds, exported.written.iter().map(|it| it.size_bytes).sum());
        if profile.name == "parquet" {
            fs::create_dir(&bare).unwrap();
            let (seconds, size) = bench.bare_files(&to, &exported, &bare);
            line("  bare write of its files", seconds, size);
            println!("{:<28} {:>8} MB", "  memory at most so far", memory_max_mb());
        }
        fs::remove_dir_all(&to).unwrap();
    }
    let parquet = &PROFILES[0];
    let to = folder.path().join("more");
    let by_day = bench.seconds(|| bench.export(&to.join("days"), parquet, &|it| it.by_day = true));
    line("parquet, by day", by_day.0, 0);
    let again = |it: &mut Request| it.incremental = true;
    let first = bench.seconds(|| bench.export(&to.join("new"), parquet, &again));
    line("parquet, incremental, first", first.0, 0);
    let nothing = bench.seconds(|| bench.export(&to.join("new"), parquet, &again));
    line("parquet, incremental, no new", nothing.0, 0);
    println!("{:<28} {:>8} MB", "memory at most", memory_max_mb());
}
