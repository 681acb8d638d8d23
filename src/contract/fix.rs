//! Safe rewrites of a contract's own text: those with exactly one meaning. Comments and layout
//! stay, the normal form is the same before and after, and what cannot be done so is left alone.
//! Does no IO.

use super::document::{Node, Value};
use super::include::Includes;
use super::model::{NodeType, Version};
use super::parse::{Parsed, parse};
use crate::finding::Span;

/// A rewrite that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The line of the original text, from 1.
    pub line: u32,
    /// What was done, half a sentence.
    pub what: String,
    /// The rule whose finding it settles.
    pub rule_id: &'static str,
}

/// A text after its safe rewrites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// What was done, in the order of the lines; empty when there was nothing to do.
    pub fixes: Vec<Fix>,
}

/// Replaces a part of the text.
#[derive(Debug, Clone)]
struct Edit {
    start: usize,
    end: usize,
    with: String,
    fix: Fix,
}

/// The text of the file `uri` with every safe rewrite carried out. `parsed` is what was read from
/// it.
///
/// A rewrite that would change the normal form, as one of an anchored value can, is left out.
pub fn fix(text: &str, parsed: &Parsed, uri: &str, includes: &dyn Includes) -> Fixed {
    let unchanged = Fixed { text: text.to_owned(), fixes: Vec::new() };
    let Some(contract) = &parsed.contract else { return unchanged };
    let mut edits = edits(text, &contract.document);
    if edits.is_empty() {
        return unchanged;
    }
    edits.sort_by_key(|it| (it.start, it.end));
    edits.dedup_by_key(|it| (it.start, it.end));
    let Ok(before) = serde_json::to_value(contract) else { return unchanged };
    let keeps = |fixed: &Fixed| {
        let after = parse(&fixed.text, uri, includes).contract;
        after.and_then(|it| serde_json::to_value(it).ok()).as_ref() == Some(&before)
    };
    let all = apply(text, &edits);
    if keeps(&all) {
        return all;
    }
    // One of them is at fault: the others are kept.
    edits.retain(|edit| keeps(&apply(text, std::slice::from_ref(edit))));
    let rest = apply(text, &edits);
    if keeps(&rest) { rest } else { unchanged }
}

/// Applies edits, which are sorted and do not overlap.
fn apply(text: &str, edits: &[Edit]) -> Fixed {
    let mut fixed = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        fixed.push_str(text.get(at..edit.start).unwrap_or_default());
        fixed.push_str(&edit.with);
        at = edit.end;
    }
    fixed.push_str(text.get(at..).unwrap_or_default());
    Fixed { text: fixed, fixes: edits.iter().map(|it| it.fix.clone()).collect() }
}

fn edits(text: &str, document: &Node) -> Vec<Edit> {
    let mut found = Vec::new();
    let has = |key: &str| document.get(key).is_some_and(|it| !it.is_null());
    let renamed = [
        ("version", "contract_version", "contract.version-key"),
        ("contract_description", "description", "contract.rewrite-description"),
        ("fsm", "state_machine", "contract.rewrite-state-machine"),
    ];
    for (old, new, rule_id) in renamed {
        if document.get(new).is_none()
            && let Some((key, _)) = document.entry(old)
        {
            let what = format!("`{old}` is renamed to `{new}`");
            found.extend(edit(text, key, new.to_owned(), what, rule_id));
        }
    }
    for key in ["contract_version", "version", "node_version"] {
        let superseded = key == "version" && has("contract_version");
        let Some(node) = document.get(key).filter(|_| !superseded) else { continue };
        if let Some(Version { major, minor, patch }) = node.text().and_then(version) {
            let map = format!("{{major: {major}, minor: {minor}, patch: {patch}}}");
            let what = format!("`{key}` becomes {map}");
            found.extend(edit(text, node, map, what, "contract.rewrite-version"));
        }
    }
    found.extend(node_type(text, document));
    found.extend(purity(text, document));
    found.extend(name(text, document));
    found
}

/// Replaces a scalar, when what stands at its place is that scalar and nothing else.
fn edit(
    text: &str,
    node: &Node,
    with: String,
    what: String,
    rule_id: &'static str,
) -> Option<Edit> {
    let Span { start_byte: start, end_byte: end, start_line: line, .. } = node.span;
    let Value::Scalar { text: value, quoted } = &node.value else { return None };
    let written = text.get(start..end)?;
    let literal = if *quoted {
        let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        format!("{quote}{value}{quote}")
    } else {
        value.clone()
    };
    // The parser lets a quoted text reach over a comment behind it.
    let rest = written.strip_prefix(&literal)?.trim_start();
    let end = start + literal.len();
    let fix = Fix { line, what, rule_id };
    (rest.is_empty() || rest.starts_with('#')).then_some(Edit { start, end, with, fix })
}

/// `1.0.0`, `1.0` or `v1.0.0`, without suffix.
fn version(text: &str) -> Option<Version> {
    let text = text.trim();
    let parts: Vec<&str> = text.strip_prefix('v').unwrap_or(text).split('.').collect();
    let number = |text: &str| {
        let plain = text == "0" || !text.starts_with('0');
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (plain && digits).then(|| text.parse().ok()).flatten()
    };
    match parts.as_slice() {
        [major, minor] => Some(Version { major: number(major)?, minor: number(minor)?, patch: 0 }),
        [major, minor, patch] => {
            let (major, minor) = (number(major)?, number(minor)?);
            Some(Version { major, minor, patch: number(patch)? })
        }
        _ => None,
    }
}

/// Another spelling of one of the four kinds. In the original form the bare kind is right.
fn node_type(text: &str, document: &Node) -> Option<Edit> {
    let markers = ["contract_driven", "strong_typing", "zero_any_types", "protocol_based"];
    if markers.iter().any(|key| document.get(key).is_some()) {
        return None;
    }
    let node = document.get("node_type")?;
    let lower = node.as_string()?.trim().to_lowercase();
    let bare = lower.strip_suffix("_generic").unwrap_or(&lower);
    let kind = NodeType::ALL.into_iter().find(|kind| kind.suffix() == bare)?;
    let normal = format!("{}_GENERIC", kind.as_str());
    if node.text() == Some(&normal) {
        return None;
    }
    let what = format!("`node_type` becomes {normal}");
    edit(text, node, normal, what, "contract.rewrite-node-type")
}

fn purity(text: &str, document: &Node) -> Option<Edit> {
    let node = document.at(&["descriptor", "purity"])?;
    if !matches!(node.text(), Some("impure" | "effectful")) {
        return None;
    }
    let what = "`purity` becomes side_effecting".to_owned();
    edit(text, node, "side_effecting".to_owned(), what, "contract.purity")
}

/// Adds `name` above the key that names the contract, in a block mapping.
fn name(text: &str, document: &Node) -> Option<Edit> {
    if document.get("name").is_some() {
        return None;
    }
    let keys = ["node_name", "contract_name", "node_id", "handler_id", "workflow_id"];
    let (key, value) = keys.iter().find_map(|key| {
        document
            .entry(key)
            .filter(|(_, value)| value.as_str().is_some_and(|text| !text.trim().is_empty()))
    })?;
    let start = key.span.start_byte;
    let begins_line = start == 0 || text.get(..start)?.ends_with('\n');
    let written = text.get(value.span.start_byte..value.span.end_byte)?;
    let one_line = value.span.start_line == value.span.end_line && !written.starts_with(['|', '>']);
    if !begins_line || !one_line || written.starts_with(['!', '&', '*']) {
        return None;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let what = format!("`name` is added, from `{}`", key.text().unwrap_or_default());
    let fix = Fix { line: key.span.start_line, what, rule_id: "contract.rewrite-name" };
    Some(Edit { start, end: start, with: format!("name: {written}{end}"), fix })
}

/// The changes as a unified diff without context, which `patch` can apply.
pub fn diff(before: &str, fixed: &Fixed, uri: &str) -> String {
    let mut out = format!("--- {uri}\n+++ {uri}\n");
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = fixed.text.split_inclusive('\n').collect();
    // Every rewrite changes one line or puts one before it.
    let added = |line: usize| {
        let inserted = |it: &&Fix| it.rule_id == "contract.rewrite-name";
        fixed.fixes.iter().filter(inserted).any(|it| it.line as usize == line + 1)
    };
    let mut shift = 0;
    for (at, line) in old.iter().enumerate() {
        if added(at) {
            let text = new.get(at + shift).copied().unwrap_or_default();
            out.push_str(&format!("@@ -{at},0 +{} @@\n+{}\n", at + shift + 1, text.trim_end()));
            shift += 1;
        }
        let now = new.get(at + shift).copied().unwrap_or_default();
        if now != *line {
            let number = at + shift + 1;
            let (was, now) = (line.trim_end(), now.trim_end());
            out.push_str(&format!("@@ -{} +{number} @@\n-{was}\n+{now}\n", at + 1));
        }
    }
    out
}

#[cfg(test)]
mod tests;
