//! Writes commits: the first one of a table, and appends that happen exactly once.
//!
//! ```text
//! append: refresh the log ─► our txn ≥ n? done ─► put N+1 if absent ─► absent: done
//!              ▲                                        │
//!              └────────── exists: whoever was faster ──┘
//! ```
//! A lost reply of our own put is found by the same look: the refreshed log then has our txn.

use serde_json::{Map, Value};

use super::action::{Action, Add, CommitInfo, DIGEST_TAG, Format, MetaData, Protocol, Transaction};
use super::log::Log;
use super::schema::schema_string;
use super::seal;
use crate::clock::IdSource;
use crate::error::{Error, IoContext, Result};
use crate::event::Table;
use crate::journal::SCHEMA_VERSION;
use crate::journal::disk::Disk;
use crate::store::identity::put_if_absent;
use crate::store::layout::{commit_name, commit_temporary_name, delta_log};
use crate::store::segment::Segment;

/// Other writers may be faster this many times in a row.
const ATTEMPTS_MAX: usize = 1_000;

/// Makes the table, without rows, unless it is there.
pub(in crate::store) fn create(
    disk: &dyn Disk,
    ids: &dyn IdSource,
    log: &mut Log,
    table: Table,
    now_us: i64,
) -> Result<()> {
    log.refresh()?;
    if log.version().is_some() {
        return Ok(());
    }
    let folder = delta_log(log.folder());
    disk.create_folder(log.folder()).context("create the folder", log.folder())?;
    disk.create_folder(&folder).context("create the folder", &folder)?;
    let metadata = MetaData {
        id: ids.next_id().to_string(),
        name: Some(table.name().to_owned()),
        description: Some(table.doc().to_owned()),
        format: Format::default(),
        schema_string: schema_string(table),
        partition_columns: Vec::new(),
        configuration: Map::from_iter([(
            "genstore.schema_version".to_owned(),
            Value::from(SCHEMA_VERSION.to_string()),
        )]),
        created_time: Some(now_us / 1_000),
    };
    let actions = [
        Action { commit_info: Some(info("CREATE TABLE", now_us, None)), ..Action::default() },
        Action {
            protocol: Some(Protocol { min_reader_version: 1, min_writer_version: 2 }),
            ..Action::default()
        },
        Action { meta_data: Some(metadata), ..Action::default() },
    ];
    put(disk, ids, log, 0, &actions)?;
    log.refresh()
}

/// Appends a segment, if there is one, as journal file `n` of the slot `app_id`, exactly once.
pub(in crate::store) fn append(
    disk: &dyn Disk,
    ids: &dyn IdSource,
    log: &mut Log,
    app_id: &str,
    n: u64,
    segment: Option<Segment>,
    flush_time_us: i64,
) -> Result<()> {
    let version = i64::try_from(n)
        .map_err(|_| Error::internal(format!("journal number {n} is too large")))?;
    let ms = flush_time_us / 1_000;
    let txn = Transaction { app_id: app_id.to_owned(), version, last_updated: Some(ms) };
    let mut info = info("WRITE", flush_time_us, Some(flush_time_us));
    info.is_blind_append = true;
    info.operation_parameters.insert("mode".to_owned(), Value::from("Append"));
    let mut actions = vec![
        Action { commit_info: Some(info), ..Action::default() },
        Action { txn: Some(txn), ..Action::default() },
    ];
    actions.extend(segment.map(|segment| Action {
        add: Some(Add {
            path: segment.name,
            partition_values: Map::new(),
            size: segment.size_bytes,
            modification_time: ms,
            data_change: true,
            stats: Some(segment.stats),
            tags: Some([(DIGEST_TAG.to_owned(), Some(segment.digest))].into()),
        }),
        ..Action::default()
    }));
    for _ in 0..ATTEMPTS_MAX {
        log.refresh()?;
        log.check_writable()?;
        if log.committed(app_id) >= n {
            // the put may have gone through in an attempt that failed before its folder's sync
            let folder = delta_log(log.folder());
            return disk.sync_folder(&folder).context("sync the folder", &folder);
        }
        let next = log.version().map_or(0, |it| it + 1);
        if put(disk, ids, log, next, &actions)? {
            return log.refresh();
        }
    }
    Err(Error::unavailable(format!(
        "{} is being written by so many others that {ATTEMPTS_MAX} commits came too late",
        log.folder().display()
    )))
}

fn put(
    disk: &dyn Disk,
    ids: &dyn IdSource,
    log: &Log,
    version: u64,
    actions: &[Action],
) -> Result<bool> {
    let name = commit_name(version);
    let mut bytes = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut bytes, action).map_err(|source| {
            Error::internal(format!("cannot encode the commit {name}")).with_source(source)
        })?;
        bytes.push(b'\n');
    }
    seal::seal(&mut bytes);
    let folder = delta_log(log.folder());
    put_if_absent(disk, &folder, &commit_temporary_name(ids.next_id()), &name, &bytes)
}

fn info(operation: &str, now_us: i64, flush_time_us: Option<i64>) -> CommitInfo {
    CommitInfo {
        timestamp: now_us / 1_000,
        operation: operation.to_owned(),
        operation_parameters: Map::new(),
        engine_info: format!("genstore/{}", env!("CARGO_PKG_VERSION")),
        is_blind_append: false,
        genstore_flush_time_us: flush_time_us,
        genstore_crc32c: Some(seal::ZEROS.to_owned()),
    }
}

#[cfg(test)]
mod tests;
