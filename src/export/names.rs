//! Names of columns and results that every tool takes: `[a-z0-9_]`, at most 63 bytes, each once.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::output::escape;

/// PostgreSQL cuts longer names.
const NAME_BYTES_MAX: usize = 63;

const AS_HINT: &str = "Give each column a name of its own: SELECT … AS name.";

/// The names under which columns are written.
///
/// # Errors
/// `Invalid`: nothing is left of a name, or two become the same.
pub(super) fn columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut cleaned = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let clean = clean(name);
        if clean.is_empty() {
            let number = index + 1;
            let message = match name.trim() {
                "" => format!("column {number} of the result has no name"),
                _ => format!("column {number}, {}, has no letter in its name", escape(name)),
            };
            return Err(Error::invalid(message).with_hint(AS_HINT));
        }
        if let Some(earlier) = seen.insert(clean.clone(), name) {
            let message = match earlier == name {
                true => format!("the result has two columns {}", escape(name)),
                false => {
                    let (a, b) = (escape(earlier), escape(name));
                    format!("the columns {a} and {b} would both be named {clean}")
                }
            };
            return Err(Error::invalid(message).with_hint(AS_HINT));
        }
        cleaned.push(clean);
    }
    if cleaned.is_empty() {
        return Err(Error::invalid("the result has no column").with_hint(AS_HINT));
    }
    Ok(cleaned)
}

/// Lower case; whatever is no letter or digit becomes `_`, once and not at the ends. A digit in
/// front gets `c_` before it.
fn clean(name: &str) -> String {
    let mut clean = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => clean.push(c),
            _ if clean.ends_with('_') => {}
            _ => clean.push('_'),
        }
    }
    let kept = clean.trim_matches('_');
    let first_is_digit = kept.starts_with(|c: char| c.is_ascii_digit());
    let mut clean = if first_is_digit { format!("c_{kept}") } else { kept.to_owned() };
    clean.truncate(NAME_BYTES_MAX);
    clean.trim_end_matches('_').to_owned()
}

/// Checks the name of an exported result, which is also that of its folder.
///
/// # Errors
/// `Usage`.
pub(super) fn check_result(name: &str) -> Result<()> {
    if clean(name) == name && !name.is_empty() {
        return Ok(());
    }
    let message = format!("{} is no name for the result of a query", escape(name));
    Err(Error::usage(message)
        .with_hint("A name is up to 63 of a-z, 0-9 and _, and begins with a letter."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn names_become_plain() {
        for (name, plain) in [
            ("run_id", "run_id"),
            ("count(*)", "count"),
            ("Sum(runs.cost_usd)", "sum_runs_cost_usd"),
            ("95 %", "c_95"),
            ("Größe", "gr_e"),
            ("_a__b_", "a_b"),
        ] {
            assert_eq!(clean(name), plain, "{name}");
        }
        let long = "a".repeat(62) + "_b";
        assert_eq!(clean(&long), "a".repeat(62), "no _ where it is cut");
    }

    #[test]
    fn what_no_tool_could_name_is_told() {
        assert_eq!(columns(["a", "b"]).unwrap(), ["a", "b"]);
        for (names, expected) in [
            (vec!["a", "b", "a"], "the result has two columns a"),
            (vec!["Sum(x)", "sum x"], "the columns Sum(x) and sum x would both be named sum_x"),
            (vec!["a", ""], "column 2 of the result has no name"),
            (vec!["*"], "column 1, *, has no letter in its name"),
            (vec![], "the result has no column"),
        ] {
            let error = columns(names).unwrap_err();
            assert_eq!(error.message(), expected);
            assert!(error.hint().is_some());
        }
        for name in ["", "A", "a b", "../up", "_a", "1a", "a/b"] {
            assert!(check_result(name).is_err(), "{name}");
        }
        check_result("slow_steps_7d").unwrap();
    }
}
