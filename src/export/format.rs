//! The forms of an exported file, by name. What they look like is `encode`'s business.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, nearest};

/// How rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFormat {
    /// Parquet.
    #[default]
    Parquet,
    /// RFC 4180 with a header line in every file.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// Arrow IPC files, also known as Feather 2.
    Arrow,
}

impl FileFormat {
    /// All formats, the default first.
    pub const ALL: [Self; 4] = [Self::Parquet, Self::Csv, Self::Ndjson, Self::Arrow];

    /// Its name, which is also the extension of the files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FileFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|it| it.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(&name, names).map_or_else(
                || format!("The formats are {}.", names.join(", ")),
                |it| format!("Did you mean {it}?"),
            );
            Error::usage(format!("there is no export format {text:?}")).with_hint(hint)
        })
    }
}
