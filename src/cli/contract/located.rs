//! Findings of a file with the text that they point into. Judges nothing.

use std::path::Path;
use std::rc::Rc;

use crate::contract::Includes;
use crate::finding::Finding;
use crate::output::diagnostic::render;
use crate::pipeline::source::ContractFolder;

/// A finding, and the text that its place is in where that can be read.
pub(super) struct Located {
    pub(super) finding: Finding,
    pub(super) source: Option<Rc<str>>,
}

impl Located {
    /// The finding as a compiler would print it.
    pub(super) fn drawn(&self, color: bool) -> String {
        render(&self.finding, self.source.as_deref(), color)
    }
}

/// Finds each finding's text: the contract's own, or that of a file that it includes, whose name is
/// relative to the contract's folder.
pub(super) fn locate(findings: Vec<Finding>, path: &Path, bytes: &[u8]) -> Vec<Located> {
    let uri = path.display().to_string();
    let own: Option<Rc<str>> = std::str::from_utf8(bytes).ok().map(Rc::from);
    let folder = ContractFolder::of(path);
    let mut located: Vec<Located> = findings
        .into_iter()
        .map(|mut finding| {
            let included = finding.uri.clone().filter(|it| *it != uri);
            let Some(included) = included else {
                return Located { finding, source: own.clone() };
            };
            let beside = path.parent().unwrap_or(Path::new("")).join(&included);
            finding.uri = Some(beside.display().to_string());
            let source = folder.read(&included).ok().map(Rc::from);
            Located { finding, source }
        })
        .collect();
    let place =
        |it: &Located| it.finding.span.map_or((0, 0), |at| (at.start_line, at.start_column));
    located.sort_by_key(|it| (it.finding.uri.as_deref() != Some(uri.as_str()), place(it)));
    located
}
