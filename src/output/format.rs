//! The names of the output formats. What they look like is their own files' business.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, nearest};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Format {
    /// Boxes and lines, for people.
    #[default]
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// RFC 4180 with a header line.
    Csv,
    /// A GitHub-flavoured Markdown table.
    Markdown,
}

impl Format {
    /// All formats, the default first.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Ndjson, Self::Csv, Self::Markdown];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Takes the names of [`Format::as_str`] in any case, `jsonl` and `md`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.to_ascii_lowercase();
        let known = Self::ALL.into_iter().find(|it| it.as_str() == name);
        match (known, name.as_str()) {
            (Some(format), _) => Ok(format),
            (None, "jsonl") => Ok(Self::Ndjson),
            (None, "md") => Ok(Self::Markdown),
            (None, _) => {
                let names = Self::ALL.map(Self::as_str);
                let hint = nearest(&name, names).map_or_else(
                    || format!("The formats are {}.", names.join(", ")),
                    |it| format!("Did you mean {it}?"),
                );
                let message = format!("there is no output format {text:?}");
                Err(Error::usage(message).with_hint(hint))
            }
        }
    }
}
