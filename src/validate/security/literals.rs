//! Texts in the code that should not be there: secrets, open addresses, SQL put together.

use std::borrow::Cow;

use crate::python::facts::{Value, ValueKind};
use crate::python::{Module, Place};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Ends of names that hold a secret.
const SECRET_NAMES: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "secret_key",
    "private_key",
    "access_key",
    "auth_key",
    "credentials",
];

/// Beginnings of the keys of well-known services.
const SECRET_PREFIXES: [(&str, usize); 8] = [
    ("AKIA", 20),
    ("ghp_", 40),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("sk-", 32),
    ("xoxb-", 24),
    ("AIza", 39),
    ("-----BEGIN", 20),
];

/// Values that stand for a secret to come.
const PLACEHOLDERS: [&str; 12] = [
    "mask",
    "***",
    "changeme",
    "change_me",
    "placeholder",
    "example",
    "dummy",
    "redacted",
    "none",
    "null",
    "todo",
    "unset",
];

/// The text of a plain string value without its quotes, that of several side by side as one.
fn plain(module: &Module, value: Value) -> Option<Cow<'_, str>> {
    if value.kind != ValueKind::Text {
        return None;
    }
    let first = module.texts.partition_point(|text| text.place.start < value.place.start);
    let texts = module.texts.iter().skip(first);
    let mut parts = texts.take_while(|text| value.place.contains(text.place));
    let first = module.text(parts.next()?.content);
    let mut whole = Cow::Borrowed(first);
    for part in parts {
        whole.to_mut().push_str(module.text(part.content));
    }
    Some(whole)
}

/// Passwords, tokens and keys, by the name that they are given or by their form.
pub(super) fn secrets(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    let module = &file.module;
    let assigned = module.assignments.iter().filter_map(|it| Some((it.target, it.value?)));
    let keyed = module.pairs.iter().map(|it| (it.key, it.value));
    let passed = module.calls.iter().flat_map(|call| &call.arguments);
    let passed = passed.filter_map(|it| Some((it.name?, it.value)));
    let help = "Take it from the container's secrets; change it, for it is known now.";
    let mut reported: Vec<Place> = Vec::new();
    for (name, value) in assigned.chain(keyed).chain(passed) {
        let Some(text) = plain(module, value) else { continue };
        let name = module.text(name);
        let last = name.rsplit('.').next().unwrap_or(name);
        if names_a_secret(last) && looks_secret(last, &text) {
            let message = format!("`{last}` is given a secret that is written in the code");
            sink.at(file, value.place, message, help);
            reported.push(value.place);
        }
    }
    for text in module.texts.iter().filter(|it| !it.standalone && !reported.contains(&it.place)) {
        let content = module.text(text.content);
        let is_known = SECRET_PREFIXES.iter().any(|(prefix, length)| {
            content.starts_with(prefix)
                && content.len() >= *length
                // a pattern that finds keys is none
                && !content.contains(['[', '*'])
                && (content.contains("PRIVATE KEY") || !content.contains(char::is_whitespace))
        });
        if is_known {
            let message = "a key of a well-known form is written in the code";
            sink.at(file, text.place, message, help);
        }
    }
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.iter().any(|it| {
        name.strip_suffix(it)
            .is_some_and(|before| before.is_empty() || before.ends_with(['_', '-']))
    })
}

/// Whether a value can be a secret: not empty, not a sentence, not a placeholder, and not the name
/// itself, as in `TOKEN = "token"`.
fn looks_secret(name: &str, value: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let (name, value_plain) = (plain(name), plain(value));
    let is_name = value_plain.contains(&name) || name.contains(&value_plain);
    let is_reference = value.starts_with(['$', '<', '{', '%']) || value.ends_with('>');
    let is_placeholder = PLACEHOLDERS.iter().any(|it| value_plain.contains(it));
    // what has a digit, a sign or both cases is no name of something
    let is_sign = |c: char| matches!(c, '_' | '-' | '.' | ':');
    let is_word = value.chars().all(|c| c.is_ascii_lowercase() || is_sign(c))
        || value.chars().all(|c| c.is_ascii_uppercase() || is_sign(c));
    let is_password = name.contains("pass");
    value.len() >= 6
        && !value.contains(char::is_whitespace)
        && !is_name
        && !is_reference
        && !is_placeholder
        && (is_password || !is_word)
}

/// Addresses that stand for every network.
pub(super) fn bind_all(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    let module = &file.module;
    for text in module.texts.iter().filter(|it| module.text(it.content) == "0.0.0.0") {
        let help = "Take the address from the settings; `127.0.0.1` is this machine alone.";
        sink.at(file, text.place, "`0.0.0.0` is every network of the machine", help);
    }
}

/// Whether a text is an SQL statement, or the part of an upsert that changes rows. In capitals the
/// words of SQL are enough; in small letters they are also those of a sentence, so a sign of SQL
/// has to be there besides.
fn is_sql(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("");
    let lower = text.to_lowercase();
    let has = |word: &str| lower.split_whitespace().any(|it| it == word);
    let is_statement = match first.to_lowercase().as_str() {
        "select" | "delete" => has("from"),
        "with" => has("as") && has("from") && lower.contains("select "),
        "insert" | "replace" => has("into"),
        "update" => has("set"),
        "drop" | "alter" | "create" => has("table"),
        _ => false,
    };
    // what follows `ON CONFLICT` begins in the middle of a statement
    let is_upsert = text.contains("DO UPDATE SET ");
    let is_capital = first.chars().all(|c| c.is_ascii_uppercase());
    let has_sign = lower.contains(['*', '=', ';']) || has("where") || has("values");
    // a sentence begins with a capital
    let is_lower = first == "select" && [" from {", " from %"].iter().any(|it| text.contains(it));
    is_upsert || (is_statement && (is_capital || has_sign || is_lower))
}

/// SQL with values put into its text.
pub(super) fn sql(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    let module = &file.module;
    let help = "Pass the values as parameters of the query.";
    let mut places: Vec<Place> = Vec::new();
    for text in module.texts.iter().filter(|it| it.interpolated) {
        if is_sql(module.text(text.content)) {
            places.push(text.place);
        }
    }
    for joined in &module.concatenations {
        let left = plain(module, joined.left).unwrap_or_default();
        let with_value = !matches!(joined.right.kind, ValueKind::Text | ValueKind::Number);
        if is_sql(&left) && with_value {
            places.push(joined.place);
        }
    }
    for call in module.calls.iter().filter(|call| call.callee.is_none()) {
        let is_format = call.method.is_some_and(|place| module.text(place) == "format");
        let formatted = module.texts.iter().find(|it| it.place.start == call.place.start);
        if is_format && formatted.is_some_and(|it| is_sql(module.text(it.content))) {
            places.push(call.place);
        }
    }
    for place in places {
        sink.at(file, place, "an SQL text is put together from values", help);
    }
}
