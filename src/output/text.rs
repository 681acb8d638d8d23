//! Text for people: escaped so that it cannot drive a terminal, measured in columns, and cut in
//! the middle.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Replaces control characters, line breaks and direction overrides by visible escapes such as
/// `\n` and `\u{1b}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(drives) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if drives(c) { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    Cow::Owned(escaped)
}

/// Whether a character could move the cursor, colour the screen or turn the text around. Besides
/// the controls these are the line and paragraph separators and the bidirectional marks of
/// "Trojan Source" (CVE-2021-42574).
fn drives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Columns that a text takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char_width).sum() }
}

pub(super) fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Cuts a text to `columns` by putting `…` in its middle: ids and paths differ at both ends.
pub(super) fn cut_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(1) else { return Cow::Borrowed("") };
    let head = take(text.chars(), room.div_ceil(2));
    let tail: String = take(text.chars().rev(), room - width(&head)).chars().rev().collect();
    Cow::Owned(format!("{head}…{tail}"))
}

fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += char_width(*c);
            used <= columns
        })
        .collect()
}

/// Adds `text` to `line`, filled with spaces to `columns`.
pub(super) fn pad(line: &mut String, text: &str, columns: usize, right: bool) {
    let fill = columns.saturating_sub(width(text));
    if right {
        line.extend(std::iter::repeat_n(' ', fill));
    }
    line.push_str(text);
    if !right {
        line.extend(std::iter::repeat_n(' ', fill));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_text_cannot_drive_the_terminal() {
        assert_eq!(escape("a\x1b[2J\nb\tc\u{9b}"), r"a\u{1b}[2J\nb\tc\u{9b}");
        assert_eq!(escape("x\u{202e}y\u{2028}"), r"x\u{202e}y\u{2028}");
        assert!(matches!(escape("plain ünïcode 漢字"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_cut_keeps_both_ends_and_the_width() {
        assert_eq!(cut_middle("abcdefghij", 5), "ab…ij");
        assert_eq!(cut_middle("abcdefghij", 10), "abcdefghij");
        assert_eq!(cut_middle("abc", 1), "…");
        assert_eq!(cut_middle("abc", 0), "");
        for columns in 0..12 {
            assert!(width(&cut_middle("漢字漢字漢字", columns)) <= columns, "{columns}");
        }
    }
}
