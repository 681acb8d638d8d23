//! The actions of a Delta commit, as JSON. Only the fields that we write or read; others that a
//! foreign writer adds are ignored, and what changes how a table must be read is refused by `read`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::Text;

/// One line of a commit, or one row of a checkpoint: exactly one field is there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Action {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) commit_info: Option<CommitInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) protocol: Option<Protocol>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) meta_data: Option<MetaData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) txn: Option<Transaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) add: Option<Add>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) remove: Option<Remove>,
}

/// The moment from which on the rows of a commit, or of all commits up to a checkpoint, are part of
/// the table, in microseconds: the stamp, else the time of the commit. One that tells neither is
/// known by the latest time in it, to a millisecond, rounded up; `None` if there is none.
pub(super) fn stamp_us(actions: &[Action]) -> Option<i64> {
    let info = actions.iter().filter_map(|it| it.commit_info.as_ref()).next_back();
    if let Some(info) = info {
        return Some(info.genstore_flush_time_us.unwrap_or(info.timestamp.saturating_mul(1_000)));
    }
    let time_ms = |it: &Action| {
        let added = it.add.as_ref().map(|it| it.modification_time);
        let removed = it.remove.as_ref().and_then(|it| it.deletion_timestamp);
        added.max(removed).max(it.txn.as_ref().and_then(|it| it.last_updated))
    };
    actions.iter().filter_map(time_ms).max().map(end_of_ms)
}

/// The last microsecond of a millisecond.
pub(super) fn end_of_ms(ms: i64) -> i64 {
    ms.saturating_mul(1_000).saturating_add(999)
}

/// Who committed, when and what.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::store) struct CommitInfo {
    /// Milliseconds since the epoch.
    pub(in crate::store) timestamp: i64,
    pub(in crate::store) operation: String,
    pub(in crate::store) operation_parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(in crate::store) operation_metrics: Map<String, Value>,
    pub(in crate::store) engine_info: String,
    pub(in crate::store) is_blind_append: bool,
    /// The time of the flush, strictly increasing and the same in all tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::store) genstore_flush_time_us: Option<i64>,
    /// Checksum of the whole commit: see `seal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::store) genstore_crc32c: Option<String>,
}

/// What a reader and a writer must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Protocol {
    pub(in crate::store) min_reader_version: u32,
    pub(in crate::store) min_writer_version: u32,
}

/// The table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::store) struct MetaData {
    pub(in crate::store) id: String,
    pub(in crate::store) name: Option<String>,
    pub(in crate::store) description: Option<String>,
    pub(in crate::store) format: Format,
    pub(in crate::store) schema_string: String,
    pub(in crate::store) partition_columns: Vec<String>,
    pub(in crate::store) configuration: Map<String, Value>,
    pub(in crate::store) created_time: Option<i64>,
}

/// How data files are encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::store) struct Format {
    pub(in crate::store) provider: String,
    pub(in crate::store) options: Map<String, Value>,
}

impl Default for Format {
    fn default() -> Self {
        Self { provider: "parquet".to_owned(), options: Map::new() }
    }
}

/// The newest file of an application that this table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Transaction {
    pub(in crate::store) app_id: String,
    pub(in crate::store) version: i64,
    /// Milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) last_updated: Option<i64>,
}

/// A data file that is part of the table from now on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::store) struct Add {
    pub(in crate::store) path: String,
    pub(in crate::store) partition_values: Map<String, Value>,
    pub(in crate::store) size: u64,
    /// Milliseconds since the epoch.
    pub(in crate::store) modification_time: i64,
    pub(in crate::store) data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::store) stats: Option<String>,
    /// What writers want to note about the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::store) tags: Option<BTreeMap<String, Option<String>>>,
}

/// The tag of an `add` that holds the BLAKE3 of the whole file, in hex.
pub(in crate::store) const DIGEST_TAG: &str = "genstore.blake3";

/// The tag of an `add` that holds the names of the files that it was made of, as a JSON array: it
/// has their rows, all of them and no others.
pub(in crate::store) const REPLACES_TAG: &str = "genstore.replaces";

impl Add {
    /// The names of the files that it was made of; none where that is not said.
    pub(super) fn replaces(&self) -> Arc<[Text]> {
        let tag = self.tags.as_ref().and_then(|tags| tags.get(REPLACES_TAG)?.as_deref());
        tag.and_then(|it| serde_json::from_str::<Vec<Text>>(it).ok()).unwrap_or_default().into()
    }

    /// The BLAKE3 of the file, if its writer noted it.
    pub(in crate::store) fn digest(&self) -> Option<&str> {
        self.tags.as_ref().and_then(|tags| tags.get(DIGEST_TAG)?.as_deref())
    }
}

/// A data file that is no part of the table any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Remove {
    pub(in crate::store) path: String,
    /// Milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::store) deletion_timestamp: Option<i64>,
    #[serde(default = "yes")]
    pub(in crate::store) data_change: bool,
}

fn yes() -> bool {
    true
}
