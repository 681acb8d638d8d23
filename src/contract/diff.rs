//! What changed between two versions of a contract, whom it breaks, and the version step it asks
//! for. Compares normal forms: layout and spelling do not count. Pure.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::model::{Contract, Version};
use crate::finding::Span;

mod behaviour;
mod fields;
mod rest;

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Nobody: texts for people.
    Cosmetic,
    /// Who reads on finds what was there, and more.
    Compatible,
    /// Who relied on the old form fails.
    Breaking,
}

/// A step of a semantic version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// None at all.
    None,
    /// The third number.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

impl Step {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whom it concerns.
    pub impact: Impact,
    /// The part of the normal form, such as `input.amount`.
    pub path: String,
    /// What changed, half a sentence.
    pub message: String,
    /// Its place in the old contract, where it was there.
    pub old: Option<Span>,
    /// Its place in the new contract, where it is there.
    pub new: Option<Span>,
}

/// All changes, and what they ask of the version.
#[derive(Debug, Clone)]
pub struct Diff {
    /// The changes, those that break first.
    pub changes: Vec<Change>,
    /// The step that the changes ask for.
    pub demanded: Step,
    /// The step that `contract_version` took; `None` when it went back.
    pub taken: Option<Step>,
}

impl Diff {
    /// Whether the version took the step that the changes ask for.
    pub fn is_enough(&self) -> bool {
        self.taken.is_some_and(|taken| taken >= self.demanded)
    }
}

/// Compares the old form of a contract with the new one.
pub fn diff(old: &Contract, new: &Contract) -> Diff {
    let mut changes = Changes::default();
    rest::identity(old, new, &mut changes);
    fields::models(old, new, &mut changes);
    behaviour::behaviour(old, new, &mut changes);
    rest::sections(old, new, &mut changes);
    rest::other_keys(old, new, &mut changes);
    let mut changes = changes.found;
    changes.sort_by_key(|it| std::cmp::Reverse(it.impact));
    let worst = changes.first().map(|it| it.impact);
    Diff { demanded: demanded(worst, old.version), taken: taken(old.version, new.version), changes }
}

/// Before 1.0.0 the second number stands for breaking changes.
fn demanded(worst: Option<Impact>, version: Version) -> Step {
    match (worst, version.major) {
        (None, _) => Step::None,
        (Some(Impact::Cosmetic), _) | (Some(Impact::Compatible), 0) => Step::Patch,
        (Some(Impact::Compatible), _) | (Some(Impact::Breaking), 0) => Step::Minor,
        (Some(Impact::Breaking), _) => Step::Major,
    }
}

fn taken(old: Version, new: Version) -> Option<Step> {
    if new < old {
        return None;
    }
    Some(if new.major > old.major {
        Step::Major
    } else if new.minor > old.minor {
        Step::Minor
    } else if new.patch > old.patch {
        Step::Patch
    } else {
        Step::None
    })
}

/// A thing with a name and a place.
trait Named {
    fn name(&self) -> &str;
    fn span(&self) -> Option<Span>;
}

/// Takes changes.
#[derive(Debug, Default)]
struct Changes {
    found: Vec<Change>,
}

impl Changes {
    fn add(
        &mut self,
        impact: Impact,
        path: impl Into<String>,
        message: impl Into<String>,
        places: (Option<Span>, Option<Span>),
    ) {
        let (path, message) = (path.into(), message.into());
        self.found.push(Change { impact, path, message, old: places.0, new: places.1 });
    }

    /// A text for people that changed.
    fn text(
        &mut self,
        path: &str,
        old: Option<&str>,
        new: Option<&str>,
        places: (Option<Span>, Option<Span>),
    ) {
        if old.unwrap_or_default().trim() != new.unwrap_or_default().trim() {
            self.add(Impact::Cosmetic, path, "the description changed", places);
        }
    }

    /// A value that changed from one thing to another.
    fn value<T: PartialEq + std::fmt::Display>(
        &mut self,
        impact: Impact,
        path: &str,
        old: &Option<T>,
        new: &Option<T>,
        places: (Option<Span>, Option<Span>),
    ) {
        let shown = |it: &Option<T>| match it {
            Some(value) => super::notes::shown(&value.to_string()),
            None => "nothing".to_owned(),
        };
        if old != new {
            self.add(impact, path, format!("{} became {}", shown(old), shown(new)), places);
        }
    }

    /// Compares lists of named things: what is gone, what is new, and what is in both. Of namesakes
    /// the first belongs to the first, the second to the second.
    fn named<'a, T: Named>(
        &mut self,
        path: &str,
        (old, new): (&'a [T], &'a [T]),
        gone: impl Fn(&T) -> Impact,
        added: impl Fn(&T) -> Impact,
        mut both: impl FnMut(&mut Self, &str, &'a T, &'a T),
    ) {
        let (before, after) = (numbered(old), numbered(new));
        let others: HashMap<(&str, usize), &T> = after.iter().copied().collect();
        for (key, it) in &before {
            let here = format!("{path}.{}", it.name());
            match others.get(key) {
                None => self.add(gone(it), here, "is gone", (it.span(), None)),
                Some(other) => both(self, &here, it, other),
            }
        }
        let known: HashSet<(&str, usize)> = before.iter().map(|(key, _)| *key).collect();
        for (_, it) in after.iter().filter(|(key, _)| !known.contains(key)) {
            let here = format!("{path}.{}", it.name());
            self.add(added(it), here, "is new", (None, it.span()));
        }
    }
}

/// Each with its name, and how many of that name stand before it.
fn numbered<T: Named>(list: &[T]) -> Vec<((&str, usize), &T)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let number = |it| {
        let count = counts.entry(T::name(it)).or_default();
        *count += 1;
        ((T::name(it), *count), it)
    };
    list.iter().map(number).collect()
}

/// A name without a place of its own.
struct Word<'a>(&'a str);

impl Named for Word<'_> {
    fn name(&self) -> &str {
        self.0
    }

    fn span(&self) -> Option<Span> {
        None
    }
}

/// Names as named things.
fn words(list: &[String]) -> Vec<Word<'_>> {
    list.iter().map(|it| Word(it)).collect()
}

#[cfg(test)]
mod tests;
