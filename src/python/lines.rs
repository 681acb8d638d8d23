//! Line counts by radon's definitions: logical, source, comment and blank lines.
//!
//! Source: radon 6.0, "Raw Metrics". A group is the shortest run of lines that is complete by
//! itself: a simple statement, the head of a compound one, or a comment. Blank + source + multi +
//! single comment lines are all lines.

use super::kind::Kind;

/// Line counts of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// All lines.
    pub total: u32,
    /// Logical lines: statements and heads; radon counts one with a `:` inside as two.
    pub logical: u32,
    /// Lines that hold code.
    pub source: u32,
    /// Comments, beside code or alone.
    pub comments: u32,
    /// Lines of texts over several lines that stand alone, mostly docstrings.
    pub multi: u32,
    /// Blank lines.
    pub blank: u32,
    /// Lines that hold only a comment or a text on one line.
    pub single_comments: u32,
}

/// Counts lines from the leaves of the tree, in the order of the text.
#[derive(Debug)]
pub(super) struct LineCounter {
    blank_lines: Vec<bool>,
    /// Lines that end in a backslash.
    joined_lines: Vec<bool>,
    counts: LineCounts,
    group: Option<Group>,
    depth: u32,
    text_depth: u32,
}

#[derive(Debug, Default)]
struct Group {
    first_row: usize,
    last_row: usize,
    comments: u32,
    has_code: bool,
    ends_in_comment: bool,
    texts: u32,
    part_tokens: u32,
    last_colon: Option<u32>,
}

impl LineCounter {
    pub(super) fn new(source: &str) -> Self {
        let blank_lines: Vec<bool> = source.lines().map(|line| line.trim().is_empty()).collect();
        let blank = blank_lines.iter().filter(|blank| **blank).count();
        let counts = LineCounts { blank: super::place::offset(blank), ..LineCounts::default() };
        let joined_lines = source.lines().map(|line| line.ends_with('\\')).collect();
        Self { blank_lines, joined_lines, counts, group: None, depth: 0, text_depth: 0 }
    }

    /// Takes the next leaf. `formatted` says of the start of a string whether it is an f-string.
    pub(super) fn leaf(&mut self, kind: Kind, rows: (usize, usize), formatted: bool) {
        if kind == Kind::LineContinuation {
            return;
        }
        let ended = match &self.group {
            None => true,
            Some(group) => {
                let joined = self.joined_lines.get(group.last_row).is_some_and(|it| *it);
                rows.0 > group.last_row
                    && self.depth == 0
                    && self.text_depth == 0
                    && (group.ends_in_comment || !joined)
            }
        };
        if ended {
            self.finish_group();
            self.group = Some(Group { first_row: rows.0, ..Group::default() });
        }
        match kind {
            Kind::Open | Kind::OpenBrace | Kind::OpenBracket => self.depth += 1,
            Kind::Close | Kind::CloseBrace | Kind::CloseBracket => {
                self.depth = self.depth.saturating_sub(1);
            }
            Kind::StringStart => self.text_depth += 1,
            Kind::StringEnd => self.text_depth = self.text_depth.saturating_sub(1),
            _ => {}
        }
        let Some(group) = &mut self.group else { return };
        group.last_row = group.last_row.max(rows.1);
        group.take(kind, formatted, self.text_depth > 0, &mut self.counts);
    }

    fn finish_group(&mut self) {
        let Some(group) = self.group.take() else { return };
        self.counts.logical += group.logical_lines(true);
        let rows = self.blank_lines.get(group.first_row..=group.last_row).unwrap_or(&[]);
        let filled = super::place::offset(rows.iter().filter(|blank| !**blank).count());
        let one_row = group.first_row == group.last_row;
        match (group.has_code, group.texts) {
            (false, 0) => self.counts.single_comments += filled,
            (false, 1) if group.comments == 0 && one_row => self.counts.single_comments += 1,
            (false, 1) if group.comments == 0 => self.counts.multi += filled,
            _ => self.counts.source += filled,
        }
    }

    /// The counts.
    pub(super) fn finish(mut self) -> LineCounts {
        self.finish_group();
        let counts = self.counts;
        let total = counts.source + counts.blank + counts.multi + counts.single_comments;
        LineCounts { total, ..counts }
    }
}

impl Group {
    fn take(&mut self, kind: Kind, formatted: bool, in_text: bool, counts: &mut LineCounts) {
        self.ends_in_comment = kind == Kind::Comment;
        match kind {
            Kind::Comment => {
                self.comments += 1;
                counts.comments += 1;
                return;
            }
            Kind::Semicolon => {
                counts.logical += self.logical_lines(false);
                self.part_tokens = 0;
                self.last_colon = None;
                self.has_code = true;
                return;
            }
            Kind::Colon => {
                self.last_colon = Some(self.part_tokens);
                self.has_code = true;
            }
            Kind::StringStart => {
                self.texts += 1;
                self.has_code |= formatted;
            }
            // the end of a text and what is in it say nothing about code beside it
            Kind::StringEnd => {}
            _ if in_text => {}
            _ => self.has_code = true,
        }
        self.part_tokens += 1;
    }

    /// Logical lines of the part since the last `;`: two when a `:` stands inside it. Before a `;`
    /// radon misses by one which token is the last, and so does this.
    fn logical_lines(&self, is_last: bool) -> u32 {
        match self.last_colon {
            None => u32::from(self.part_tokens > 0),
            Some(at) => {
                let last = if is_last { at + 1 } else { at + 2 };
                2 - u32::from(last == self.part_tokens)
            }
        }
    }
}
