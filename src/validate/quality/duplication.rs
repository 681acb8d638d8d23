//! Lines of code that stand in two places of a package, or of a file. Compares lines as they are
//! written, without indentation; what is neither code nor longer than a bracket does not count.

use std::collections::HashMap;

use crate::python::Place;
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// So many lines in a row are a copy.
const LINES_MIN: usize = 10;

/// A line of code.
#[derive(Clone, Copy)]
struct Line<'a> {
    file: &'a SourceFile,
    number: u32,
    text: &'a str,
}

/// Reports each run of lines that has stood before.
pub(super) fn find(subject: &Subject, sink: &mut Sink<'_>) {
    let files = subject.production().filter(|file| file.module.is_valid());
    let lines: Vec<Line<'_>> = files.flat_map(code_lines).collect();
    let mut seen: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut at = 0;
    while let Some(window) = lines.get(at..at + LINES_MIN) {
        let is_one_file = window
            .iter()
            .all(|it| window.first().is_some_and(|first| std::ptr::eq(it.file, first.file)));
        if !is_one_file {
            at += 1;
            continue;
        }
        let key = window.iter().map(|it| it.text).collect();
        let first = *seen.entry(key).or_insert(at);
        // a run that repeats itself at once is not two places until it is over
        if first + LINES_MIN > at {
            at += 1;
            continue;
        }
        let length = run(&lines, first, at);
        report(&lines, first, at, length, sink);
        at += length;
    }
}

/// How many lines are equal from two places on, which do not overlap.
fn run(lines: &[Line<'_>], first: usize, second: usize) -> usize {
    let pairs = lines.iter().skip(first).zip(lines.iter().skip(second));
    let mut before = (None, None);
    let equal = pairs.take(second - first).take_while(|(a, b)| {
        let same_files = before.0.is_none_or(|it| std::ptr::eq(it, a.file))
            && before.1.is_none_or(|it| std::ptr::eq(it, b.file));
        before = (Some(a.file), Some(b.file));
        same_files && a.text == b.text
    });
    equal.count()
}

fn report(lines: &[Line<'_>], first: usize, second: usize, length: usize, sink: &mut Sink<'_>) {
    let ends = |at: usize| Some((lines.get(at)?, lines.get(at + length - 1)?));
    let (Some((from, to)), Some((begin, end))) = (ends(first), ends(second)) else { return };
    let module = &begin.file.module;
    let start = module.line_place(begin.number).start;
    let place = Place { start, end: module.line_place(end.number).end };
    let other = match std::ptr::eq(from.file, begin.file) {
        true => String::new(),
        false => format!(" of `{}`", from.file.path),
    };
    let message =
        format!("{length} lines of code repeat lines {} to {}{other}", from.number, to.number);
    sink.at(begin.file, place, message, "Move them into a function, or a common base.");
}

/// The lines that count: no blank ones, comments, texts that stand alone, imports and brackets.
fn code_lines(file: &SourceFile) -> Vec<Line<'_>> {
    let module = &file.module;
    let mut standalone = module.texts.iter().filter(|it| it.standalone).map(|it| it.place);
    let mut text_now = standalone.next();
    let mut found = Vec::new();
    let mut start = 0;
    for (number, line) in (1_u32..).zip(module.source().split('\n')) {
        let end = start + u32::try_from(line.len()).unwrap_or(u32::MAX - start);
        while text_now.is_some_and(|it| it.end < start) {
            text_now = standalone.next();
        }
        let in_text = text_now.is_some_and(|it| it.start < end && it.end > start);
        let text = line.trim();
        let is_import = text.starts_with("import ") || text.starts_with("from ");
        let is_code = text.contains(char::is_alphanumeric) && !text.starts_with('#');
        if is_code && !is_import && !in_text {
            found.push(Line { file, number, text });
        }
        start = end + 1;
    }
    found
}
