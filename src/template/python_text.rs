//! Python source text in the layout of `ruff format`: literals, docstrings, and expressions that
//! stand on one line where they fit and otherwise one item per line. Any text may come in; what
//! comes out can never leave its literal. Knows nothing of contracts.

use minijinja::Environment;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a line, the default of ruff and black.
pub const LINE_COLUMNS: usize = 88;

/// Longest text (in characters) that goes into generated code; contracts keep the whole.
const TEXT_CHARS: usize = 1200;

/// A Python expression or statement that can be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// Text that is never broken.
    Atom(String),
    /// A bracket with items; `head` ends in the opening bracket and `tail` begins with the closing.
    Group {
        /// What stands before the items.
        head: String,
        /// The items.
        items: Vec<Expr>,
        /// What stands after them.
        tail: String,
    },
    /// A string that is long enough to be broken between words.
    Text {
        /// What stands before it.
        head: String,
        /// The text itself.
        text: String,
    },
}

impl Expr {
    /// Text that is never broken.
    pub fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// A bracket with items.
    pub fn group(head: impl Into<String>, items: Vec<Self>, tail: impl Into<String>) -> Self {
        Self::Group { head: head.into(), items, tail: tail.into() }
    }

    /// A string literal that may be broken between words.
    pub fn text(text: &str) -> Self {
        Self::Text { head: String::new(), text: clean(text) }
    }

    /// The same, as a keyword argument.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        match self {
            Self::Atom(text) => Self::Atom(format!("{name}={text}")),
            Self::Group { head, items, tail } => {
                Self::Group { head: format!("{name}={head}"), items, tail }
            }
            Self::Text { text, .. } => Self::Text { head: format!("{name}="), text },
        }
    }

    /// The expression at `indent` columns; the first line is not indented.
    pub fn render(&self, indent: usize) -> String {
        let mut out = String::new();
        self.write(&mut out, indent, 0);
        out
    }

    /// The expression on one line.
    pub fn flat(&self) -> String {
        match self {
            Self::Atom(text) => text.clone(),
            Self::Text { head, text } => format!("{head}{}", literal(text)),
            Self::Group { head, items, tail } => {
                let flat: Vec<String> = items.iter().map(Self::flat).collect();
                // a tuple of one needs its comma
                let comma = if head.ends_with("= (") || head == "(" { "," } else { "" };
                let comma = if items.len() == 1 { comma } else { "" };
                format!("{head}{}{comma}{tail}", flat.join(", "))
            }
        }
    }

    fn write(&self, out: &mut String, indent: usize, after: usize) {
        let flat = self.flat();
        if indent + flat.width() + after <= LINE_COLUMNS {
            return out.push_str(&flat);
        }
        match self {
            Self::Group { head, items, tail } if !items.is_empty() => {
                out.push_str(head);
                for item in items {
                    new_line(out, indent + 4);
                    item.write(out, indent + 4, 1);
                    out.push(',');
                }
                new_line(out, indent);
                out.push_str(tail);
            }
            Self::Text { head, text } if text.contains(' ') => {
                out.push_str(head);
                out.push('(');
                let room = LINE_COLUMNS.saturating_sub(indent + 4);
                let whole = literal(text).width() <= room;
                let lines = wrap(text, if whole { room } else { room.max(23) - 3 });
                let last = lines.len().saturating_sub(1);
                for (at, line) in lines.iter().enumerate() {
                    new_line(out, indent + 4);
                    let space = if at == last { "" } else { " " };
                    out.push_str(&literal(&format!("{line}{space}")));
                }
                new_line(out, indent);
                out.push(')');
            }
            _ => out.push_str(&flat),
        }
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// A Python string literal with the fewest escapes; double quotes where both need as many.
pub fn literal(text: &str) -> String {
    let double = text.matches('"').count();
    let quote = if double > text.matches('\'').count() { '\'' } else { '"' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char == quote => {
                out.push('\\');
                out.push(char);
            }
            _ if !hidden(char) => out.push(char),
            _ if u32::from(char) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(char))),
            _ if u32::from(char) < 0x1_0000 => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => out.push_str(&format!("\\U{:08x}", u32::from(char))),
        }
    }
    out.push(quote);
    out
}

/// Characters that a reader cannot see or that reorder what is read (CVE-2021-42574).
pub fn hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// One line of text: white space collapsed, hidden characters dropped, length bounded.
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|char| !hidden(*char)).collect();
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&word);
        }
    }
    shorten(&out, TEXT_CHARS)
}

/// The text within `columns`, cut between words with `...`.
pub fn shorten(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut width = 3;
    let cut: String = text
        .chars()
        .take_while(|char| {
            width += char.width().unwrap_or(0);
            width <= columns
        })
        .collect();
    let words = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}...", words.trim_end_matches([' ', '.', ',', ';', ':']))
}

/// Lines of at most `columns`, broken at spaces; a longer word has a line of its own.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Text that may stand in a docstring: one line, no quote and no escape that could end it.
pub fn doc_text(text: &str) -> String {
    clean(text).replace('"', "'").replace('\\', "\\\\")
}

/// What a docstring says of a text, once it is read: one line, double quotes as single ones, and a
/// full stop.
pub fn said(text: &str) -> String {
    let text = clean(text).replace('"', "'");
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    text + stop
}

/// One sentence for a module's docstring, with its full stop, within a line.
pub fn sentence(text: &str) -> String {
    let text = doc_text(text);
    let text = text.split_once(". ").map_or(text.as_str(), |(first, _)| first);
    let text = shorten(text.trim_end_matches('.'), LINE_COLUMNS - 8);
    if text.ends_with(['!', '?', '.']) { text } else { format!("{text}.") }
}

/// A docstring at `indent` columns, indentation included, wrapped where it is long.
pub fn docstring(text: &str, indent: usize) -> String {
    let text = doc_text(text);
    let margin = " ".repeat(indent);
    let stop = if text.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    if indent + 6 + text.width() + stop.len() <= LINE_COLUMNS {
        return format!("{margin}\"\"\"{text}{stop}\"\"\"");
    }
    // ruff would join a single line with the closing quotes: leave no room for one
    let columns = LINE_COLUMNS.saturating_sub(indent + 6).max(20);
    let lines = match text.split_once(". ") {
        Some((first, rest)) if first.width() < columns => {
            let mut lines = vec![format!("{first}."), String::new()];
            lines.extend(wrap(rest, columns));
            lines
        }
        _ => wrap(&text, columns),
    };
    let mut out = format!("{margin}\"\"\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if at > 0 && !line.is_empty() {
            out.push_str(&margin);
        }
        out.push_str(line);
    }
    format!("{out}{stop}\n{margin}\"\"\"")
}

/// A statement: `head` with its indentation, items, tail. Without a tail it is an assignment or an
/// import, which gets parentheses where it does not fit; the value of a key never does.
fn lay(head: &str, items: Vec<String>, tail: &str) -> String {
    let indent = head.len() - head.trim_start().len();
    let items: Vec<Expr> = items.into_iter().map(Expr::Atom).collect();
    let flat = Expr::group(head, items.clone(), tail).flat();
    if flat.width() <= LINE_COLUMNS || head.ends_with(": ") {
        return flat;
    }
    let margin = " ".repeat(indent);
    if !tail.is_empty() || head.ends_with("import ") {
        let (open, close) = if tail.is_empty() { ("(", ")") } else { ("", tail) };
        let head = format!("{}{open}", head.trim_start());
        return format!("{margin}{}", Expr::group(head, items, close).render(indent));
    }
    match items.first() {
        Some(item) if indent + 4 + item.flat().width() <= LINE_COLUMNS => {
            format!("{head}(\n{margin}    {}\n{margin})", item.flat())
        }
        _ => flat,
    }
}

/// Makes `lay`, `doc` and `literal` available to templates.
pub(super) fn register(environment: &mut Environment<'_>) {
    environment
        .add_function("lay", |head: &str, items: Vec<String>, tail: &str| lay(head, items, tail));
    environment.add_function("doc", |text: &str, indent: usize| docstring(text, indent));
    environment.add_filter("pystr", |text: &str| literal(text));
}

/// Imports of a module, in the order of isort: standard library, others, own package.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    plain: std::collections::BTreeSet<&'static str>,

    from: std::collections::BTreeMap<(u8, String), std::collections::BTreeSet<String>>,
}

impl Imports {
    /// `import module`; the section follows from the module.
    pub fn module(&mut self, module: &'static str) {
        self.plain.insert(module);
    }

    /// `from module import name`; the section follows from the module.
    pub fn name(&mut self, module: &str, name: &str) {
        let section = section(module);
        self.from.entry((section, module.to_owned())).or_default().insert(name.to_owned());
    }

    /// The import lines, without a final newline.
    pub fn render(&self) -> String {
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        for module in &self.plain {
            if let Some(lines) = sections.get_mut(usize::from(section(module))) {
                lines.push(format!("import {module}"));
            }
        }
        for ((section, module), names) in &self.from {
            let line = lay(&format!("from {module} import "), names.iter().cloned().collect(), "");
            if let Some(section) = sections.get_mut(usize::from(*section)) {
                section.push(line);
            }
        }
        let sections: Vec<String> =
            sections.iter().filter(|lines| !lines.is_empty()).map(|it| it.join("\n")).collect();
        sections.join("\n\n")
    }
}

/// 0 for the standard library, 1 for others, 2 for the own package.
fn section(module: &str) -> u8 {
    match module {
        _ if module.starts_with('.') => 2,
        "asyncio" | "datetime" | "decimal" | "logging" | "typing" | "uuid" => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
