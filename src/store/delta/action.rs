//! The actions of a Delta commit, as JSON. Only the fields that we write or read; others that a
//! foreign writer adds are ignored, and what changes how a table must be read is refused by `log`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One line of a commit: exactly one field is there.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) commit_info: Option<CommitInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) protocol: Option<Protocol>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) meta_data: Option<MetaData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) txn: Option<Transaction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) add: Option<Add>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) remove: Option<Remove>,
}

/// Who committed, when and what.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CommitInfo {
    /// Milliseconds since the epoch.
    pub(super) timestamp: i64,
    pub(super) operation: String,
    pub(super) operation_parameters: Map<String, Value>,
    pub(super) engine_info: String,
    pub(super) is_blind_append: bool,
    /// The time of the flush, strictly increasing and the same in all tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) genstore_flush_time_us: Option<i64>,
    /// Checksum of the whole commit: see `seal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) genstore_crc32c: Option<String>,
}

/// What a reader and a writer must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    pub(super) min_reader_version: u32,
    pub(super) min_writer_version: u32,
}

/// The table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetaData {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) format: Format,
    pub(super) schema_string: String,
    pub(super) partition_columns: Vec<String>,
    pub(super) configuration: Map<String, Value>,
    pub(super) created_time: Option<i64>,
}

/// How data files are encoded.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Format {
    pub(super) provider: String,
    pub(super) options: Map<String, Value>,
}

impl Default for Format {
    fn default() -> Self {
        Self { provider: "parquet".to_owned(), options: Map::new() }
    }
}

/// The newest file of an application that this table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    pub(super) app_id: String,
    pub(super) version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_updated: Option<i64>,
}

/// A data file that is part of the table from now on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Add {
    pub(super) path: String,
    pub(super) partition_values: Map<String, Value>,
    pub(super) size: u64,
    /// Milliseconds since the epoch.
    pub(super) modification_time: i64,
    pub(super) data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stats: Option<String>,
    /// What writers want to note about the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<BTreeMap<String, Option<String>>>,
}

/// The tag of an `add` that holds the BLAKE3 of the whole file, in hex.
pub(super) const DIGEST_TAG: &str = "genstore.blake3";

/// A data file that is no part of the table any more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    pub(super) path: String,
    #[serde(default = "yes")]
    pub(super) data_change: bool,
}

fn yes() -> bool {
    true
}
