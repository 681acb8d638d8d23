//! Every path of a store is built here, and only here. Touches no disk.

use std::path::{Path, PathBuf};

use crate::event::Table;
use crate::journal::file_name;

/// The paths of one store. Journal and index lie beside the tables, or in a state folder where the
/// tables are remote.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
    state: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), state: root.to_owned() }
    }

    /// The same tables, and what is local in another folder.
    pub(super) fn with_state(self, state: &Path) -> Self {
        Self { state: state.to_owned(), ..self }
    }

    /// The folder of what is always local.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.root.join(IDENTITY_NAME)
    }

    pub(super) fn tables(&self) -> PathBuf {
        self.root.join("tables")
    }

    pub(super) fn table(&self, table: Table) -> PathBuf {
        self.tables().join(table.name())
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.state.join("index")
    }

    pub(super) fn journal_identity(&self) -> PathBuf {
        self.journal().join("root.json")
    }

    /// Locked by every writer together, and by whoever repairs alone.
    pub(super) fn writers_lock(&self) -> PathBuf {
        self.journal().join("lock")
    }

    /// Locked by whoever rewrites files of the tables.
    pub(super) fn upkeep_lock(&self) -> PathBuf {
        self.journal().join("upkeep.lock")
    }

    /// The store's own rules of retention.
    pub(super) fn retention(&self) -> PathBuf {
        self.root.join(RETENTION_NAME)
    }

    /// When this machine last applied them by itself.
    pub(super) fn retained(&self) -> PathBuf {
        self.journal().join(RETAINED_NAME)
    }

    /// Where a repair keeps what it has taken away.
    pub(super) fn damaged(&self) -> PathBuf {
        self.state.join("damaged")
    }

    pub(super) fn slot(&self, slot: u32) -> PathBuf {
        self.journal().join(slot.to_string())
    }

    pub(super) fn slot_lock(&self, slot: u32) -> PathBuf {
        self.slot(slot).join("lock")
    }

    pub(super) fn journal_file(&self, slot: u32, n: u64) -> PathBuf {
        self.slot(slot).join(file_name(n))
    }
}

/// Name of the file that makes a folder a store.
pub(super) const IDENTITY_NAME: &str = "store.json";

/// Name of the file that lies in a place while a store is copied there.
pub(super) const COPY_NAME: &str = "copy.json";

/// Name of the file of settings that a store may have; `config` reads it.
pub const SETTINGS_NAME: &str = "genstore.toml";

/// Name of the file of a store's rules of retention.
pub(super) const RETENTION_NAME: &str = "retention.json";

/// Name of the file that says when these were last applied.
pub(super) const RETAINED_NAME: &str = "retained";

/// What the name of an object begins with by which an object store is tried out.
pub(super) const PROBE_PREFIX: &str = "_genstore_probe_";

/// What the name of a file ends with that a repair is about to put in the place of another.
pub(super) const MENDED_SUFFIX: &str = ".mended.tmp";

/// The Delta log of a table's folder.
pub(super) fn delta_log(table_folder: &Path) -> PathBuf {
    table_folder.join("_delta_log")
}

/// Name of a commit in a Delta log: 20 digits, as the protocol says.
pub(super) fn commit_name(version: u64) -> String {
    format!("{version:020}.json")
}

/// The version of a commit, by the name of its file.
pub(crate) fn commit_version(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// Name of the checkpoint of a version: the state after that commit, in one Parquet file.
pub(super) fn checkpoint_name(version: u64) -> String {
    format!("{version:020}.checkpoint.parquet")
}

/// The version of a checkpoint, by the name of its file.
pub(super) fn checkpoint_version(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".checkpoint.parquet")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// Name of the file that tells foreign readers which checkpoint is the newest.
pub(super) const LAST_CHECKPOINT_NAME: &str = "_last_checkpoint";

/// Name of a checkpoint on its way; readers of Delta skip it.
pub(super) fn checkpoint_temporary_name(id: uuid::Uuid) -> String {
    format!("_checkpoint_{id}.parquet.tmp")
}

/// Name of a [`LAST_CHECKPOINT_NAME`] on its way.
pub(super) fn last_checkpoint_temporary_name(id: uuid::Uuid) -> String {
    format!("_last_checkpoint_{id}.json.tmp")
}

/// Name of a commit on its way; readers of Delta skip it.
pub(super) fn commit_temporary_name(id: uuid::Uuid) -> String {
    format!("_commit_{id}.json.tmp")
}

/// Name of a data file.
pub(super) fn data_name(id: uuid::Uuid) -> String {
    format!("{id}.parquet")
}

/// The name of a file in its table's folder.
pub(super) fn file_name_of(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file of a table has the name of a data file of ours.
pub(super) fn is_data_name(name: &str) -> bool {
    name.strip_suffix(".parquet").is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}

/// Whether a file was to become `store.json`, the rules of retention, or one beside the journals.
pub(super) fn is_identity_temporary_name(name: &str) -> bool {
    let id = [IDENTITY_NAME, RETENTION_NAME, RETAINED_NAME, "root.json"]
        .into_iter()
        .find_map(|it| name.strip_prefix(it)?.strip_prefix('.')?.strip_suffix(".tmp"));
    id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
}

/// Name of a data file on its way.
pub(super) fn data_temporary_name(id: uuid::Uuid) -> String {
    format!("{id}.parquet.tmp")
}

/// Whether a file of a table is on its way, and its writer may have died over it.
pub(crate) fn is_temporary_name(name: &str) -> bool {
    const SHAPES: [(&str, &str); 4] = [
        ("", ".parquet.tmp"),
        ("_commit_", ".json.tmp"),
        ("_checkpoint_", ".parquet.tmp"),
        ("_last_checkpoint_", ".json.tmp"),
    ];
    SHAPES.iter().any(|(start, end)| {
        let id = name.strip_prefix(start).and_then(|name| name.strip_suffix(end));
        id.is_some_and(|id| uuid::Uuid::try_parse(id).is_ok())
    })
}
