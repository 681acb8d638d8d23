//! Requests, and what the folder of an export holds. Checks nothing itself but digests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use genstore::clock::{IdSource, ManualClock, SystemIds};
use genstore::error::Result;
use genstore::event::Table;
use genstore::export::{
    Destination, Exported, MANIFEST, Manifest, Request, What, export, profile, to_the_end,
};
use genstore::journal::disk::SystemDisk;
use genstore::sql::{Session, SessionSettings};
use genstore::store::snapshot::Snapshot;
use genstore::store::{Location, Store};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::store::rows::NOW_US;

/// All tables of a store, for `parquet`, into a folder; tests change what they are about.
pub(crate) fn request(store: &Path, to: &Path) -> Request {
    Request {
        what: What::Tables(Table::ALL.to_vec()),
        to: Destination::on_disk(to, SystemDisk::shared()).unwrap(),
        profile: profile("parquet").unwrap(),
        by_day: false,
        since_us: None,
        incremental: false,
        force: false,
        rows_per_file: u64::MAX,
        threads: 2,
        id: SystemIds.next_id(),
        now_us: NOW_US,
        as_of_us: None,
        store: Location::from(store),
        store_id: "a store".to_owned(),
    }
}

/// The same for an export that is continued.
pub(super) fn continued(store: &Path, to: &Path) -> Request {
    let tables = Table::ALL.iter().copied().filter(|it| *it != Table::StepLatency);
    let what = What::Tables(tables.collect());
    Request { what, incremental: true, ..request(store, to) }
}

pub(crate) fn session(snapshot: &Snapshot) -> Session {
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    Session::new(snapshot, settings, ManualClock::at(NOW_US)).unwrap()
}

/// Exports what the store at the request's path holds now.
pub(crate) fn run(store: &Path, request: &Request) -> Result<Exported> {
    let snapshot = Store::open_read_only(store).unwrap().snapshot().unwrap();
    export(&session(&snapshot), request, &mut to_the_end)
}

/// Every file below a folder, by its path in it, sorted.
pub(super) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|it| it.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().display().to_string()),
            }
        }
    }
    found.sort();
    found
}

/// The manifest of a folder, all files of which are what it says, and no others are there.
pub(super) fn checked(folder: &Path) -> Manifest {
    let manifest: Manifest =
        serde_json::from_slice(&fs::read(folder.join(MANIFEST)).unwrap()).unwrap();
    let mut known = vec![MANIFEST.to_owned()];
    let keys = manifest.position.iter().flat_map(|it| &it.files);
    for file in manifest.tables.iter().flat_map(|it| &it.files).chain(keys) {
        let bytes = fs::read(folder.join(&file.path)).unwrap();
        assert_eq!(file.size_bytes, bytes.len() as u64, "{}", file.path);
        assert_eq!(file.blake3, blake3::hash(&bytes).to_hex().as_str(), "{}", file.path);
        known.push(file.path.clone());
    }
    for table in &manifest.tables {
        assert_eq!(table.rows, table.files.iter().map(|it| it.rows).sum::<u64>());
        let versions = table.delta_version.map_or(0, |it| it + 1);
        known.extend((0..versions).map(|it| format!("{}/_delta_log/{it:020}.json", table.name)));
    }
    known.sort();
    assert_eq!(files(folder), known, "files that the manifest does not know");
    manifest
}

/// Rows of each table that has some.
pub(super) fn counts(manifest: &Manifest) -> BTreeMap<&str, u64> {
    let some = manifest.tables.iter().filter(|it| it.rows > 0);
    some.map(|it| (it.name.as_str(), it.rows)).collect()
}

/// The rows of a Parquet file.
pub(super) fn read(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    reader.build().unwrap().map(|it| it.unwrap()).collect()
}

/// How often each value of a text column is there in a table of an export.
pub(super) fn values(folder: &Path, table: Table, column: &str) -> BTreeMap<String, usize> {
    let manifest = checked(folder);
    let of_table = manifest.tables.iter().find(|it| it.name == table.name()).unwrap();
    let paths: Vec<PathBuf> = of_table.files.iter().map(|it| folder.join(&it.path)).collect();
    let mut found = BTreeMap::new();
    for batch in paths.iter().flat_map(|it| read(it)) {
        let values = batch.column_by_name(column).unwrap().as_string::<i32>();
        for value in values {
            *found.entry(value.unwrap_or("NULL").to_owned()).or_default() += 1;
        }
    }
    found
}
