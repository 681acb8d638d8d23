//! A pipeline file: YAML to a definition, with every fault and its place. Reads no file and runs
//! nothing.

mod shape;

use crate::contract::document::Node;
use crate::contract::parse::document;
use crate::finding::{Finding, Level, Span};
use crate::workflow::{Definition, Library, Others, Problem, Workflow};

/// A pipeline file as read.
#[derive(Debug)]
pub struct PipelineFile {
    uri: String,
    root: Option<Node>,
    definition: Option<Definition>,
    findings: Vec<Finding>,
}

/// The faults of a file as they are found.
pub(super) struct Faults<'a> {
    uri: &'a str,
    findings: Vec<Finding>,
}

impl Faults<'_> {
    fn add(&mut self, span: Span, message: String, help: Option<String>) {
        let finding = Finding::new("pipeline.shape", Level::Error, message);
        let finding = finding.in_file(self.uri).at(span);
        self.findings.push(match help {
            Some(help) => finding.with_help(help),
            None => finding,
        });
    }
}

impl PipelineFile {
    /// Reads the text of the file `uri`.
    pub fn parse(text: &str, uri: &str) -> Self {
        let (root, found) = document(text, uri);
        // what is doubtful in a contract of somebody else is wrong in a file of ours
        let wrong = |it: Finding| {
            let level = if it.level == Level::Note { it.level } else { Level::Error };
            Finding { rule_id: "pipeline.yaml", level, ..it }
        };
        let mut findings: Vec<Finding> = found.into_iter().map(wrong).collect();
        let mut faults = Faults { uri, findings: Vec::new() };
        if let Some(root) = &root {
            shape::DEFINITION.check(root, "the pipeline", &mut faults);
        }
        findings.extend(faults.findings);
        let sound = findings.iter().all(|it| it.level != Level::Error);
        let mut definition = None;
        if let Some(root) = root.as_ref().filter(|_| sound) {
            match serde_json::from_value(shape::DEFINITION.json(root)) {
                Ok(it) => definition = Some(it),
                Err(error) => {
                    let message = format!("the pipeline cannot be read: {error}");
                    findings
                        .push(Finding::new("pipeline.shape", Level::Error, message).in_file(uri));
                }
            }
        }
        Self { uri: uri.to_owned(), root, definition, findings }
    }

    /// The definition; `None` where a finding says why there is none.
    pub fn definition(&self) -> Option<&Definition> {
        self.definition.as_ref()
    }

    /// Whether it says what is done, as a pipeline does and another YAML file does not.
    pub fn has_steps(&self) -> bool {
        self.root.as_ref().is_some_and(|it| it.get("steps").is_some())
    }

    /// Makes a plan of it.
    ///
    /// # Errors
    /// Every fault of the file, in the order of its lines.
    pub fn lower(&self, library: &Library, others: Others<'_>) -> Result<Workflow, Vec<Finding>> {
        let Some(definition) = &self.definition else { return Err(self.findings.clone()) };
        Workflow::lower(definition, &self.uri, library, others).map_err(|problems| {
            let mut findings = self.findings.clone();
            findings.extend(problems.iter().map(|it| self.finding(it)));
            findings.sort_by_key(|it| it.span.map(|it| (it.start_line, it.start_column)));
            findings
        })
    }

    fn finding(&self, problem: &Problem) -> Finding {
        let finding = Finding::new("pipeline.plan", Level::Error, &*problem.message);
        let mut finding = finding.in_file(&*self.uri);
        finding.span = self.root.as_ref().map(|it| place(it, &problem.path));
        match &problem.hint {
            Some(hint) => finding.with_help(hint),
            None => finding,
        }
    }
}

/// The place in the file that a JSON pointer means, or the nearest around it.
fn place(root: &Node, pointer: &str) -> Span {
    let (mut node, mut span) = (root, first_line(root.span));
    for part in pointer.split('/').skip(1) {
        if let Some((key, value)) = node.entry(part) {
            let is_scalar = !value.is_mapping() && !value.is_sequence();
            (node, span) = (value, if is_scalar { value.span } else { key.span });
        } else if let Some(item) = part.parse().ok().and_then(|at: usize| node.items().get(at)) {
            let name = item.get("name").filter(|it| it.as_str().is_some());
            (node, span) = (item, name.map_or(first_line(item.span), |it| it.span));
        } else {
            break;
        }
    }
    span
}

/// The beginning of a region of several lines.
fn first_line(span: Span) -> Span {
    if span.start_line == span.end_line {
        return span;
    }
    Span {
        end_line: span.start_line,
        end_column: span.start_column + 1,
        end_byte: span.start_byte + 1,
        ..span
    }
}

#[cfg(test)]
mod tests;
