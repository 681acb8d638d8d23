//! A text that a pattern matches and that has a given length: for sample requests and neutral
//! answers. The shortest that is found, and checked.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Most repetitions beyond the fewest that are tried for a longer text.
const MORE_MAX: u32 = 64;

/// Longest text that is made.
const CHARS_MAX: usize = 4096;

/// A text of at least `shortest` and at most `longest` characters in which `pattern` is found.
pub(super) fn matching(pattern: &str, shortest: u64, longest: Option<u64>) -> Option<String> {
    let regex = Regex::new(pattern).ok()?;
    let hir = regex_syntax::parse(pattern).ok()?;
    let fits = |text: &str| {
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        length >= shortest && longest.is_none_or(|it| length <= it) && regex.is_match(text)
    };
    for more in 0..=MORE_MAX {
        let mut text = String::new();
        write(&hir, more, &mut text)?;
        let missing = usize::try_from(shortest).ok()?.saturating_sub(text.chars().count());
        let pad = "x".repeat(missing.min(CHARS_MAX));
        let candidates = [format!("{text}{pad}"), format!("{pad}{text}")];
        if let Some(found) = candidates.into_iter().find(|it| fits(it)) {
            return Some(found);
        }
    }
    None
}

/// The shortest match of an expression, repetitions `more` times longer where they may be.
fn write(hir: &Hir, more: u32, text: &mut String) -> Option<()> {
    if text.len() > CHARS_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(class) => text.push(letter(class)?),
        HirKind::Repetition(it) => {
            let times = it.min.saturating_add(more).min(it.max.unwrap_or(u32::MAX));
            for _ in 0..times {
                write(&it.sub, more, text)?;
            }
        }
        HirKind::Capture(it) => write(&it.sub, more, text)?,
        HirKind::Concat(all) => {
            for it in all {
                write(it, more, text)?;
            }
        }
        HirKind::Alternation(all) => write(all.first()?, more, text)?,
    }
    Some(())
}

/// A character of a class: a letter or a digit where it has one.
fn letter(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(it) => it.iter().map(|it| (it.start(), it.end())).collect(),
        Class::Bytes(it) => {
            it.iter().map(|it| (char::from(it.start()), char::from(it.end()))).collect()
        }
    };
    let inside = |char: &char| ranges.iter().any(|(low, high)| low <= char && char <= high);
    let first = || ranges.first().map(|(low, _)| *low);
    ('a'..='z').chain('0'..='9').chain('A'..='Z').chain(' '..='~').find(inside).or_else(first)
}

#[cfg(test)]
mod tests {
    use super::matching;

    #[test]
    fn a_text_is_found_that_matches_and_has_the_length() {
        for (pattern, shortest, longest, want) in [
            ("^[A-Z]{2}-\\d+$", 0, None, Some("AA-0")),
            ("^[A-Z]{2}-\\d+$", 6, None, Some("AA-000")),
            ("b", 3, None, Some("bxx")),
            ("c$", 3, None, Some("xxc")),
            ("^(red|green)$", 0, Some(3), Some("red")),
            ("^a?b*$", 0, None, Some("")),
            ("^abc$", 9, None, None),
            ("^a{5}$", 0, Some(4), None),
            ("(", 0, None, None),
        ] {
            let found = matching(pattern, shortest, longest);
            assert_eq!(found.as_deref(), want, "{pattern} {shortest}");
        }
    }
}
