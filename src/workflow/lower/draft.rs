//! A step before it is a step: everything is known of it but which steps set the values of the
//! state before it. Data only.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::bound::{Feed, Params};
use super::super::expression::{Expression, Template};
use super::super::library::Task;
use super::super::plan::Plan;
use super::super::policy::Policy;
use super::super::step::RunWhen;
use super::Source;

/// A step on its way into a plan.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its name in the plan.
    pub(super) name: String,
    /// Its place in the definition.
    pub(super) path: String,
    pub(super) work: Work,
    pub(super) reads: Reads,
    pub(super) depends_on: Vec<String>,
    pub(super) run_when: RunWhen,
    /// The question that decides, and the answer that it needs.
    pub(super) branch: Option<(String, bool)>,
    pub(super) condition: Option<Expression>,
    pub(super) policy: Policy,
    pub(super) fallback: Option<Draws>,
    /// With what it reads: the step itself, too.
    pub(super) undo: Option<(Draws, Reads)>,
    pub(super) resource: Option<String>,
    pub(super) estimate_ns: Option<i64>,
    /// Whether the output of any earlier run may stand in.
    pub(super) pure: bool,
    /// Numbers and names of the values that it sets, and to what.
    pub(super) set: Vec<(usize, String, Template)>,
}

/// A component with what it is given.
#[derive(Debug)]
pub(super) struct Draws {
    pub(super) task: Arc<dyn Task>,
    pub(super) with: Vec<(String, Template)>,
    /// The input that takes what feeds the step.
    pub(super) fed: Option<String>,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Work {
    Draws(Draws),
    Join {
        from: Vec<(String, String)>,
        one: bool,
    },
    Each(Box<EachDraft>),
    Part(Box<PartDraft>),
    /// Says what has become of the state.
    Collect,
}

/// A list that is worked through, with the plan of one item.
#[derive(Debug)]
pub(super) struct EachDraft {
    pub(super) items: Template,
    pub(super) item: String,
    pub(super) plan: Arc<Plan>,
    pub(super) exits: Vec<(String, String)>,
    /// The inner step that gives the state, and the numbers of the values that inner steps set.
    pub(super) state: Option<String>,
    pub(super) sets: Vec<usize>,
    pub(super) captures: Vec<Source>,
    pub(super) concurrency: Option<usize>,
    pub(super) items_max: usize,
    pub(super) partial: bool,
}

/// A called workflow with bounds of its own.
#[derive(Debug)]
pub(super) struct PartDraft {
    pub(super) workflow: String,
    pub(super) plan: Arc<Plan>,
    pub(super) exits: Vec<(String, String)>,
    pub(super) concurrency: Option<usize>,
}

/// What the expressions of a step read, resolved.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    pub(super) steps: Vec<(String, Source)>,
    pub(super) input: Feed,
    pub(super) params: Option<Params>,
    pub(super) items: bool,
    pub(super) run: bool,
    /// Numbers of the values of the state.
    pub(super) state: Vec<usize>,
}

impl Draft {
    /// A step that does something after others, and otherwise as usual.
    pub(super) fn new(name: String, path: &str, work: Work, after: &[String]) -> Self {
        Self {
            name,
            path: path.to_owned(),
            work,
            reads: Reads::default(),
            depends_on: after.to_vec(),
            run_when: RunWhen::AllSuccess,
            branch: None,
            condition: None,
            policy: Policy::default(),
            fallback: None,
            undo: None,
            resource: None,
            estimate_ns: None,
            pure: false,
            set: Vec::new(),
        }
    }

    /// Waits for steps, too; for each once.
    pub(super) fn wait_for<'s>(&mut self, steps: impl IntoIterator<Item = &'s str>) {
        let mut known: HashSet<&str> = self.depends_on.iter().map(String::as_str).collect();
        let new = steps.into_iter().filter(|it| known.insert(it)).map(str::to_owned);
        let new: Vec<String> = new.collect();
        self.depends_on.extend(new);
    }

    /// Numbers of the values that it sets.
    pub(super) fn sets(&self) -> impl Iterator<Item = usize> {
        let inner = match &self.work {
            Work::Each(each) => each.sets.as_slice(),
            Work::Draws(_) | Work::Join { .. } | Work::Part(_) | Work::Collect => &[],
        };
        self.set.iter().map(|it| it.0).chain(inner.iter().copied())
    }
}
