//! A Delta log of files that are no table of a store: what an export is to readers of Delta. The
//! caller knows the newest version and is alone; a version that is taken is an error.

use std::path::Path;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::action::{Action, Add, DIGEST_TAG, Format, MetaData, Protocol};
use super::commit::{encode, info};
use crate::error::{Error, Result};
use crate::store::files::Files;
use crate::store::layout::{commit_name, commit_temporary_name, delta_log};

/// A table as its first commit describes it.
#[derive(Debug, Clone)]
pub(crate) struct OutsideTable {
    /// Its name.
    pub(crate) name: String,
    /// What one row is.
    pub(crate) description: Option<String>,
    /// Its columns, those of partitions at the end.
    pub(crate) columns: Vec<OutsideColumn>,
    /// The columns whose values are names of folders.
    pub(crate) partition_columns: Vec<String>,
}

/// A column in the words of Delta.
#[derive(Debug, Clone)]
pub(crate) struct OutsideColumn {
    pub(crate) name: String,
    /// `long`, `string`, `decimal(18,9)` and so on.
    pub(crate) kind: String,
    pub(crate) nullable: bool,
    /// Its dotted name.
    pub(crate) otel_name: Option<String>,
}

/// A file that comes to a table.
#[derive(Debug, Clone)]
pub(crate) struct OutsideFile {
    /// Its path in the table's folder.
    pub(crate) path: String,
    /// The values of the partition columns.
    pub(crate) partition_values: Vec<(String, Option<String>)>,
    pub(crate) size_bytes: u64,
    pub(crate) rows: u64,
    /// BLAKE3 of the whole file, in hex.
    pub(crate) digest: String,
}

/// Puts a commit with these files: version 0 makes the table.
///
/// # Errors
/// `Failed` if the version is taken.
pub(crate) fn commit(
    files: &dyn Files,
    folder: &Path,
    (version, id): (u64, Uuid),
    table: &OutsideTable,
    added: &[OutsideFile],
    now_us: i64,
) -> Result<()> {
    let log = delta_log(folder);
    files.create_folder(&log)?;
    let bytes = encode(&actions(version, id, table, added, now_us))?;
    if files.put_if_absent(&log, &commit_name(version), &commit_temporary_name(id), &bytes)? {
        return Ok(());
    }
    let path = log.join(commit_name(version));
    Err(Error::failed(format!("{} is there already", path.display()))
        .with_hint("Another tool writes to this export: name another folder with --to."))
}

fn actions(
    version: u64,
    id: Uuid,
    table: &OutsideTable,
    added: &[OutsideFile],
    now_us: i64,
) -> Vec<Action> {
    let ms = now_us / 1_000;
    let mut info = info("WRITE", now_us, None);
    info.is_blind_append = true;
    info.operation_parameters.insert("mode".to_owned(), Value::from("Append"));
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    if version == 0 {
        let protocol = Protocol { min_reader_version: 1, min_writer_version: 2 };
        let metadata = MetaData {
            id: id.to_string(),
            name: Some(table.name.clone()),
            description: table.description.clone(),
            format: Format::default(),
            schema_string: schema_string(table),
            partition_columns: table.partition_columns.clone(),
            configuration: Map::new(),
            created_time: Some(ms),
        };
        actions.push(Action { protocol: Some(protocol), ..Action::default() });
        actions.push(Action { meta_data: Some(metadata), ..Action::default() });
    }
    actions.extend(added.iter().map(|file| {
        let value = |it: &Option<String>| it.clone().map_or(Value::Null, Value::from);
        let values = file.partition_values.iter().map(|(name, it)| (name.clone(), value(it)));
        let add = Add {
            path: file.path.clone(),
            partition_values: values.collect(),
            size: file.size_bytes,
            modification_time: ms,
            data_change: true,
            stats: Some(json!({ "numRecords": file.rows }).to_string()),
            tags: Some([(DIGEST_TAG.to_owned(), Some(file.digest.clone()))].into()),
        };
        Action { add: Some(add), ..Action::default() }
    }));
    actions
}

fn schema_string(table: &OutsideTable) -> String {
    let field = |it: &OutsideColumn| {
        let named = it.otel_name.iter().map(|name| ("otel.name".to_owned(), json!(name)));
        let metadata: Map<String, Value> = named.collect();
        json!({ "name": it.name, "type": it.kind, "nullable": it.nullable, "metadata": metadata })
    };
    let fields: Vec<Value> = table.columns.iter().map(field).collect();
    json!({ "type": "struct", "fields": fields }).to_string()
}
