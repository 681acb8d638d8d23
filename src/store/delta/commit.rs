//! Writes commits: the first one of a table, appends that happen exactly once, and columns that
//! this build has and the table has not.
//!
//! ```text
//! append: refresh the log ─► our txn ≥ n? done ─► put N+1 if absent ─► absent: done
//!              ▲                                        │
//!              └────────── exists: whoever was faster ──┘
//! ```
//! A lost reply of our own put is found by the same look: the refreshed log then has our txn. A
//! data file whose commit came too late is committed under the next number, not written again.

use serde_json::{Map, Value};

use super::action::{Action, Add, CommitInfo, DIGEST_TAG, Format, MetaData, Protocol, Transaction};
use super::log::Log;
use super::read::{damaged, has_commit};
use super::schema::{schema_string, widened};
use super::seal;
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::event::Table;
use crate::journal::SCHEMA_VERSION;
use crate::store::files::Files;
use crate::store::layout::{commit_name, commit_temporary_name, delta_log};
use crate::store::segment::Segment;

/// Other writers may be faster this many times in a row.
pub(super) const ATTEMPTS_MAX: usize = 1_000;
/// The key in a table's configuration for the version of its columns.
const SCHEMA_VERSION_KEY: &str = "genstore.schema_version";

/// Makes the table, without rows, unless it is there; one of an older build gets the nullable
/// columns that it lacks.
pub(in crate::store) fn create(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    table: Table,
    now_us: i64,
) -> Result<()> {
    log.refresh()?;
    if log.version().is_some() {
        return widen(files, ids, log, now_us);
    }
    let folder = delta_log(log.folder());
    files.create_folder(log.folder())?;
    files.create_folder(&folder)?;
    put(files, ids, log, 0, &first(table, ids, now_us))?;
    log.refresh()
}

/// The actions of the first commit of a table.
pub(super) fn first(table: Table, ids: &dyn IdSource, now_us: i64) -> [Action; 3] {
    let metadata = MetaData {
        id: ids.next_id().to_string(),
        name: Some(table.name().to_owned()),
        description: Some(table.doc().to_owned()),
        format: Format::default(),
        schema_string: schema_string(table),
        partition_columns: Vec::new(),
        configuration: Map::from_iter([(
            SCHEMA_VERSION_KEY.to_owned(),
            Value::from(SCHEMA_VERSION.to_string()),
        )]),
        created_time: Some(now_us / 1_000),
    };
    [
        Action { commit_info: Some(info("CREATE TABLE", now_us, None)), ..Action::default() },
        Action {
            protocol: Some(Protocol { min_reader_version: 1, min_writer_version: 2 }),
            ..Action::default()
        },
        Action { meta_data: Some(metadata), ..Action::default() },
    ]
}

/// Adds the columns that this build has and the table has not. Of two that open the store, one is
/// faster; the other finds nothing missing. A table that this build must not write stays as it is.
fn widen(files: &dyn Files, ids: &dyn IdSource, log: &mut Log, now_us: i64) -> Result<()> {
    for _ in 0..ATTEMPTS_MAX {
        let missing = log.check_writable()?;
        let Some(metadata) = log.metadata().filter(|_| !missing.is_empty()) else {
            return Ok(());
        };
        let mut metadata = metadata.clone();
        metadata.schema_string = widened(&metadata.schema_string, missing).map_err(|source| {
            Error::internal("cannot add columns to a schema").with_source(source)
        })?;
        let known = metadata.configuration.get(SCHEMA_VERSION_KEY).and_then(Value::as_str);
        if known.and_then(|it| it.parse().ok()).is_none_or(|it: u32| it < SCHEMA_VERSION) {
            let version = Value::from(SCHEMA_VERSION.to_string());
            metadata.configuration.insert(SCHEMA_VERSION_KEY.to_owned(), version);
        }
        let actions = [
            Action { commit_info: Some(info("ADD COLUMNS", now_us, None)), ..Action::default() },
            Action { meta_data: Some(metadata), ..Action::default() },
        ];
        commit(files, ids, log, &actions)?;
    }
    Err(too_late(log))
}

/// Appends a segment, if there is one, as journal file `n` of the slot `app_id`, exactly once.
pub(in crate::store) fn append(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    app_id: &str,
    n: u64,
    segment: Option<Segment>,
    flush_time_us: i64,
) -> Result<()> {
    let actions = appending(app_id, n, segment, flush_time_us)?;
    if !files.is_remote() {
        log.refresh()?; // there, the put itself tells whether the caller's look is still right
    }
    for _ in 0..ATTEMPTS_MAX {
        log.check_writable()?;
        if log.committed(app_id) >= n {
            // the put may have gone through in an attempt that failed before its folder's sync
            let folder = delta_log(log.folder());
            return files.sync_folder(&folder);
        }
        widen(files, ids, log, flush_time_us)?;
        commit(files, ids, log, &actions)?;
    }
    Err(too_late(log))
}

/// The actions that append a segment.
pub(super) fn appending(
    app_id: &str,
    n: u64,
    segment: Option<Segment>,
    flush_time_us: i64,
) -> Result<Vec<Action>> {
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
    actions.extend(segment.map(|segment| added(segment, ms, true)));
    Ok(actions)
}

/// Appends segments once for the files that they were made of: a file is known by its app id, which
/// is new, and its number is 1. If the table has one of them already, nothing is changed.
pub(in crate::store) fn load(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    app_ids: &[String],
    segments: Vec<Segment>,
    flush_time_us: i64,
) -> Result<()> {
    let ms = flush_time_us / 1_000;
    let mut info = info("WRITE", flush_time_us, Some(flush_time_us));
    info.is_blind_append = true;
    info.operation_parameters.insert("mode".to_owned(), Value::from("Append"));
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    actions.extend(app_ids.iter().map(|app_id| {
        let app_id = app_id.clone();
        let txn = Transaction { app_id, version: 1, last_updated: Some(ms) };
        Action { txn: Some(txn), ..Action::default() }
    }));
    actions.extend(segments.into_iter().map(|it| added(it, ms, true)));
    log.refresh()?;
    for _ in 0..ATTEMPTS_MAX {
        log.check_writable()?;
        if app_ids.iter().any(|it| log.committed(it) > 0) {
            return files.sync_folder(&delta_log(log.folder()));
        }
        widen(files, ids, log, flush_time_us)?;
        commit(files, ids, log, &actions)?;
    }
    Err(too_late(log))
}

/// The action that makes a segment part of a table.
pub(super) fn added(segment: Segment, modified_ms: i64, data_change: bool) -> Action {
    let add = Add {
        path: segment.name,
        partition_values: Map::new(),
        size: segment.size_bytes,
        modification_time: modified_ms,
        data_change,
        stats: Some(segment.stats),
        tags: Some([(DIGEST_TAG.to_owned(), Some(segment.digest))].into()),
    };
    Action { add: Some(add), ..Action::default() }
}

/// Tries to put the next commit; the log then knows whose it is. `true`: it is this one.
///
/// Commits are removed oldest first, so that a writer that slept between its look and its put could
/// put a commit where others have been: one before the newest checkpoint, which nobody reads. If
/// the commit before it is still there, no such thing happened.
pub(super) fn commit(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    actions: &[Action],
) -> Result<bool> {
    let folder = delta_log(log.folder());
    let before = log.version();
    let next = before.map_or(0, |it| it + 1);
    if has_commit(files, &folder, next + 1)? {
        log.refresh()?;
        if log.version() == before {
            return Err(damaged(
                &folder.join(commit_name(next)),
                &format!("the commit is missing, though {} is there", next + 1),
            ));
        }
        return Ok(false);
    }
    let is_put = put(files, ids, log, next, actions)?;
    let Some(before) = before.filter(|_| is_put) else {
        log.refresh()?;
        return Ok(is_put);
    };
    if has_commit(files, &folder, before)? {
        log.note_commit(next, actions.to_vec());
        return Ok(true);
    }
    log.start_over()?;
    if log.checkpoint().is_some_and(|checkpoint| checkpoint >= next) {
        files.remove(&folder.join(commit_name(next)))?;
        return Ok(false);
    }
    Ok(true)
}

fn put(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &Log,
    version: u64,
    actions: &[Action],
) -> Result<bool> {
    let (name, bytes) = (commit_name(version), encode(actions)?);
    let folder = delta_log(log.folder());
    files.put_if_absent(&folder, &name, &commit_temporary_name(ids.next_id()), &bytes)
}

/// A commit as bytes, with its checksum.
pub(super) fn encode(actions: &[Action]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut bytes, action)
            .map_err(|source| Error::internal("cannot encode a commit").with_source(source))?;
        bytes.push(b'\n');
    }
    seal::seal(&mut bytes);
    Ok(bytes)
}

pub(super) fn too_late(log: &Log) -> Error {
    Error::unavailable(format!(
        "{} is being written by so many others that {ATTEMPTS_MAX} commits came too late",
        log.folder().display()
    ))
    .with_hint("No row is lost; try again when fewer write at once.")
}

pub(super) fn info(operation: &str, now_us: i64, flush_time_us: Option<i64>) -> CommitInfo {
    CommitInfo {
        timestamp: now_us / 1_000,
        operation: operation.to_owned(),
        operation_parameters: Map::new(),
        operation_metrics: Map::new(),
        engine_info: format!("genstore/{}", env!("CARGO_PKG_VERSION")),
        is_blind_append: false,
        genstore_flush_time_us: flush_time_us,
        genstore_crc32c: Some(seal::ZEROS.to_owned()),
    }
}

#[cfg(test)]
mod tests;
