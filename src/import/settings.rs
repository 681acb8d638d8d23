//! The settings of an import. Data only.

use serde::{Deserialize, Serialize};

use super::Limits;
use crate::setting::{Fault, count, size, sizes, within};
use crate::store::load::LoadOptions;

/// How much memory an import may take. In a file the values carry units: `"64 MiB"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSettings {
    /// The longest value.
    #[serde(with = "sizes")]
    pub value_bytes_max: usize,
    /// The longest line of NDJSON, or record of CSV.
    #[serde(with = "sizes")]
    pub line_bytes_max: usize,
    /// Rows that are put in order together take so many bytes, and about four times as many while
    /// that is done.
    #[serde(with = "sizes")]
    pub chunk_bytes_max: usize,
    /// Bytes that sketches take before they are written.
    #[serde(with = "sizes")]
    pub sketch_bytes_max: usize,
    /// Rows of `runs`, `steps` or `batches` in one import; each takes at least 8 bytes.
    pub keyed_rows_max: usize,
}

impl Default for ImportSettings {
    fn default() -> Self {
        let (limits, load) = (Limits::default(), LoadOptions::default());
        Self {
            value_bytes_max: limits.value_bytes_max,
            line_bytes_max: limits.line_bytes_max,
            chunk_bytes_max: load.chunk_bytes_max,
            sketch_bytes_max: load.sketch_bytes_max,
            keyed_rows_max: load.keyed_rows_max,
        }
    }
}

impl ImportSettings {
    /// Checks each setting and how they relate.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        // offsets within a column of texts have 31 bits
        let bytes = (1, i32::MAX.unsigned_abs().into());
        within("import.value_bytes_max", self.value_bytes_max as u64, bytes, size)?;
        within("import.line_bytes_max", self.line_bytes_max as u64, bytes, size)?;
        let memory = (1 << 20, u64::MAX);
        within("import.chunk_bytes_max", self.chunk_bytes_max as u64, memory, size)?;
        within("import.sketch_bytes_max", self.sketch_bytes_max as u64, memory, size)?;
        within("import.keyed_rows_max", self.keyed_rows_max as u64, (1, u64::MAX), count)?;
        if self.line_bytes_max < self.value_bytes_max {
            let (line, value) =
                (size(self.line_bytes_max as u64), size(self.value_bytes_max as u64));
            return Err(Fault::new(
                &["import.line_bytes_max", "import.value_bytes_max"],
                format!(
                    "import.line_bytes_max is {line}, but must be at least \
                     import.value_bytes_max, which is {value}: a value is part of a line"
                ),
            ));
        }
        Ok(())
    }

    /// The bounds of reading.
    pub fn limits(&self) -> Limits {
        Limits {
            value_bytes_max: self.value_bytes_max,
            line_bytes_max: self.line_bytes_max,
            ..Limits::default()
        }
    }

    /// The bounds of writing.
    pub fn load(&self) -> LoadOptions {
        LoadOptions {
            chunk_bytes_max: self.chunk_bytes_max,
            sketch_bytes_max: self.sketch_bytes_max,
            keyed_rows_max: self.keyed_rows_max,
            ..LoadOptions::default()
        }
    }
}
