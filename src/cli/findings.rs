//! Findings as a command prints them: for people, with the line and a caret, or as NDJSON.

use clap::ValueEnum;

use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::output::diagnostic::{render, write_ndjson};

/// Form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FindingFormat {
    /// With the line and a caret
    #[default]
    Human,
    /// One JSON object per finding
    Ndjson,
}

impl FindingFormat {
    /// A finding in this form; `source` is the text that its place is in.
    pub(super) fn text(
        self,
        finding: &Finding,
        source: Option<&str>,
        color: bool,
    ) -> Result<String> {
        if self == Self::Human {
            return Ok(render(finding, source, color));
        }
        let mut line = Vec::new();
        write_ndjson(&mut line, finding)
            .map_err(|source| Error::internal("cannot write a finding").with_source(source))?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}
