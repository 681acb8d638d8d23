//! Every setting by its name: what it means to a user, and which files may set it. The values,
//! their kinds and defaults are those of [`Settings`]; a test holds the two together.
//!
//! # Who may set what
//!
//! A file in the working directory may have come with a repository that was cloned, and so may a
//! store that lies in it. Whoever runs genstore there has not read it. So no file can name an
//! endpoint, a credential or a store: there are no such settings, they are flags and variables. And
//! what could cost something elsewhere, such as how safe the rows of a store are, or a folder that
//! files are written to, is refused in a file that nobody may have looked at ([`Reach`]). A new
//! setting that names a place, a program or an address reaches no further than [`Reach::Person`].

use std::sync::LazyLock;

use toml::{Table, Value};

use super::settings::Settings;
use crate::error::nearest;

/// Which files may say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every file: at worst, the work that is asked for takes longer or fails.
    Anybody,
    /// Not the file in the working directory: the rows of another store could be less safe.
    Store,
    /// Neither that one nor the one in a store: the user's own file, variables and flags.
    Person,
    /// Every file, but in those two only a path that stays in the working directory.
    Inside,
}

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Its whole name: sections and key, such as `store.compaction.files_min`.
    pub name: &'static str,
    /// Which files may set it.
    pub reach: Reach,
    /// What it means.
    pub about: &'static str,
}

/// Every setting, by section, in the order in which they are shown.
pub static KEYS: &[Key] = &[
    Key {
        name: "store.durability",
        reach: Reach::Store,
        about: "When a run that is reported as done is safe: \"run\" (at once: not even a power \
         loss takes it away), \"interval\" (a power loss may take what was reported in the \
         last sync_interval) or \"none\" (what was reported since the last flush). A crash \
         of genstore takes nothing under any of the three.",
    },
    Key {
        name: "store.sync_interval",
        reach: Reach::Store,
        about: "The longest time between two syncs under durability \"interval\".",
    },
    Key {
        name: "store.journal_bytes_max",
        reach: Reach::Anybody,
        about: "A journal file of this size is flushed to the tables.",
    },
    Key {
        name: "store.flush_age",
        reach: Reach::Anybody,
        about: "Rows are flushed to the tables at the latest this long after they were written.",
    },
    Key {
        name: "store.hot_bytes_max",
        reach: Reach::Anybody,
        about: "Rows that no table holds yet take at most about so much memory; beyond it, writers \
         wait for the flush. At least twice journal_bytes_max.",
    },
    Key {
        name: "store.linger",
        reach: Reach::Store,
        about: "Rows that nobody waits for are written to the journal at the latest after this \
         time.",
    },
    Key {
        name: "store.journal_grace",
        reach: Reach::Store,
        about: "A journal file stays this long after its rows are in the tables, for readers that \
         still look at it.",
    },
    Key {
        name: "store.flush_retry",
        reach: Reach::Anybody,
        about: "A failed flush is tried again after this time.",
    },
    Key {
        name: "store.checkpoint_commits",
        reach: Reach::Anybody,
        about: "A checkpoint of a table's log is written every so many commits; opening the store \
         reads it and the commits after it.",
    },
    Key {
        name: "store.log_commits_kept",
        reach: Reach::Store,
        about: "So many of a log's newest commits are never removed.",
    },
    Key {
        name: "store.log_kept",
        reach: Reach::Store,
        about: "Commits younger than this are never removed from a log: how far back --as-of \
         reaches. At \"0s\", age does not count. For how long rows are kept is said per \
         store, by `genstore store retain --set`.",
    },
    Key {
        name: "store.writers_max",
        reach: Reach::Anybody,
        about: "Processes that may write at the same time, 64 at most.",
    },
    Key {
        name: "store.compaction.enabled",
        reach: Reach::Anybody,
        about: "Whether small files of the tables are merged into larger ones while the store is \
         written.",
    },
    Key {
        name: "store.compaction.files_min",
        reach: Reach::Anybody,
        about: "So many files of about the same number of rows are merged into one.",
    },
    Key {
        name: "store.compaction.files_max",
        reach: Reach::Anybody,
        about: "At most so many files are merged at a time, 256 at most.",
    },
    Key {
        name: "store.compaction.step_bytes_max",
        reach: Reach::Anybody,
        about: "Files that are merged at a time have at most so many bytes together.",
    },
    Key {
        name: "sql.threads",
        reach: Reach::Anybody,
        about: "Threads of a query; at 0, as many as there are cores, at most 16.",
    },
    Key {
        name: "sql.memory_bytes_max",
        reach: Reach::Anybody,
        about: "Memory of all running queries together; beyond it they use the disk, or fail.",
    },
    Key {
        name: "sql.spill_bytes_max",
        reach: Reach::Anybody,
        about: "Bytes that queries may put on the disk meanwhile.",
    },
    Key {
        name: "sql.spill_dir",
        reach: Reach::Person,
        about: "Folder for that; \"\" is the system's temporary folder.",
    },
    Key {
        name: "sql.result_bytes_max",
        reach: Reach::Anybody,
        about: "Size of a result that is collected in memory, such as a summary.",
    },
    Key {
        name: "sql.rows_max",
        reach: Reach::Anybody,
        about: "A query that has more rows fails when it comes to them; at 0, none does. An \
         export takes every row. Flag: --max-rows.",
    },
    Key {
        name: "sql.query_time_max",
        reach: Reach::Anybody,
        about: "A query whose last row was not taken by then fails; at \"0s\", none does. \
         Flag: --timeout.",
    },
    Key {
        name: "sql.file_dirs",
        reach: Reach::Person,
        about: "Folders whose files SQL may read and write besides those below the working \
         directory, separated by \":\". It touches files in the shell, and with --files.",
    },
    Key { name: "import.value_bytes_max", reach: Reach::Anybody, about: "The longest value." },
    Key {
        name: "import.line_bytes_max",
        reach: Reach::Anybody,
        about: "The longest line of NDJSON, or record of CSV.",
    },
    Key {
        name: "import.chunk_bytes_max",
        reach: Reach::Anybody,
        about: "Rows that are put in order together take so much memory, and four times as much \
         while that is done.",
    },
    Key {
        name: "import.sketch_bytes_max",
        reach: Reach::Anybody,
        about: "Memory that sketches take before they are written.",
    },
    Key {
        name: "import.keyed_rows_max",
        reach: Reach::Anybody,
        about: "Rows of runs, steps or batches in one import; each takes at least 8 bytes of \
         memory.",
    },
    Key {
        name: "workflow.jobs",
        reach: Reach::Anybody,
        about: "Steps that work at a time, over all runs; at 0, as many as there are cores. Flag: \
         --jobs.",
    },
    Key {
        name: "workflow.run_jobs_max",
        reach: Reach::Anybody,
        about: "Steps of one run that work at a time, unless its pipeline says how many.",
    },
    Key {
        name: "workflow.run_timeout",
        reach: Reach::Anybody,
        about: "The longest time of a run, unless its pipeline says how long; at \"0s\", any.",
    },
    Key {
        name: "workflow.step_timeout",
        reach: Reach::Anybody,
        about: "The longest time of one attempt of a step that says nothing of it; at \"0s\", that \
         of its run.",
    },
    Key {
        name: "workflow.grace",
        reach: Reach::Anybody,
        about: "How long working steps may go on after Ctrl-C; then they are dropped.",
    },
    Key {
        name: "pipeline.out",
        reach: Reach::Inside,
        about: "Folder for the generated packages. Flag: --out.",
    },
    Key {
        name: "pipeline.fsync",
        reach: Reach::Anybody,
        about: "Whether the generated files are synced to disk; the store has them in any case. \
         Flag: --fsync.",
    },
    Key {
        name: "pipeline.templates",
        reach: Reach::Inside,
        about: "Folder of templates that stand in the place of the built-in ones; at \"\", none. \
         Flag: --templates.",
    },
    Key {
        name: "validate.profile",
        reach: Reach::Anybody,
        about: "Thresholds of the validators: \"default\", calibrated on real code, or \
         \"original\", those of the first system. Flag: --profile.",
    },
    Key {
        name: "validate.complexity_max",
        reach: Reach::Anybody,
        about: "Highest cyclomatic complexity of a function; at 0, the profile's.",
    },
    Key {
        name: "validate.maintainability_min",
        reach: Reach::Anybody,
        about: "Lowest maintainability index of a file, 0 to 100; at 0, the profile's.",
    },
    Key {
        name: "validate.documented_percent_min",
        reach: Reach::Anybody,
        about: "Lowest share of public things with a docstring; at 0, the profile's.",
    },
    Key {
        name: "validate.typed_percent_min",
        reach: Reach::Anybody,
        about: "Lowest share of parameters and results with a type; at 0, the profile's.",
    },
    Key {
        name: "validate.weights.completeness",
        reach: Reach::Anybody,
        about: "What it weighs in the quality score; only the ratio of the weights matters.",
    },
    Key {
        name: "validate.weights.correctness",
        reach: Reach::Anybody,
        about: "As validate.weights.completeness.",
    },
    Key {
        name: "validate.weights.compliance",
        reach: Reach::Anybody,
        about: "As validate.weights.completeness.",
    },
    Key {
        name: "validate.weights.quality",
        reach: Reach::Anybody,
        about: "As validate.weights.completeness.",
    },
    Key {
        name: "validate.weights.performance",
        reach: Reach::Anybody,
        about: "As validate.weights.completeness.",
    },
    Key {
        name: "validate.weights.security",
        reach: Reach::Anybody,
        about: "As validate.weights.completeness.",
    },
    Key {
        name: "repl.format",
        reach: Reach::Anybody,
        about: "How the shell writes rows: \"table\", \"json\", \"ndjson\", \"csv\" or \
         \"markdown\". Flag: --format.",
    },
    Key {
        name: "repl.timer",
        reach: Reach::Anybody,
        about: "Whether the shell says how long a query took.",
    },
    Key {
        name: "repl.history_entries_max",
        reach: Reach::Person,
        about: "Entries that the shell's history keeps; at 0, it is neither read nor written.",
    },
    Key {
        name: "remote.retries_max",
        reach: Reach::Anybody,
        about: "How often a request to an object store is begun again.",
    },
    Key {
        name: "remote.retry_time_max",
        reach: Reach::Anybody,
        about: "No request is begun again later than this after its first try.",
    },
    Key {
        name: "remote.pause_time_max",
        reach: Reach::Anybody,
        about: "The longest pause between two tries.",
    },
    Key {
        name: "remote.request_time_max",
        reach: Reach::Anybody,
        about: "The longest time of one request, its answer included.",
    },
    Key {
        name: "remote.connect_time_max",
        reach: Reach::Anybody,
        about: "The longest time until a connection is made.",
    },
    Key {
        name: "remote.part_bytes",
        reach: Reach::Anybody,
        about: "Larger files are written in parts of this size, 5 MiB to 1 GiB.",
    },
];

/// The defaults as a file would have them.
pub(super) static DEFAULTS: LazyLock<Table> = LazyLock::new(|| table_of(&Settings::default()));

/// Settings as a file would have them.
pub(super) fn table_of(settings: &Settings) -> Table {
    // all fields are texts, numbers and sections of such: nothing can fail
    Table::try_from(settings).unwrap_or_default()
}

impl Key {
    /// The section, such as `store.compaction`, and the name in it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.name.rsplit_once('.').unwrap_or(("", self.name))
    }

    /// The variable that sets it.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The value that it has when nobody says so.
    pub(super) fn default_value(&self) -> Value {
        value_in(&DEFAULTS, self.name).cloned().unwrap_or_else(|| Value::from(""))
    }
}

/// What the variables of settings begin with.
pub(super) const VARIABLE_PREFIX: &str = "GENSTORE_";

/// The setting of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|it| it.name == name)
}

/// Sections, those within sections included, in their order.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(|it| it.parts().0).collect();
    sections.dedup();
    sections
}

/// The value of this name in nested sections.
pub(super) fn value_in<'t>(table: &'t Table, name: &str) -> Option<&'t Value> {
    match name.split_once('.') {
        Some((section, rest)) => value_in(table.get(section)?.as_table()?, rest),
        None => table.get(name),
    }
}

/// Sets the value of this name, and makes the sections around it.
pub(super) fn set_in(table: &mut Table, name: &str, value: Value) {
    let Some((section, rest)) = name.split_once('.') else {
        table.insert(name.to_owned(), value);
        return;
    };
    let inner = table.entry(section).or_insert_with(|| Value::from(Table::new()));
    if let Some(inner) = inner.as_table_mut() {
        set_in(inner, rest, value);
    }
}

/// What somebody may have meant who typed a name that is none: a setting of that name in another
/// section first, as a section is easily forgotten.
pub(super) fn hint_for(typed: &str) -> String {
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let (_, leaf) = typed.rsplit_once('.').unwrap_or(("", typed));
    let lower = typed.to_ascii_lowercase();
    if SECRETS.iter().any(|it| lower.contains(it)) {
        return "Endpoints and credentials are read from variables alone (AWS_…, GOOGLE_…, \
                AZURE_…): a file may have come with a repository."
            .to_owned();
    }
    if STORES.contains(&typed) {
        return "The store is named by --store or GENSTORE_STORE: a file may have come with a \
                repository."
            .to_owned();
    }
    let elsewhere = KEYS.iter().find(|it| last(it.name) == leaf).map(|it| it.name);
    let near = || nearest(typed, KEYS.iter().map(|it| it.name));
    let near_leaf = || {
        let leaf = nearest(leaf, KEYS.iter().map(|it| last(it.name)))?;
        KEYS.iter().find(|it| last(it.name) == leaf).map(|it| it.name)
    };
    match elsewhere.or_else(near).or_else(near_leaf) {
        Some(name) => format!("Did you mean {name}?"),
        None => "`genstore config show` lists the settings.".to_owned(),
    }
}

/// Parts of names by which somebody would say how a network is reached.
const SECRETS: [&str; 8] =
    ["endpoint", "url", "secret", "token", "credential", "password", "access_key", "account"];

/// Names by which somebody would say where the store is.
const STORES: [&str; 5] =
    ["store.path", "store.location", "store.folder", "store.address", "store.store"];

#[cfg(test)]
mod tests;
