//! What a caller changes of a workflow: settings of its steps, by their names, in the place of
//! those in its file. `with` and `set` are changed name by name; with another component, `with` is
//! all that this one is given. Expressions mean what they mean to the step.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::super::composition::{Call, Composition, Definition, Overrides};
use super::{Lowering, Problem};
use crate::error::nearest;

/// A place in a called workflow that says what its caller says.
pub(super) struct Moved {
    from: String,
    to: String,
    /// Whether what is inside of the place has moved, too.
    deep: bool,
}

impl Moved {
    /// Where a place of the called workflow stands with the caller.
    pub(super) fn place(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.from.as_str())?;
        let is_inside = rest.is_empty() || (self.deep && rest.starts_with('/'));
        is_inside.then(|| format!("{}{rest}", self.to))
    }
}

impl Lowering<'_> {
    /// Changes a called workflow as its caller says; gives the places that were changed.
    pub(super) fn override_steps(
        &mut self,
        definition: &mut Definition,
        call: &Call,
        uri: &str,
        path: &str,
    ) -> Vec<Moved> {
        let (mut moved, mut problems) = (Vec::new(), Vec::new());
        let (mut seen, mut used) = (BTreeSet::new(), BTreeSet::new());
        each(&mut definition.steps, "/steps", &mut |part, place| {
            let name = part.name().to_owned();
            if let Some(settings) = call.overrides.get(&name) {
                let to = format!("{path}/override/{name}");
                match overridden(part, settings) {
                    Ok(changed) => {
                        note(&changed, settings, place, &to, &mut moved);
                        *part = changed;
                    }
                    Err(problem) => {
                        problems.push(Problem { path: format!("{to}{}", problem.path), ..problem });
                    }
                }
                used.insert(name.clone());
            }
            seen.insert(name);
        });
        self.problems.extend(problems);
        for name in call.overrides.keys().filter(|it| !used.contains(*it)) {
            let near = nearest(name, seen.iter().map(String::as_str));
            let message = format!("{uri} has no step `{name}`");
            let problem = Problem::new(format!("{path}/override/{name}"), message);
            self.problems.push(problem.with_nearest(near));
        }
        moved
    }
}

/// Visits each composition, with its place.
fn each(all: &mut [Composition], path: &str, visit: &mut dyn FnMut(&mut Composition, &str)) {
    for (at, it) in all.iter_mut().enumerate() {
        one(it, &format!("{path}/{at}"), visit);
    }
}

fn one(it: &mut Composition, path: &str, visit: &mut dyn FnMut(&mut Composition, &str)) {
    let inner = format!("{path}/{}", it.kind());
    visit(it, path);
    match it {
        Composition::Sequential(all)
        | Composition::Parallel(all)
        | Composition::Pipeline(all)
        | Composition::Graph(all) => each(all, &inner, visit),
        Composition::Conditional(it) => {
            each(&mut it.then, &format!("{inner}/then"), visit);
            each(&mut it.otherwise, &format!("{inner}/else"), visit);
        }
        Composition::Tree(it) => {
            one(&mut it.root, &format!("{inner}/root"), visit);
            each(&mut it.children, &format!("{inner}/children"), visit);
        }
        Composition::ForEach(it) => each(&mut it.steps, &format!("{inner}/do"), visit),
        Composition::Scope(it) => each(&mut it.steps, &format!("{inner}/steps"), visit),
        Composition::Workflow(_) | Composition::Step(_) => {}
    }
}

/// A step or a call with other settings.
fn overridden(part: &Composition, settings: &Map<String, Json>) -> Result<Composition, Problem> {
    let is_call = matches!(part, Composition::Workflow(_));
    if let Some(key) = settings.keys().find(|key| match key.as_str() {
        "name" => true,
        "with" => false,
        "override" => !is_call,
        _ => is_call,
    }) {
        let problem = Problem::new(format!("/{key}"), format!("`{key}` cannot be changed here"));
        return Err(problem.with_hint(match is_call {
            true => "Of a workflow that is called, `with` and `override` can.",
            false => "Of a step, anything but its name can.",
        }));
    }
    let wrong = |error: serde_json::Error| Problem::new("", error.to_string());
    let change = |json: serde_json::Result<Json>| -> Result<Json, Problem> {
        let mut json = json.map_err(wrong)?;
        if let Json::Object(base) = &mut json {
            lay_over(base, settings);
        }
        Ok(json)
    };
    match part {
        Composition::Step(it) => {
            let changed = serde_json::from_value(change(serde_json::to_value(it))?);
            Ok(Composition::Step(Box::new(changed.map_err(wrong)?)))
        }
        Composition::Workflow(it) => {
            let changed = serde_json::from_value(change(serde_json::to_value(it))?);
            Ok(Composition::Workflow(Box::new(changed.map_err(wrong)?)))
        }
        other => {
            let message = format!("`{}` is a {}, no step", other.name(), other.kind());
            let hint = "Change the steps inside of it, by their names.";
            Err(Problem::new("", message).with_hint(hint))
        }
    }
}

/// Lays settings over others.
fn lay_over(base: &mut Map<String, Json>, settings: &Map<String, Json>) {
    for (key, value) in settings {
        let by_name = match key.as_str() {
            "set" | "override" => true,
            "with" => !settings.contains_key("use"),
            _ => false,
        };
        match (base.get_mut(key), value) {
            (Some(Json::Object(base)), Json::Object(settings)) if by_name => {
                for (name, value) in settings {
                    match (base.get_mut(name), value) {
                        (Some(Json::Object(base)), Json::Object(value)) if key == "override" => {
                            lay_over(base, value);
                        }
                        _ => drop(base.insert(name.clone(), value.clone())),
                    }
                }
            }
            _ => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

/// Notes which places of a changed composition say what its caller says.
fn note(
    changed: &Composition,
    settings: &Overrides,
    place: &str,
    to: &str,
    moved: &mut Vec<Moved>,
) {
    let inside = match changed {
        Composition::Workflow(_) => format!("{place}/workflow"),
        _ => place.to_owned(),
    };
    for (key, value) in settings {
        let (from, to) = (format!("{inside}/{key}"), format!("{to}/{key}"));
        match value {
            Json::Object(names) if matches!(key.as_str(), "with" | "set" | "override") => {
                moved.extend(names.keys().map(|name| {
                    let (from, to) = (format!("{from}/{name}"), format!("{to}/{name}"));
                    Moved { from, to, deep: true }
                }));
            }
            _ => moved.push(Moved { from, to, deep: true }),
        }
    }
    // what another component misses
    if settings.contains_key("use") {
        moved.push(Moved { from: place.to_owned(), to: to.to_owned(), deep: false });
    }
}
