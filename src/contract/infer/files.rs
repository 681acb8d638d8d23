//! The Python files that an inference reads: the one that was asked for, and those of its package
//! that it leads to. Bounded, and never outside of the package.

use std::collections::BTreeSet;

use super::{PackageFiles, note, warning};
use crate::contract::expression::Expression;
use crate::finding::Finding;
use crate::python::facts::{Assignment, Class};
use crate::python::{self, Module, Place, SIZE_BYTES_MAX};

/// Most files that are read.
const FILES_MAX: usize = 200;

/// Files that are read although nothing imports them.
const ALWAYS: [&str; 4] = ["__init__.py", "error_codes.py", "errors.py", "exceptions.py"];

/// A parsed file.
pub(super) struct Source {
    /// Its path in the package.
    pub(super) path: String,
    pub(super) module: Module,
}

impl Source {
    /// An expression of the file.
    pub(super) fn expression(&self, place: Place) -> Expression {
        Expression::read(self.module.text(place))
    }

    /// A docstring as one line.
    pub(super) fn docstring(&self, place: Option<Place>) -> Option<String> {
        let found = self.expression(place?);
        let line = before_sections(found.text()?).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(line).filter(|it| !it.is_empty())
    }

    /// Assignments in the body of a class, or at the top of the file.
    pub(super) fn assignments(&self, class: Option<u32>) -> impl Iterator<Item = &Assignment> {
        self.module.assignments.iter().filter(move |it| {
            it.is_name
                && it.operator.is_none()
                && it.site.function.is_none()
                && it.site.class == class
        })
    }
}

/// What a docstring says before its sections: a heading behind an empty line whose text is indented
/// (`Attributes:`), or a directive (`.. note::`).
fn before_sections(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let margin = |line: &str| line.len() - line.trim_start().len();
    let heads = |at: usize| {
        let line = lines.get(at).copied().unwrap_or_default();
        let behind = lines.get(at + 1).copied().unwrap_or_default();
        let alone = at > 0 && lines.get(at - 1).is_some_and(|it| it.trim().is_empty());
        let heading = line.trim_end().ends_with(':') && margin(behind) > margin(line);
        line.trim_start().starts_with(".. ") || (alone && heading && !behind.trim().is_empty())
    };
    let end = (0..lines.len()).find(|at| heads(*at)).unwrap_or(lines.len());
    lines.get(..end).unwrap_or_default().join("\n")
}

/// A class in its file.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) source: &'a Source,
    /// Its index in the file.
    pub(super) at: u32,
    pub(super) class: &'a Class,
}

impl<'a> Found<'a> {
    /// The names of its base classes, without modules and type arguments.
    pub(super) fn bases(&self) -> impl Iterator<Item = String> {
        self.class.bases.iter().filter_map(|base| match self.source.expression(*base) {
            Expression::Name(name) | Expression::Index(name, _) | Expression::Call(name, _) => {
                let name = self.source.module.resolve(&name);
                name.rsplit('.').next().map(str::to_owned)
            }
            _ => None,
        })
    }

    /// Its docstring as one line.
    pub(super) fn docstring(&self) -> Option<String> {
        self.source.docstring(self.class.docstring)
    }

    /// Assignments in its body.
    pub(super) fn assignments(&self) -> impl Iterator<Item = &'a Assignment> {
        self.source.assignments(Some(self.at))
    }
}

/// All files of an inference, the one that was asked for first.
pub(super) struct Sources {
    pub(super) all: Vec<Source>,
}

impl Sources {
    /// Reads the file at `start` and what it leads to.
    pub(super) fn load(
        start: &str,
        files: &dyn PackageFiles,
        folder: Option<&str>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, Box<Finding>> {
        let mut it = Self { all: vec![read(start, files)?] };
        let mut seen: BTreeSet<String> = [start.to_owned()].into();
        let listed: BTreeSet<String> = files.paths().into_iter().collect();
        let mut waiting: Vec<String> = ALWAYS.map(str::to_owned).into();
        let parts = |it: &&String| it.starts_with("enums/") || it.starts_with("handlers/");
        waiting.extend(listed.iter().filter(parts).cloned());
        waiting.reverse();
        let first = it.all.first().map(|it| imported(it, folder, &listed)).unwrap_or_default();
        waiting.extend(first.into_iter().rev());
        while let Some(path) = waiting.pop() {
            if !listed.contains(&path) || !seen.insert(path.clone()) {
                continue;
            }
            if it.all.len() >= FILES_MAX {
                let message = format!("only {FILES_MAX} files of the package are read");
                findings.push(warning("contract.infer-files", message));
                break;
            }
            match read(&path, files) {
                Ok(source) => {
                    waiting.extend(imported(&source, folder, &listed).into_iter().rev());
                    it.all.push(source);
                }
                Err(mut finding) => {
                    finding.level = crate::finding::Level::Warning;
                    findings.push(*finding);
                }
            }
        }
        Ok(it)
    }

    /// A class by the name that it has in a file.
    pub(super) fn class<'a>(&'a self, name: &str, from: &Source) -> Option<Found<'a>> {
        let name = name.rsplit('.').next().unwrap_or(name);
        let import = from.module.imports.iter().find(|it| it.bound == name);
        let real = import.and_then(|it| it.member.as_deref()).unwrap_or(name);
        let own = self.all.iter().filter(|it| it.path == from.path && import.is_none());
        own.chain(&self.all).find_map(|source| {
            let at = source.module.classes.iter().position(|it| {
                it.name == real && it.site.function.is_none() && it.site.class.is_none()
            })?;
            let class = source.module.classes.get(at)?;
            Some(Found { source, at: u32::try_from(at).ok()?, class })
        })
    }

    /// All classes at the top of the files.
    pub(super) fn classes(&self) -> impl Iterator<Item = Found<'_>> {
        self.all.iter().flat_map(Source::classes)
    }

    /// Files in which the node's behaviour is written.
    pub(super) fn behaviour(&self) -> impl Iterator<Item = &Source> {
        let own = |it: &&Source| !it.path.starts_with("mixins/") && it.path != "models/repeats.py";
        self.all.iter().filter(own)
    }

    /// The value of a constant at the top of a file.
    pub(super) fn constant(&self, name: &str) -> Option<Expression> {
        self.behaviour().find_map(|source| {
            let named = |it: &&Assignment| source.module.text(it.target) == name;
            let found = source.assignments(None).find(named)?;
            Some(source.expression(found.value?.place))
        })
    }

    /// The value under a key of some dict display.
    pub(super) fn entry(&self, key: &str) -> Option<Expression> {
        self.behaviour().find_map(|source| {
            let named = |it: &&python::facts::Pair| source.module.text(it.key) == key;
            let found = source.module.pairs.iter().find(named)?;
            Some(source.expression(found.value.place))
        })
    }

    /// Names and values of an enum's members, where the class is one.
    pub(super) fn members(&self, of: Found<'_>) -> Option<Vec<(String, Expression)>> {
        let kinds = ["Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"];
        if !of.bases().any(|it| kinds.contains(&it.as_str())) {
            return None;
        }
        let member = |it: &Assignment| {
            let name = of.source.module.text(it.target).to_owned();
            let value = of.source.expression(it.value?.place);
            let automatic = matches!(&value, Expression::Call(call, _) if call.ends_with("auto"));
            let value = if automatic { Expression::Text(name.to_lowercase()) } else { value };
            (!name.starts_with('_')).then_some((name, value))
        };
        Some(of.assignments().filter_map(member).collect())
    }

    /// The value of an enum's member by its dotted name.
    pub(super) fn member(&self, dotted: &str, from: &Source) -> Option<String> {
        let (class, member) = dotted.rsplit_once('.')?;
        let members = self.members(self.class(class, from)?)?;
        let (_, value) = members.into_iter().find(|(name, _)| name == member)?;
        value.text().map(str::to_owned)
    }
}

impl Source {
    /// Classes at the top of the file.
    pub(super) fn classes(&self) -> impl Iterator<Item = Found<'_>> {
        let numbered = (0_u32..).zip(&self.module.classes);
        let top = numbered.filter(|(_, it)| it.site.function.is_none() && it.site.class.is_none());
        top.map(|(at, class)| Found { source: self, at, class })
    }
}

/// Reads and parses one file.
fn read(path: &str, files: &dyn PackageFiles) -> Result<Source, Box<Finding>> {
    let fault = |rule, message: String| {
        let mut finding = note(rule, message).in_file(path);
        finding.level = crate::finding::Level::Error;
        finding
    };
    let unread =
        |it: crate::error::Error| Box::new(fault("contract.infer-file", it.message().to_owned()));
    let bytes = files.read(path, SIZE_BYTES_MAX as u64).map_err(unread)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("the file is not UTF-8: byte {at} begins no character");
        Box::new(fault("contract.infer-file", message).with_help("save it as UTF-8"))
    })?;
    let module = python::parse(&text);
    if let Some(problem) = module.problems.first() {
        let message = format!("the file is no Python 3: {}", problem.message);
        let finding = fault("contract.infer-file", message).at(module.span(problem.place));
        return Err(Box::new(finding));
    }
    Ok(Source { path: path.to_owned(), module })
}

/// Files of the package that a file's imports lead to: relative ones, and absolute ones that name
/// the package's folder.
fn imported(source: &Source, folder: Option<&str>, listed: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for import in &source.module.imports {
        let names = import.module.split('.').filter(|it| !it.is_empty());
        let mut parts: Vec<&str> = if import.level > 0 {
            let mut parts: Vec<&str> = source.path.split('/').collect();
            let up = usize::try_from(import.level).unwrap_or(usize::MAX);
            let Some(kept) = parts.len().checked_sub(up) else { continue }; // outside
            parts.truncate(kept);
            parts
        } else {
            Vec::new()
        };
        if import.level > 0 {
            parts.extend(names);
        } else {
            let inside = names.skip_while(|it| Some(*it) != folder).skip(1);
            parts.extend(inside);
            if parts.is_empty() {
                continue;
            }
        }
        let base = parts.join("/");
        let below = |name: &str| {
            if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") }
        };
        let member = import.member.as_ref().map(|it| below(&format!("{it}.py")));
        let paths = [Some(format!("{base}.py")), Some(below("__init__.py")), member];
        found.extend(paths.into_iter().flatten().filter(|it| listed.contains(it)));
    }
    found
}
