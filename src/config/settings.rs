//! All settings: one section per room, each the room's own. Reads nothing; `assembly` fills them
//! in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::import::ImportSettings;
use crate::pipeline::{PackageSettings, RunSettings};
use crate::repl::ShellSettings;
use crate::setting::Fault;
use crate::sql::SessionSettings;
use crate::store::{RemoteOptions, StoreOptions};
use crate::validate::ValidateSettings;

/// What a `genstore.toml` may say. The names of its sections and keys are those of the file; `keys`
/// says what each means and who may set it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How a store is written.
    pub store: StoreOptions,
    /// The bounds of queries.
    pub sql: SessionSettings,
    /// The bounds of imports.
    pub import: ImportSettings,
    /// How runs are carried out.
    pub workflow: RunSettings,
    /// Where packages go.
    pub pipeline: PackageSettings,
    /// How the validators judge.
    pub validate: ValidateSettings,
    /// How the shell begins.
    pub repl: ShellSettings,
    /// How long an object store is waited for.
    pub remote: RemoteOptions,
}

impl Settings {
    /// Folder of the user's templates, where there is one.
    pub fn templates(&self) -> Option<&Path> {
        Some(self.pipeline.templates.as_path()).filter(|it| !it.as_os_str().is_empty())
    }

    /// What makes no sense, one fault per section at most.
    pub fn faults(&self) -> Vec<Fault> {
        let checked = [
            self.store.validate(),
            self.sql.validate(),
            self.import.validate(),
            self.workflow.validate(),
            self.pipeline.validate(),
            self.validate.validate(),
            self.repl.validate(),
            self.remote.validate(),
        ];
        checked.into_iter().filter_map(Result::err).collect()
    }
}
