//! Which steps set values of the state, and which of them come before which step. Takes time in
//! proportion to the steps and what they wait for, as long as a plan was written from top to
//! bottom.
#![allow(clippy::indexing_slicing, reason = "one entry per draft, and per writer, of one plan")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::composition::Merge;
use super::super::ranges::Ranges;
use super::super::seen::{Seen, Setters};
use super::super::state::Declared;
use super::draft::Draft;

/// The drafts of a plan that set values, numbered in the order of the plan.
pub(super) struct Writers {
    /// Per draft, the writers before it.
    before: Vec<Arc<Ranges>>,
    /// Per value, its writers.
    of_value: BTreeMap<usize, OfValue>,
}

#[derive(Default)]
struct OfValue {
    /// Their numbers, rising.
    writers: Vec<usize>,
    setters: Arc<Setters>,
}

impl Writers {
    /// `declared` has the values by their numbers.
    pub(super) fn of(drafts: &[Draft], declared: &[Arc<Declared>]) -> Self {
        let mut before = vec![Arc::<Ranges>::default(); drafts.len()];
        let mut of_value = BTreeMap::<usize, OfValue>::new();
        if drafts.iter().all(|it| it.reads.state.is_empty()) {
            return Self { before, of_value };
        }
        let places: HashMap<&str, usize> =
            drafts.iter().enumerate().map(|(at, it)| (it.name.as_str(), at)).collect();
        // the draft of each writer, and of each draft its number
        let (mut writers, mut numbers) = (Vec::new(), HashMap::new());
        for at in in_order(drafts, &places) {
            let waits = drafts[at].depends_on.iter();
            let waits = waits.filter_map(|it| places.get(it.as_str()).copied());
            before[at] = all_before(waits, &before, &numbers);
            let sets: BTreeSet<usize> = drafts[at].sets().collect();
            if sets.is_empty() {
                continue;
            }
            for number in sets {
                of_value.entry(number).or_default().writers.push(writers.len());
            }
            numbers.insert(at, writers.len());
            writers.push(at);
        }
        for (number, it) in &mut of_value {
            let names = it.writers.iter().map(|at| drafts[writers[*at]].name.clone()).collect();
            // of numbers and lists it does not matter which one is later
            let rule = declared.get(*number).map(|it| it.variable.merge);
            let matters = matches!(rule, Some(Merge::Replace | Merge::Union));
            let ordered = it.writers.iter().filter(|_| matters);
            let before = ordered.map(|at| before[writers[*at]].among(&it.writers)).collect();
            it.setters = Arc::new(Setters { names, before });
        }
        Self { before, of_value }
    }

    /// A value as the draft at a place sees it.
    pub(super) fn seen(&self, number: usize, declared: Arc<Declared>, at: usize) -> Seen {
        let (setters, before) = match self.of_value.get(&number) {
            Some(it) => (Arc::clone(&it.setters), self.before[at].among(&it.writers)),
            None => Default::default(),
        };
        Seen { number, declared, setters, before }
    }
}

/// The writers among some drafts, and all before them.
fn all_before(
    drafts: impl Iterator<Item = usize>,
    before: &[Arc<Ranges>],
    numbers: &HashMap<usize, usize>,
) -> Arc<Ranges> {
    let (mut ranges, mut only, mut count) = (Vec::new(), None, 0);
    for at in drafts {
        let number = numbers.get(&at);
        only = number.is_none().then_some(at);
        count += 1;
        ranges.extend(before[at].iter().chain(number.map(|it| *it..*it + 1)));
    }
    match only {
        Some(at) if count == 1 => Arc::clone(&before[at]),
        _ => Arc::new(Ranges::of(ranges)),
    }
}

/// Drafts so that each comes after those that it waits for; those of a circle are left out.
fn in_order(drafts: &[Draft], places: &HashMap<&str, usize>) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); drafts.len()];
    let mut open = vec![0_usize; drafts.len()];
    for (at, draft) in drafts.iter().enumerate() {
        for other in draft.depends_on.iter().filter_map(|it| places.get(it.as_str())) {
            dependents[*other].push(at);
            open[at] += 1;
        }
    }
    let mut free: BTreeSet<usize> = (0..drafts.len()).filter(|it| open[*it] == 0).collect();
    let mut order = Vec::with_capacity(drafts.len());
    while let Some(at) = free.pop_first() {
        order.push(at);
        for dependent in &dependents[at] {
            open[*dependent] -= 1;
            if open[*dependent] == 0 {
                free.insert(*dependent);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests;
