//! Values that steps share: each step sees what the steps before it have set, merged by the rule of
//! the value, and nothing of steps beside it. So what a step sees does not depend on which of two
//! parallel steps was faster, and it is the same again when a run is resumed. Pure.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::composition::{Access, Merge, Variable};

/// That a step has set a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    /// Which value, by its number in the workflow.
    pub(super) variable: usize,
    /// Name of the value.
    pub(super) name: String,
    /// What it was set to.
    pub(super) value: Json,
    /// The step that did it.
    pub(super) step: String,
    /// The items of the lists that it was done for, the outermost first.
    pub(super) items: Vec<usize>,
}

impl Update {
    /// The step, with its items: `each/double[3]`.
    pub(super) fn writer(&self) -> String {
        let items: String = self.items.iter().map(|it| format!("[{it}]")).collect();
        format!("{}{items}", self.step)
    }
}

/// A value that is declared, with its place in the workflow.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) variable: Variable,
    /// The block that declares it.
    pub(super) block: usize,
}

impl Declared {
    /// Whether a step in `block`, itself inside `outer` blocks, may read it.
    pub(super) fn may_read(&self, block: usize, outer: &[usize]) -> bool {
        match self.variable.scope {
            Access::Local => self.block == block,
            Access::Global | Access::Inherited | Access::Shared => {
                self.block == block || outer.contains(&self.block)
            }
        }
    }

    /// Why a step in `block` may not set it, if so.
    pub(super) fn refusal(&self, block: usize) -> Option<&'static str> {
        match self.variable.scope {
            Access::Global => Some("it is global: its initial value stands"),
            Access::Local | Access::Inherited if self.block != block => {
                Some("only steps of the block that declares it may")
            }
            Access::Local | Access::Inherited | Access::Shared => None,
        }
    }
}

/// The updates before the one at a place that it does not follow, as ranges that rise and are not
/// empty: of those it does follow, it is the one that counts.
pub(super) type Beside<'a> = &'a dyn Fn(usize) -> Vec<Range<usize>>;

/// What a value is after updates, which come in the order of the plan.
///
/// # Errors
/// Two updates that cannot both count, or one that the rule cannot merge; the message names the
/// writers.
pub(super) fn merged(
    declared: &Declared,
    updates: &[&Update],
    beside: Beside<'_>,
) -> Result<Json, String> {
    let rule = declared.variable.merge;
    let mut value = declared.variable.initial.clone();
    match rule {
        Merge::Replace => value = replaced(declared, value, updates, beside)?,
        Merge::Sum | Merge::Min | Merge::Max => {
            for update in updates {
                value = number(rule, &value, update)?;
            }
        }
        Merge::Append => {
            let mut items = match value {
                Json::Array(items) => items,
                Json::Null => Vec::new(),
                other => vec![other],
            };
            items.extend(updates.iter().map(|it| it.value.clone()));
            value = Json::Array(items);
        }
        Merge::Union => value = Json::Object(union(declared, value, updates, beside)?),
    }
    Ok(value)
}

/// The last update, if each says the same as all that it does not follow.
fn replaced(
    declared: &Declared,
    initial: Json,
    updates: &[&Update],
    beside: Beside<'_>,
) -> Result<Json, String> {
    // per update, the first of those up to it that all say the same
    let mut same_from: Vec<usize> = Vec::with_capacity(updates.len());
    let value = |at: usize| updates.get(at).map(|it| &it.value);
    for (at, update) in updates.iter().enumerate() {
        let differs = |it: &usize| value(*it) != Some(&update.value);
        for mut range in beside(at) {
            let last = range.end - 1;
            let all_same = same_from.get(last).is_some_and(|it| *it <= range.start);
            if all_same && !differs(&last) {
                continue;
            }
            if let Some(other) = range.find(differs).and_then(|it| updates.get(it)) {
                return Err(conflict(&declared.name, other, update));
            }
        }
        let before = at.checked_sub(1).filter(|it| !differs(it));
        same_from.push(before.and_then(|it| same_from.get(it).copied()).unwrap_or(at));
    }
    Ok(updates.last().map_or(initial, |it| it.value.clone()))
}

fn conflict(name: &str, one: &Update, other: &Update) -> String {
    let (one, other) = (one.writer(), other.writer());
    format!(
        "`{one}` and `{other}` set `{name}` to different values, and neither waits for the other"
    )
}

/// Numbers stay whole as long as both are.
fn number(rule: Merge, value: &Json, update: &Update) -> Result<Json, String> {
    if value.is_null() && update.value.is_number() {
        return Ok(update.value.clone());
    }
    let no_number = || {
        let (writer, name) = (update.writer(), &update.name);
        format!("`{writer}` sets `{name}` to {}, and only numbers can be merged", update.value)
    };
    if let (Some(a), Some(b)) = (value.as_i64(), update.value.as_i64()) {
        return Ok(match rule {
            Merge::Sum => match a.checked_add(b) {
                Some(sum) => sum.into(),
                None => (a as f64 + b as f64).into(),
            },
            Merge::Min => a.min(b).into(),
            _ => a.max(b).into(),
        });
    }
    let (Some(a), Some(b)) = (value.as_f64(), update.value.as_f64()) else {
        return Err(no_number());
    };
    Ok(match rule {
        Merge::Sum => a + b,
        Merge::Min => a.min(b),
        _ => a.max(b),
    }
    .into())
}

fn union(
    declared: &Declared,
    initial: Json,
    updates: &[&Update],
    beside: Beside<'_>,
) -> Result<Map<String, Json>, String> {
    let mut all = match initial {
        Json::Object(all) => all,
        _ => Map::new(),
    };
    // per key, the updates that set it
    let mut set_by: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, update) in updates.iter().enumerate() {
        let Json::Object(entries) = &update.value else {
            let (writer, name) = (update.writer(), &update.name);
            return Err(format!("`{writer}` sets `{name}` to {}, no mapping", update.value));
        };
        for (key, value) in entries {
            let setters = set_by.entry(key).or_default();
            if !setters.is_empty() && all.get(key) != Some(value) {
                let first_in = |range: Range<usize>| {
                    let first = setters.get(setters.partition_point(|it| *it < range.start))?;
                    updates.get(*first).filter(|_| range.contains(first))
                };
                if let Some(other) = beside(at).into_iter().find_map(first_in) {
                    return Err(conflict(&format!("{}.{key}", declared.name), other, update));
                }
            }
            all.insert(key.clone(), value.clone());
            setters.push(at);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
