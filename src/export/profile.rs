//! For whom an export is made, as data: what each tool reads best, and what it cannot read. The
//! rules themselves are applied by `lower` and `encode`; nothing is decided anywhere else.
//!
//! What holds for all: times are microseconds in UTC, text is plain UTF-8 and bytes plain bytes (no
//! views, no dictionaries), whole numbers are 64 bits and signed, names are `[a-z0-9_]` of at most
//! 63 bytes.

use std::fmt;
use std::str::FromStr;

use super::FileFormat;
use crate::error::{Error, Result, nearest};

/// What becomes of whole nanoseconds, the columns named `*_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durations {
    /// They stay as they are.
    Ns,
    /// They stay, and `*_ms` with milliseconds as floats stands beside.
    Both,
    /// `*_ms` stands in their place.
    Ms,
}

/// What becomes of money, the columns named `*_usd`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Costs {
    /// Floats.
    Float,
    /// Decimal(18,9).
    Decimal,
}

/// How Parquet is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// Small; every reader of this decade knows it.
    Zstd,
    /// What every reader of Parquet knows.
    Snappy,
}

/// How an export is written for a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// For whom it is, in one line.
    pub whom: &'static str,
    /// The form of the files.
    pub format: FileFormat,
    pub(super) compression: Compression,
    /// Rows of a row group of Parquet, of a batch of Arrow.
    pub(super) group_rows: usize,
    /// A file that has this size gets no more rows.
    pub(super) file_bytes: u64,
    /// Minima and maxima of each page, and where it lies.
    pub(super) page_index: bool,
    /// Numbers that are rarely equal are written as their differences, which old readers of
    /// Parquet do not know.
    pub(super) packed: bool,
    pub(super) durations: Durations,
    pub(super) costs: Costs,
    /// Whether decimals of a query stay; else they become floats.
    pub(super) decimals: bool,
    /// Whether NaN and infinity stay; else they become NULL, and are counted.
    pub(super) any_float: bool,
    /// Whether columns of bytes stay; else they are left out.
    pub(super) bytes: bool,
    /// Whether lists and structs of a query stay; else they become JSON text.
    pub(super) nested: bool,
    /// Whether the day of a partition is a column of the file as well as the name of its folder.
    pub(super) day_column: bool,
}

/// Rows of the store as they are, in Parquet: what the others differ from.
const PARQUET: Profile = Profile {
    name: "parquet",
    whom: "any reader of Parquet, and `genstore import`: every value exactly as the store has it",
    format: FileFormat::Parquet,
    compression: Compression::Zstd,
    group_rows: 128 * 1024,
    file_bytes: 96 << 20,
    page_index: true,
    packed: true,
    durations: Durations::Ns,
    costs: Costs::Float,
    decimals: true,
    any_float: true,
    bytes: true,
    nested: false,
    day_column: false,
};

/// What dashboards read: few files, no types that one of them is known to show wrongly.
const DASHBOARD: Profile = Profile {
    compression: Compression::Snappy,
    group_rows: 1 << 20,
    file_bytes: 192 << 20,
    packed: false,
    durations: Durations::Ms,
    any_float: false,
    bytes: false,
    day_column: true,
    ..PARQUET
};

/// A text file: no NaN, and bytes as base64. Small groups: nobody sees them, and their memory is
/// used again.
const TEXT: Profile = Profile { any_float: false, group_rows: 8 * 1024, ..PARQUET };

/// Every profile, the default first.
pub const PROFILES: [Profile; 9] = [
    PARQUET,
    Profile {
        name: "powerbi",
        whom: "Power BI: few files, milliseconds and decimal costs, no bytes, the day as a column",
        costs: Costs::Decimal,
        ..DASHBOARD
    },
    Profile {
        name: "tableau",
        whom: "Tableau, by the Hyper API: few files, milliseconds, floats for decimals, no bytes",
        decimals: false,
        ..DASHBOARD
    },
    Profile {
        name: "spark",
        whom: "Spark and Databricks: large row groups, milliseconds beside nanoseconds, decimals",
        group_rows: 1 << 20,
        packed: false,
        durations: Durations::Both,
        costs: Costs::Decimal,
        any_float: false,
        ..PARQUET
    },
    Profile {
        name: "duckdb",
        whom: "DuckDB and Polars: row groups of their size, milliseconds beside nanoseconds",
        group_rows: 122_880,
        durations: Durations::Both,
        ..PARQUET
    },
    Profile {
        name: "grafana",
        whom: "Grafana over DuckDB: milliseconds, floats for decimals, no bytes, a column of days",
        compression: Compression::Zstd,
        group_rows: 122_880,
        file_bytes: PARQUET.file_bytes,
        decimals: false,
        ..DASHBOARD
    },
    Profile {
        name: "csv",
        whom: "spreadsheets and database loaders: RFC 4180, NULL is empty, `\"\"` the empty text",
        format: FileFormat::Csv,
        ..TEXT
    },
    Profile {
        name: "ndjson",
        whom: "scripts and log pipelines: one JSON object per line",
        format: FileFormat::Ndjson,
        ..TEXT
    },
    Profile {
        name: "arrow",
        whom: "pyarrow, pandas and Polars in memory: Arrow IPC (Feather 2), lists of a query stay",
        format: FileFormat::Arrow,
        nested: true,
        ..PARQUET
    },
];

impl Profile {
    /// The names of all profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|it| it.name)
    }

    /// Whether a table of the store comes back from it as it was: every column is there, and
    /// nothing else.
    pub(crate) fn is_exact(&self) -> bool {
        let kept = self.bytes && self.durations == Durations::Ns && self.costs == Costs::Float;
        kept && self.format != FileFormat::Arrow
    }
}

impl Default for &'static Profile {
    fn default() -> Self {
        const FIRST: &Profile = &PARQUET;
        FIRST
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The profile of a name; kind `Usage` with the nearest name when there is none.
pub fn profile(name: &str) -> Result<&'static Profile> {
    let lower = name.to_ascii_lowercase();
    PROFILES.iter().find(|it| it.name == lower).ok_or_else(|| {
        let error = Error::usage(format!("there is no export profile {name:?}"));
        match nearest(&lower, Profile::names()) {
            Some(near) => error.with_hint(format!("Did you mean {near}?")),
            None => {
                let names: Vec<_> = Profile::names().collect();
                error.with_hint(format!("The profiles are {}.", names.join(", ")))
            }
        }
    })
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        profile(text).copied()
    }
}
