//! Is the code easy to read and to change: complexity, length, nesting, words, leftovers.

use super::completeness::documented;
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::finding::Level;

/// Most decisions of a function, plus one (McCabe's own limit, and the original system's).
const COMPLEXITY_MAX: u32 = 10;

/// Least maintainability index on the original scale with top 171: below it code is "difficult to
/// maintain" (Coleman, Ash, Lowther, Oman 1994). It is 38 on radon's scale of 100.
const MAINTAINABILITY_MIN: f64 = 65.0;

/// Most statements of a function. Statements, not lines: a long literal is not a long function.
const STATEMENTS_MAX: u32 = 50;

/// Deepest nesting of compound statements.
const NESTING_MAX: u32 = 4;

/// Least share of public things with a docstring, in percent (the original system's threshold).
const DOCUMENTED_PERCENT_MIN: f64 = 80.0;

/// Longest line in characters.
const LINE_CHARS_MAX: usize = 100;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "quality.complexity",
        level: Level::Warning,
        summary: "a function has a cyclomatic complexity above 10",
        why: "Each path wants a test, and a reader has to keep all of them in mind.",
        check: Check::File(complexity),
    },
    Rule {
        id: "quality.maintainability",
        level: Level::Warning,
        summary: "a file has a maintainability index below 65 (of 171)",
        why: "Files below it are those that take longest to change.",
        check: Check::File(maintainability),
    },
    Rule {
        id: "quality.function-length",
        level: Level::Warning,
        summary: "a function has more than 50 statements",
        why: "It does more than one thing.",
        check: Check::File(function_length),
    },
    Rule {
        id: "quality.nesting",
        level: Level::Warning,
        summary: "compound statements are nested more than four deep",
        why: "The condition under which a line runs can no longer be seen.",
        check: Check::File(nesting),
    },
    Rule {
        id: "quality.documentation",
        level: Level::Note,
        summary: "fewer than 80 % of the public things have a docstring",
        why: "Generated code is read by people who did not write it.",
        check: Check::Package(documentation),
    },
    Rule {
        id: "quality.unused-import",
        level: Level::Warning,
        summary: "an imported name is not used",
        why: "It costs time at start and suggests a dependency that is none.",
        check: Check::File(unused_imports),
    },
    Rule {
        id: "quality.line-length",
        level: Level::Note,
        summary: "a line is longer than 100 characters",
        why: "It does not fit beside another file on a screen.",
        check: Check::File(line_length),
    },
];

fn complexity(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for function in file.module.functions.iter().filter(|it| it.complexity > COMPLEXITY_MAX) {
        let message =
            format!("`{}` has a cyclomatic complexity of {}", function.name, function.complexity);
        let help = format!("Divide it; {COMPLEXITY_MAX} is the limit.");
        sink.at(file, function.name_place, message, help);
    }
}

fn maintainability(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let index = file.module.metrics.maintainability();
    if index < MAINTAINABILITY_MIN {
        let message = format!("`{}` has a maintainability index of {index:.0} of 171", file.path);
        let help = format!("Divide the file; {MAINTAINABILITY_MIN} is the limit.");
        sink.whole_file(&file.path, message, help);
    }
}

fn function_length(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for function in file.module.functions.iter().filter(|it| it.statements > STATEMENTS_MAX) {
        let message = format!("`{}` has {} statements", function.name, function.statements);
        let help = format!("Divide it; {STATEMENTS_MAX} is the limit.");
        sink.at(file, function.name_place, message, help);
    }
}

fn nesting(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for function in file.module.functions.iter().filter(|it| it.nesting > NESTING_MAX) {
        let message = format!("`{}` is nested {} deep", function.name, function.nesting);
        let help = "Return early, or move the inner part into a function.";
        sink.at(file, function.name_place, message, help);
    }
}

fn documentation(subject: &Subject, sink: &mut Sink<'_>) {
    let files = subject.production().filter(|file| file.module.is_valid());
    let all: Vec<bool> = files.flat_map(documented).map(|(_, _, has)| has).collect();
    let documented = all.iter().filter(|has| **has).count();
    if all.is_empty() {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of definitions in a package")]
    let percent = documented as f64 / all.len() as f64 * 100.0;
    if percent < DOCUMENTED_PERCENT_MIN {
        let message = format!("{documented} of {} public things have a docstring", all.len());
        sink.package(message, format!("{DOCUMENTED_PERCENT_MIN} % are wanted."));
    }
}

fn unused_imports(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.stem() == "__init__" {
        return;
    }
    for import in &file.module.imports {
        let is_exempt = import.used
            || import.reexported
            || import.bound == "*"
            || import.module == "__future__";
        if !is_exempt {
            let message = format!("the import `{}` is not used", import.bound);
            sink.at(file, import.place, message, "Remove it.");
        }
    }
}

fn line_length(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (number, line) in (1u32..).zip(file.module.source().lines()) {
        if line.len() <= LINE_CHARS_MAX {
            continue;
        }
        let length = line.chars().count();
        // a link cannot be broken
        if length > LINE_CHARS_MAX && !line.contains("://") {
            let message = format!("the line has {length} characters");
            let place = file.module.line_place(number);
            sink.at(file, place, message, format!("Break it; {LINE_CHARS_MAX} is the limit."));
        }
    }
}
