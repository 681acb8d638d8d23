//! Steps checked and put in order: a graph without cycles, its stages, and how urgent each step is.
//! Pure: no IO, no clock, no randomness; the same steps give the same plan.
#![allow(clippy::indexing_slicing, reason = "indices below `len` are made here and nowhere else")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fmt;

use super::component::{Component, Lane};
use super::policy::OnFailure;
use super::step::Step;
use crate::error::{Error, Result, nearest};
use crate::event::{Estimates, Text};

/// Most steps of a plan.
pub const STEPS_MAX: usize = 100_000;

/// Steps in an order in which each comes after everything it depends on; among steps that could
/// come next, the one written first. An index below is a place in this order.
#[derive(Debug)]
pub struct Plan {
    nodes: Vec<Node>,
    by_name: HashMap<String, usize>,
    resources: Vec<String>,
    stages: usize,
}

/// A step with what the engine needs at hand for each of its attempts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) step: Step,
    pub(super) name: Text,
    pub(super) component: Text,
    pub(super) version: Text,
    /// Where the component works.
    pub(super) lane: Lane,
    pub(super) fallback: Option<Other>,
    pub(super) undo: Option<Other>,
    /// Names of the dependencies, comma-separated.
    pub(super) depends_on: Text,
    pub(super) dependencies: Box<[usize]>,
    pub(super) dependents: Box<[usize]>,
    pub(super) stage: usize,
    /// Where the step queues: [`FREE`], [`PLAIN`], or [`FIRST_RESOURCE`] and the number of its
    /// resource.
    pub(super) slot: usize,
    /// Expected time from the step's start to the end of the longest chain that begins with it.
    pub(super) remaining: i64,
    /// Of ready steps the one with the most is next: its remaining time, unless someone knows
    /// better.
    pub(super) urgency: i64,
}

/// What is at hand of a further component of a step.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) name: Text,
    pub(super) version: Text,
    pub(super) lane: Lane,
}

/// Slot of the steps that need no place.
pub(super) const FREE: usize = 0;
/// Slot of the steps that need no resource.
pub(super) const PLAIN: usize = 1;
/// Slot of the first resource.
pub(super) const FIRST_RESOURCE: usize = 2;

/// Something that keeps steps from being a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanProblem {
    /// Place of the step, as it was written, from 0.
    pub step: usize,
    /// What is wrong, naming the step.
    pub message: String,
    /// The next step, if there is an obvious one.
    pub hint: Option<String>,
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Plan {
    /// Checks the steps and orders them. An `Invalid` error names the first problem and says how
    /// many more there are; [`Plan::problems`] has them all.
    pub fn new(steps: Vec<Step>) -> Result<Self> {
        if steps.is_empty() {
            return Err(Error::invalid("a plan needs at least one step"));
        }
        if steps.len() > STEPS_MAX {
            let message = format!("{} steps are more than a plan may have", steps.len());
            return Err(Error::invalid(message).with_hint(format!("At most {STEPS_MAX} fit.")));
        }
        let names = names(&steps);
        let mut problems = misnomers(&steps, &names);
        let dependencies = dependencies(&steps, &names);
        let order = topological_order(&dependencies);
        if problems.is_empty() {
            problems.extend(cycle(&steps, &dependencies, &order));
        }
        if let Some(first) = problems.first() {
            let more = match problems.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let error = Error::invalid(format!("{first}{more}"));
            return Err(match &first.hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        }
        Ok(Self::assemble(steps, &dependencies, &order))
    }

    /// Everything that keeps `steps` from being a plan: names that are empty, double or unknown,
    /// and cycles.
    pub fn problems(steps: &[Step]) -> Vec<PlanProblem> {
        let names = names(steps);
        let mut problems = misnomers(steps, &names);
        if problems.is_empty() {
            let dependencies = dependencies(steps, &names);
            let order = topological_order(&dependencies);
            problems.extend(cycle(steps, &dependencies, &order));
        }
        problems
    }

    fn assemble(steps: Vec<Step>, dependencies: &[Vec<usize>], order: &[usize]) -> Self {
        let mut place = vec![0; steps.len()];
        for (at, &written) in order.iter().enumerate() {
            place[written] = at;
        }
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
        let mut sorted: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        let (mut nodes, mut resources) = (Vec::<Node>::with_capacity(order.len()), Vec::new());
        for (at, &written) in order.iter().enumerate() {
            let Some(step) = sorted[written].take() else { continue };
            let mut before: Vec<usize> = dependencies[written].iter().map(|&d| place[d]).collect();
            before.sort_unstable();
            before.iter().for_each(|&dependency| dependents[dependency].push(at));
            let stage = before.iter().map(|&d| nodes[d].stage + 1).max().unwrap_or(0);
            nodes.push(Node::new(step, before, stage, &mut resources));
        }
        for (node, dependents) in nodes.iter_mut().zip(dependents) {
            node.dependents = dependents.into();
        }
        let by_name =
            nodes.iter().enumerate().map(|(at, node)| (node.step.name.clone(), at)).collect();
        let stages = nodes.iter().map(|node| node.stage + 1).max().unwrap_or(0);
        let mut plan = Self { nodes, by_name, resources, stages };
        plan.prioritise(&vec![1; plan.len()]);
        plan
    }

    /// Sets how urgent each step is from expected durations; without them every step counts as
    /// one. A step whose duration nobody knows counts as the mean of the known ones.
    #[must_use]
    pub fn with_estimates(mut self, estimates: &dyn Estimates) -> Self {
        let known: Vec<Option<i64>> = self
            .nodes
            .iter()
            .map(|node| estimates.estimate_ns(&node.name).map(|ns| ns.max(0)))
            .collect();
        let (count, sum) = known
            .iter()
            .flatten()
            .fold((0_i64, 0_i128), |(count, sum), &ns| (count + 1, sum + i128::from(ns)));
        if count > 0 {
            let mean = i64::try_from(sum / i128::from(count)).unwrap_or(i64::MAX);
            let durations: Vec<i64> = known.into_iter().map(|ns| ns.unwrap_or(mean)).collect();
            self.prioritise(&durations);
        }
        self
    }

    fn prioritise(&mut self, durations: &[i64]) {
        for at in (0..self.nodes.len()).rev() {
            let after = self.nodes[at].dependents.iter().map(|&d| self.nodes[d].remaining).max();
            self.nodes[at].remaining = durations[at].saturating_add(after.unwrap_or(0));
            self.nodes[at].urgency = self.nodes[at].remaining;
        }
    }

    /// Sets how urgent each step is; `urgency` has one number per step.
    pub(super) fn with_urgency(mut self, urgency: &[i64]) -> Self {
        self.nodes.iter_mut().zip(urgency).for_each(|(node, &urgency)| node.urgency = urgency);
        self
    }

    /// How many steps.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a plan has steps.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.nodes.iter().map(|node| &node.step)
    }

    /// The index of the step with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Name of a step; empty for an index that is none.
    pub fn step_name(&self, index: usize) -> &str {
        self.nodes.get(index).map_or("", |node| &node.step.name)
    }

    /// What a step waits for, as indices; none for an index that is no step.
    pub fn dependencies(&self, index: usize) -> &[usize] {
        self.nodes.get(index).map_or(&[], |node| &node.dependencies)
    }

    /// What waits for a step, as indices; none for an index that is no step.
    pub fn dependents(&self, index: usize) -> &[usize] {
        self.nodes.get(index).map_or(&[], |node| &node.dependents)
    }

    /// Length of the longest chain of steps before a step; 0 for an index that is no step.
    pub fn stage(&self, index: usize) -> usize {
        self.nodes.get(index).map_or(0, |node| node.stage)
    }

    /// How many stages.
    pub fn stages(&self) -> usize {
        self.stages
    }

    /// Expected time from the start of a step to the end of the longest chain that begins with it;
    /// 0 for an index that is no step.
    pub fn remaining(&self, index: usize) -> i64 {
        self.nodes.get(index).map_or(0, |node| node.remaining)
    }

    /// Whether a step may run plans inside.
    pub(super) fn has_nested(&self) -> bool {
        self.nodes.iter().any(Node::is_nested)
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Names of the resources, by their numbers.
    pub(super) fn resources(&self) -> &[String] {
        &self.resources
    }
}

impl Other {
    fn new(component: &dyn Component) -> Self {
        Self {
            name: component.name().into(),
            version: component.version().into(),
            lane: component.lane(),
        }
    }
}

impl Node {
    fn new(step: Step, before: Vec<usize>, stage: usize, resources: &mut Vec<String>) -> Self {
        let lane = step.component.lane();
        let slot = match &step.resource {
            Some(resource) => {
                let known = resources.iter().position(|known| known == resource);
                FIRST_RESOURCE
                    + known.unwrap_or_else(|| {
                        resources.push(resource.clone());
                        resources.len() - 1
                    })
            }
            None if lane == Lane::Nested => FREE,
            None => PLAIN,
        };
        let fallback = match &step.policy.on_failure {
            OnFailure::Fallback(it) => Some(Other::new(&**it)),
            OnFailure::Fail | OnFailure::Degrade => None,
        };
        Self {
            name: step.name.as_str().into(),
            component: step.component.name().into(),
            version: step.component.version().into(),
            lane,
            fallback,
            undo: step.undo.as_deref().map(Other::new),
            depends_on: step.depends_on.join(",").into(),
            dependencies: before.into(),
            dependents: Box::default(),
            stage,
            slot,
            remaining: 0,
            urgency: 0,
            step,
        }
    }

    /// Whether the step, or what stands in for it, may run plans inside.
    fn is_nested(&self) -> bool {
        [false, true].iter().any(|it| self.lane(*it) == Lane::Nested)
    }

    /// Where an attempt works.
    pub(super) fn lane(&self, by_fallback: bool) -> Lane {
        match &self.fallback {
            Some(fallback) if by_fallback => fallback.lane,
            _ => self.lane,
        }
    }

    /// Where an attempt queues. A fallback stands in without the resource, which may be what
    /// failed.
    pub(super) fn slot(&self, by_fallback: bool) -> usize {
        match self.lane(by_fallback) {
            Lane::Nested => FREE,
            _ if by_fallback => PLAIN,
            _ => self.slot,
        }
    }
}

fn names(steps: &[Step]) -> HashMap<&str, usize> {
    // of two steps of one name the first counts
    steps.iter().enumerate().rev().map(|(index, step)| (step.name.as_str(), index)).collect()
}

/// Names that are empty, double or unknown.
fn misnomers(steps: &[Step], names: &HashMap<&str, usize>) -> Vec<PlanProblem> {
    let mut problems = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let mut problem = |message: String, hint: Option<String>| {
            problems.push(PlanProblem { step: index, message, hint });
        };
        if step.name.is_empty() || step.name.contains(',') {
            let message = format!("step {} is named `{}`", index + 1, step.name);
            problem(message, Some("A name is a text without commas.".to_owned()));
        }
        if names.get(step.name.as_str()) != Some(&index) {
            problem(format!("two steps are named `{}`", step.name), None);
        }
        for dependency in &step.depends_on {
            if !names.contains_key(dependency.as_str()) {
                let hint = nearest(dependency, names.keys().copied())
                    .map(|name| format!("Did you mean `{name}`?"));
                let name = &step.name;
                let message = format!("step `{name}` depends on `{dependency}`, no known step");
                problem(message, hint);
            }
        }
    }
    problems
}

/// Indices of each step's known dependencies, each once.
fn dependencies(steps: &[Step], names: &HashMap<&str, usize>) -> Vec<Vec<usize>> {
    let mut seen = HashSet::new();
    let of_step = |step: &Step| {
        seen.clear();
        let known = step.depends_on.iter().filter_map(|name| names.get(name.as_str()).copied());
        known.filter(|&index| seen.insert(index)).collect()
    };
    steps.iter().map(of_step).collect()
}

/// Kahn's algorithm with the step written first taken first. Steps of a cycle, and those behind
/// one, are left out.
fn topological_order(dependencies: &[Vec<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); dependencies.len()];
    for (index, before) in dependencies.iter().enumerate() {
        before.iter().for_each(|&dependency| dependents[dependency].push(index));
    }
    let mut free: BinaryHeap<Reverse<usize>> =
        (0..waiting.len()).filter(|&index| waiting[index] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(index)) = free.pop() {
        order.push(index);
        for &dependent in &dependents[index] {
            waiting[dependent] -= 1;
            if waiting[dependent] == 0 {
                free.push(Reverse(dependent));
            }
        }
    }
    order
}

/// The cycle that is met first, if there is one, named as a path. A long one is shortened.
fn cycle(steps: &[Step], dependencies: &[Vec<usize>], order: &[usize]) -> Option<PlanProblem> {
    const NAMES_MAX: usize = 12;
    let mut left = vec![true; steps.len()];
    order.iter().for_each(|&index| left[index] = false);
    let first = left.iter().position(|&left| left)?;
    // every step that is left waits for one that is left: going on, a step must come up twice
    let (mut path, mut seen, mut at) = (Vec::new(), HashSet::new(), first);
    while seen.insert(at) {
        path.push(at);
        at = dependencies[at].iter().copied().find(|&dependency| left[dependency])?;
    }
    let start = path.iter().position(|&step| step == at)?;
    let round = &path[start..];
    let name = |index: &usize| format!("`{}`", steps[*index].name);
    let mut names: Vec<String> = round.iter().map(name).collect();
    if names.len() > NAMES_MAX {
        let more = names.len() - NAMES_MAX;
        names.truncate(NAMES_MAX);
        names.push(format!("({more} more)"));
    }
    names.push(name(&at));
    Some(PlanProblem {
        step: at,
        message: format!("steps wait for each other: {}", names.join(" → ")),
        hint: Some("Remove one of these dependencies; an arrow reads `depends on`.".to_owned()),
    })
}

#[cfg(test)]
mod tests;
