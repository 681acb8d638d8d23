//! A text as the event parser wants to read it. Decides nothing about YAML.
//!
//! The parser has an input for texts of its own, but with that one it reserves 128 bytes more than
//! it has for every plain scalar: each is allocated twice and copied.

use saphyr_parser::Input;

/// What the parser reserves for a plain scalar beyond its first character. It begins with 32
/// bytes, so that a scalar of a few words is allocated once.
const RESERVED_CHARS: usize = 24;

/// The rest of a text.
pub(super) struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl Input for Rest<'_> {
    /// Nothing is buffered: everything is there.
    #[inline]
    fn lookahead(&mut self, _: usize) {}

    #[inline]
    fn buflen(&self) -> usize {
        usize::MAX
    }

    #[inline]
    fn bufmaxlen(&self) -> usize {
        RESERVED_CHARS
    }

    #[inline]
    fn raw_read_ch(&mut self) -> char {
        let next = self.peek();
        self.skip();
        next
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let next = self.peek_opt();
        let next = next.filter(|it| !matches!(it, '\0' | '\n' | '\r' | '\u{feff}'))?;
        self.skip();
        Some(next)
    }

    #[inline]
    fn skip(&mut self) {
        let mut chars = self.0.chars();
        chars.next();
        self.0 = chars.as_str();
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    #[inline]
    fn peek(&self) -> char {
        match self.0.as_bytes().first() {
            Some(byte) if byte.is_ascii() => char::from(*byte),
            _ => self.peek_opt().unwrap_or('\0'),
        }
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.0.chars().nth(n).unwrap_or('\0')
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.0.chars().next()
    }
}
