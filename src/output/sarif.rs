//! Findings as a SARIF 2.1.0 log, which code hosts and editors read. Judges nothing, reads nothing.
//!
//! One log holds one run of one tool. Columns count characters, as everywhere in genstore; paths
//! become URI references, so that a space or `ü` in a file name does not break the reader.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::finding::{Finding, Level, Span};

/// What a log says of a rule.
#[derive(Debug, Clone, Copy)]
pub struct RuleText<'a> {
    /// Stable id, as in the findings.
    pub id: &'a str,
    /// Level of its findings unless one says otherwise.
    pub level: Level,
    /// What it asks for, half a sentence.
    pub summary: &'a str,
    /// Why it matters; empty where nothing more is to be said.
    pub why: &'a str,
    /// How to mend a violation; empty where nothing more is to be said.
    pub fix: &'a str,
}

/// A finding, and why it does not count where its author says so.
#[derive(Debug, Clone, Copy)]
pub struct Reported<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// The reason given in the suppression comment; `None` when the finding counts.
    pub suppressed: Option<&'a str>,
}

impl<'a> From<&'a Finding> for Reported<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self { finding, suppressed: None }
    }
}

/// Writes the log and a line break. A finding of a rule that is not among `rules` is listed all the
/// same, by its id.
///
/// # Errors
/// When `out` cannot be written.
pub fn write<'a>(
    out: &mut dyn Write,
    rules: &[RuleText<'_>],
    findings: impl IntoIterator<Item = Reported<'a>>,
) -> io::Result<()> {
    let index: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    let results: Vec<Value> = findings.into_iter().map(|it| result(it, &index)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "genstore",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(descriptor).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn descriptor(rule: &RuleText<'_>) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "defaultConfiguration": { "level": rule.level.as_str() },
    });
    for (key, text) in [("fullDescription", rule.why), ("help", rule.fix)] {
        if !text.is_empty() {
            set(&mut descriptor, key, json!({ "text": text }));
        }
    }
    descriptor
}

fn result(reported: Reported<'_>, index: &HashMap<&str, usize>) -> Value {
    let finding = reported.finding;
    let text = match &finding.help {
        Some(help) => format!("{}\nhelp: {help}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.rule_id,
        "level": finding.level.as_str(),
        "message": { "text": text },
    });
    if let Some(at) = index.get(finding.rule_id) {
        set(&mut result, "ruleIndex", json!(at));
    }
    if let Some(uri) = &finding.uri {
        let mut place = json!({ "artifactLocation": { "uri": uri_reference(uri) } });
        if let Some(span) = finding.span {
            set(&mut place, "region", region(span));
        }
        set(&mut result, "locations", json!([{ "physicalLocation": place }]));
    }
    if let Some(reason) = reported.suppressed {
        let mut suppression = json!({ "kind": "inSource" });
        if !reason.is_empty() {
            set(&mut suppression, "justification", json!(reason));
        }
        set(&mut result, "suppressions", json!([suppression]));
    }
    result
}

fn region(span: Span) -> Value {
    json!({
        "startLine": span.start_line.max(1),
        "startColumn": span.start_column.max(1),
        "endLine": span.end_line.max(span.start_line).max(1),
        "endColumn": span.end_column.max(1),
    })
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// A path as a URI reference: an absolute one becomes a `file:` URI.
fn uri_reference(path: &str) -> String {
    let path =
        if cfg!(windows) { Cow::Owned(path.replace('\\', "/")) } else { Cow::Borrowed(path) };
    let drive = cfg!(windows) && path.as_bytes().get(1) == Some(&b':');
    let mut uri = match (path.starts_with('/'), drive) {
        (true, _) => "file://".to_owned(),
        (false, true) => "file:///".to_owned(),
        // A colon in the first part would be read as a scheme.
        (false, false) if path.split('/').next().is_some_and(|it| it.contains(':')) => {
            "./".to_owned()
        }
        (false, false) => String::new(),
    };
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b':'
            | b'@'
            | b'+'
            | b'='
            | b','
            | b'!'
            | b'$'
            | b'&'
            | b'('
            | b')'
            | b'*'
            | b';' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests;
