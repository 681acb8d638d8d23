//! Who may be read by whom: the names of steps, items and parameters in each part of a definition,
//! and which of them come from outside a list that is worked through item by item.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::nearest;

/// Where a step that is read has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workflow) enum Source {
    /// In the same plan: it is waited for.
    Here(String),
    /// In a plan around it: it has ended.
    Outer(String),
}

impl Source {
    /// The step.
    pub(in crate::workflow) fn name(&self) -> &str {
        match self {
            Self::Here(name) | Self::Outer(name) => name,
        }
    }

    /// The step, if it must be waited for.
    pub(super) fn here(&self) -> Option<&str> {
        match self {
            Self::Here(name) => Some(name),
            Self::Outer(_) => None,
        }
    }
}

/// A part of a definition with names of its own.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// What the names of its steps begin with in the plan.
    pub(super) prefix: String,
    /// Full names of its steps by their own.
    pub(super) names: BTreeMap<String, String>,
    /// The lists whose insides have steps of these names, which nobody outside can read.
    pub(super) inside: BTreeMap<String, String>,
    /// What an item is called, if this is the inside of a list; else it is a workflow.
    pub(super) item: Option<String>,
    /// Steps outside that its steps read, with the frame that they are in.
    pub(super) captures: BTreeMap<String, usize>,
    /// Parameters of the workflow.
    pub(super) parameters: BTreeSet<String>,
    /// The step that gives the parameters; `None`: the run does.
    pub(super) parameters_from: Option<String>,
}

/// The frames around the place that is being looked at, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) frames: Vec<Frame>,
}

impl Names {
    /// The step that a name means here. It is noted as captured where it is read from inside a
    /// list.
    pub(super) fn find(&mut self, name: &str) -> Option<Source> {
        let mut inside = Vec::new();
        for at in (0..self.frames.len()).rev() {
            let frame = self.frames.get(at)?;
            if let Some(full) = frame.names.get(name).cloned() {
                let is_here = inside.is_empty();
                for frame in inside {
                    if let Some(frame) = self.frames.get_mut::<usize>(frame) {
                        frame.captures.insert(full.clone(), at);
                    }
                }
                return Some(if is_here { Source::Here(full) } else { Source::Outer(full) });
            }
            frame.item.as_ref()?; // a workflow does not see the steps of the one that calls it
            inside.push(at);
        }
        None
    }

    /// A name near one that is not known.
    pub(super) fn near(&self, name: &str) -> Option<&str> {
        nearest(name, self.visible().flat_map(|it| it.names.keys().map(String::as_str)))
    }

    /// The list around the step of this name, which is not to be seen from here.
    pub(super) fn list_around(&self, name: &str) -> Option<&str> {
        self.visible().find_map(|it| it.inside.get(name).map(String::as_str))
    }

    /// The workflow that the place is in.
    pub(super) fn workflow(&self) -> Option<&Frame> {
        self.visible().last()
    }

    /// What items are called here.
    pub(super) fn items(&self) -> impl Iterator<Item = &str> {
        self.visible().filter_map(|it| it.item.as_deref())
    }

    /// The innermost frame.
    pub(super) fn here(&self) -> Option<&Frame> {
        self.frames.last()
    }

    /// The frames up to that of the workflow, the innermost first.
    fn visible(&self) -> impl Iterator<Item = &Frame> {
        let mut ended = false;
        self.frames.iter().rev().take_while(move |it| {
            let is_in = !ended;
            ended |= it.item.is_none();
            is_in
        })
    }
}

/// Whether a text is a name: a letter or underscore, then letters, digits and underscores.
pub(super) fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|it| it.is_ascii_alphabetic() || it == '_')
        && letters.all(|it| it.is_ascii_alphanumeric() || it == '_')
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_inside_of_a_list_sees_what_is_around_it_and_a_called_workflow_does_not() {
        let frame = |names: &[&str], item: Option<&str>| Frame {
            names: names.iter().map(|it| ((*it).to_owned(), format!("p/{it}"))).collect(),
            item: item.map(str::to_owned),
            ..Frame::default()
        };
        let frames = vec![
            frame(&["caller"], None),
            frame(&["a", "b"], None),
            frame(&["b"], Some("x")),
            frame(&["fetch"], Some("y")),
        ];
        let mut names = Names { frames };
        assert_eq!(names.find("fetch"), Some(Source::Here("p/fetch".to_owned())));
        assert_eq!(names.find("b"), Some(Source::Outer("p/b".to_owned())));
        assert_eq!(names.find("a"), Some(Source::Outer("p/a".to_owned())));
        assert_eq!(names.find("caller"), None);
        assert_eq!(names.near("fecth"), Some("fetch"));
        assert_eq!(names.items().collect::<Vec<_>>(), ["y", "x"]);
        let captures =
            |at: usize| names.frames[at].captures.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(captures(3), [("p/a".to_owned(), 1), ("p/b".to_owned(), 2)]);
        assert_eq!(captures(2), [("p/a".to_owned(), 1)]);
    }

    #[test]
    fn names_are_like_those_of_variables() {
        for good in ["a", "_", "fetch_2", "Ab"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "2a", "a-b", "a.b", "a/b", "ä", "a b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
