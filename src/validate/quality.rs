//! Is the code easy to read and to change: complexity, length, nesting, words, types, copies,
//! leftovers.

use super::completeness::documented;
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use super::suppression;
use crate::finding::Level;
use crate::python::Place;
use crate::python::facts::Import;

mod duplication;

/// Most statements of a function. Statements, not lines: a long literal is not a long function.
const STATEMENTS_MAX: u32 = 50;

/// Deepest nesting of compound statements.
const NESTING_MAX: u32 = 4;

/// Highest Halstead volume of a file as radon counts it; the worst hundredth of omnibase-core
/// 0.47.57 is above 1,542.
const VOLUME_MAX: f64 = 1_500.0;

/// Longest line in characters.
const LINE_CHARS_MAX: usize = 100;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "quality.complexity",
        level: Level::Warning,
        summary: "a function has a higher cyclomatic complexity than validate.complexity_max",
        why: "Each path wants a test, and a reader has to keep all of them in mind.",
        codes: &["C901"],
        check: Check::File(complexity),
    },
    Rule {
        id: "quality.maintainability",
        level: Level::Warning,
        summary: "a file has a lower maintainability index than validate.maintainability_min",
        why: "Files below it are those that take longest to change.",
        codes: &[],
        check: Check::File(maintainability),
    },
    Rule {
        id: "quality.volume",
        level: Level::Note,
        summary: "a file has a Halstead volume above 1,500",
        why: "So many operators and operands are more than one idea.",
        codes: &[],
        check: Check::File(volume),
    },
    Rule {
        id: "quality.function-length",
        level: Level::Warning,
        summary: "a function has more than 50 statements",
        why: "It does more than one thing.",
        codes: &["PLR0915"],
        check: Check::File(function_length),
    },
    Rule {
        id: "quality.nesting",
        level: Level::Warning,
        summary: "compound statements are nested more than four deep",
        why: "The condition under which a line runs can no longer be seen.",
        codes: &["PLR1702"],
        check: Check::File(nesting),
    },
    Rule {
        id: "quality.documentation",
        level: Level::Note,
        summary: "fewer public things have a docstring than validate.documented_percent_min",
        why: "Generated code is read by people who did not write it.",
        codes: &[],
        check: Check::Package(documentation),
    },
    Rule {
        id: "quality.type-coverage",
        level: Level::Note,
        summary: "fewer parameters and results have a type than validate.typed_percent_min",
        why: "What has no type is checked by nobody before it runs.",
        codes: &[],
        check: Check::Package(type_coverage),
    },
    Rule {
        id: "quality.duplication",
        level: Level::Note,
        summary: "ten or more lines of code stand in two places",
        why: "Whoever mends one of them has to find the other.",
        codes: &["PLR0801"],
        check: Check::Package(duplication::find),
    },
    Rule {
        id: "quality.unused-import",
        level: Level::Warning,
        summary: "an imported name is not used",
        why: "It costs time at start and suggests a dependency that is none.",
        codes: &["F401"],
        check: Check::File(unused_imports),
    },
    Rule {
        id: "quality.line-length",
        level: Level::Note,
        summary: "a line is longer than 100 characters",
        why: "It does not fit beside another file on a screen.",
        codes: &["E501"],
        check: Check::File(line_length),
    },
    Rule {
        id: suppression::UNUSED,
        level: Level::Note,
        summary: "a `# genstore: ignore[…]` suppresses nothing",
        why: "It would hide the next mistake in its line.",
        codes: &["RUF100"],
        check: Check::File(suppression::unused),
    },
];

fn complexity(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let most = subject.limits().complexity_max;
    for function in file.module.functions.iter().filter(|it| it.complexity > most) {
        let message =
            format!("`{}` has a cyclomatic complexity of {}", function.name, function.complexity);
        sink.at(file, function.name_place, message, format!("Divide it; {most} is the limit."));
    }
}

fn maintainability(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let least = subject.limits().maintainability_min;
    let index = file.module.metrics.maintainability_percent();
    if index < f64::from(least) {
        let message = format!("`{}` has a maintainability index of {index:.1} of 100", file.path);
        sink.whole_file(&file.path, message, format!("Divide the file; {least} is the limit."));
    }
}

fn volume(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let volume = file.module.metrics.halstead.volume();
    if volume > VOLUME_MAX {
        let message = format!("`{}` has a Halstead volume of {volume:.0}", file.path);
        sink.whole_file(&file.path, message, format!("Divide it; {VOLUME_MAX} is the limit."));
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

/// How many of some are so, in percent; `None` of none.
fn percent(all: impl Iterator<Item = bool>) -> Option<(usize, usize, f64)> {
    let all: Vec<bool> = all.collect();
    let so = all.iter().filter(|it| **it).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of definitions in a package")]
    let percent = so as f64 / all.len() as f64 * 100.0;
    (!all.is_empty()).then_some((so, all.len(), percent))
}

/// Reports a share of a package, or of a file that stands for itself, that is too small.
fn share(
    subject: &Subject,
    (so, of, percent): (usize, usize, f64),
    least: u32,
    what: &str,
    sink: &mut Sink<'_>,
) {
    if percent >= f64::from(least) {
        return;
    }
    let message = format!("{so} of {of} {what}");
    let help = format!("{least} % are wanted.");
    match (subject.contract(), subject.sources()) {
        (None, [file]) => sink.whole_file(&file.path, message, help),
        _ => sink.package(message, help),
    }
}

fn documentation(subject: &Subject, sink: &mut Sink<'_>) {
    let files = subject.production().filter(|file| file.module.is_valid());
    let all = files.flat_map(documented).map(|(_, _, has)| has);
    let least = subject.limits().documented_percent_min;
    if let Some(found) = percent(all) {
        share(subject, found, least, "public things have a docstring", sink);
    }
}

fn type_coverage(subject: &Subject, sink: &mut Sink<'_>) {
    let files = subject.production().filter(|file| file.module.is_valid());
    let functions = files.flat_map(|file| &file.module.functions);
    let all = functions.flat_map(|function| {
        // `self` and `cls` have no type of their own
        let own = usize::from(function.site.class.is_some());
        let parameters = function.parameters.iter().skip(own).map(|it| it.annotation.is_some());
        parameters.chain(std::iter::once(function.returns.is_some()))
    });
    if let Some(found) = percent(all) {
        let least = subject.limits().typed_percent_min;
        share(subject, found, least, "parameters and results have a type", sink);
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
        if is_exempt {
            continue;
        }
        let message = format!("the import `{}` is not used", import.bound);
        match lone_statement(file, import) {
            Some(line) => sink.mend(file, import.place, (message, "Remove it."), (line, "")),
            None => sink.at(file, import.place, message, "Remove it."),
        }
    }
}

/// The lines of an import statement that imports nothing else, and that can go: not the only
/// statement of a block.
fn lone_statement(file: &SourceFile, import: &Import) -> Option<Place> {
    let module = &file.module;
    let line = module.line_place(module.line(import.place));
    let text = module.text(line);
    let is_whole = text.starts_with("import ") || text.starts_with("from ");
    let is_simple = !text.contains([',', ';', '(', '\\', '#']);
    let end = line.end + u32::from(module.source().len() > line.end as usize);
    (is_whole && is_simple).then_some(Place { start: line.start, end })
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
