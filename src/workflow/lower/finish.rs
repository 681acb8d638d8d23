//! Drafts to a plan: which steps may have set what a step reads, the question before a branch, and
//! the step that says what has become of the state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::bound::{Bound, Handed, Reader, Role, Setting, holds};
use super::super::component::Component;
use super::super::each::Each;
use super::super::failure::StepError;
use super::super::part::Part;
use super::super::plan::Plan;
use super::super::policy::OnFailure;
use super::super::seen::Seen;
use super::super::step::{Condition, RunWhen, Step};
use super::super::structure::{Collect, Join};
use super::draft::{Draft, Draws, Reads, Work};
use super::writers::Writers;
use super::{Lowering, Problem};
use crate::event::Estimates;

/// The step that says what has become of the state.
const STATE: &str = "workflow.state";

impl Lowering<'_> {
    pub(super) fn finish(mut self) -> (Option<Plan>, Vec<Problem>) {
        let drafts = std::mem::take(&mut self.drafts);
        let plan = self.plan(drafts).map(|it| it.0);
        (plan, self.problems)
    }

    /// Makes a plan; gives the step that gives the state, too, if anything sets some. `None` where
    /// there are problems.
    pub(super) fn plan(&mut self, mut drafts: Vec<Draft>) -> Option<(Plan, Option<String>)> {
        drafts.iter_mut().for_each(ask_first);
        let sets: BTreeSet<usize> = drafts.iter().flat_map(Draft::sets).collect();
        if !sets.is_empty() {
            let mut last = Draft::new(STATE.to_owned(), "", Work::Collect, &ends(&drafts));
            last.run_when = RunWhen::AllDone;
            last.reads.state = sets.iter().copied().collect();
            drafts.push(last);
        }
        self.resources_known(&drafts);
        let writers = Writers::of(&drafts, &self.declared);
        let estimates = estimates(&drafts);
        let paths: Vec<String> = drafts.iter().map(|it| it.path.clone()).collect();
        let steps: Vec<Step> = drafts
            .into_iter()
            .enumerate()
            .map(|(at, draft)| self.assemble(draft, at, &writers))
            .collect();
        // of steps with the wrong names a plan has nothing to say that helps
        let found = if self.problems.is_empty() { Plan::problems(&steps) } else { Vec::new() };
        for problem in &found {
            let path = paths.get(problem.step).cloned().unwrap_or_default();
            let (message, hint) = (problem.message.clone(), problem.hint.clone());
            self.problems.push(Problem { path, message, hint });
        }
        if steps.is_empty() && self.problems.is_empty() {
            self.problem("/steps", "nothing is done: there is no step");
        }
        if !self.problems.is_empty() {
            return None;
        }
        match Plan::new(steps) {
            Ok(plan) => {
                let state = (!sets.is_empty()).then(|| STATE.to_owned());
                Some((plan.with_estimates(&Declared(estimates)), state))
            }
            Err(error) => {
                self.problem("", error.to_string()).hint = error.hint().map(str::to_owned);
                None
            }
        }
    }

    /// Expected durations of the steps, as their author says.
    pub(super) fn estimates(&self) -> BTreeMap<String, i64> {
        estimates(&self.drafts)
    }

    /// A step may only use a resource that is declared.
    fn resources_known(&mut self, drafts: &[Draft]) {
        for draft in drafts {
            let Some(resource) = &draft.resource else { continue };
            if !self.resources.contains_key(resource) {
                let near = crate::error::nearest(resource, self.resources.keys().map(|it| &**it));
                let path = format!("{}/resource", draft.path);
                let problem = Problem::new(path, format!("there is no resource `{resource}`"));
                let problem = match near {
                    Some(_) => problem.with_nearest(near),
                    None => problem.with_hint("Declare it under `resources`, with its `places`."),
                };
                self.problems.push(problem);
            }
        }
    }

    fn assemble(&self, draft: Draft, at: usize, writers: &Writers) -> Step {
        let seen = |numbers: &[usize]| -> Vec<Seen> {
            let known = numbers.iter().filter_map(|it| Some((*it, self.declared.get(*it)?)));
            known.map(|(it, declared)| writers.seen(it, Arc::clone(declared), at)).collect()
        };
        let reader = |reads: Reads| Reader {
            state: seen(&reads.state),
            steps: reads.steps,
            input: reads.input,
            params: reads.params,
            items: reads.items,
            run: reads.run,
        };
        let state = seen(&draft.reads.state);
        let undo = draft.undo.map(|(draws, reads)| {
            let reader = Arc::new(reader(reads));
            let bound = bound(&draft.name, draws, Role::Undo, Arc::default(), reader);
            Arc::new(bound) as Arc<dyn Component>
        });
        let reader = Arc::new(reader(draft.reads));
        let condition = condition(draft.condition, draft.branch, &reader);
        let mut policy = draft.policy;
        let set = draft.set.into_iter();
        let set = set.map(|(number, name, value)| Setting { number, name, value });
        let set: Arc<Vec<Setting>> = Arc::new(set.collect());
        if let Some(draws) = draft.fallback {
            let (set, reader) = (Arc::clone(&set), Arc::clone(&reader));
            let fallback = bound(&draft.name, draws, Role::Fallback, set, reader);
            policy.on_failure = OnFailure::Fallback(Arc::new(fallback));
        }
        let component: Arc<dyn Component> = match draft.work {
            Work::Draws(draws) => {
                let bound = bound(&draft.name, draws, Role::Work, set, reader);
                Arc::new(Bound { pure: draft.pure, ..bound })
            }
            Work::Join { from, one } => Arc::new(Join { from, one }),
            Work::Part(part) => Arc::new(Part {
                workflow: part.workflow,
                plan: part.plan,
                exits: part.exits,
                reader,
                concurrency: part.concurrency,
            }),
            Work::Collect => Arc::new(Collect { seen: Arc::new(state) }),
            Work::Each(each) => Arc::new(Each {
                step: draft.name.clone(),
                items: each.items,
                item: each.item,
                plan: each.plan,
                exits: each.exits,
                state: each.state,
                captures: each.captures,
                reader,
                concurrency: each.concurrency,
                items_max: each.items_max,
                partial: each.partial,
            }),
        };
        let mut step = Step::shared(draft.name, component).after(draft.depends_on);
        step.run_when = draft.run_when;
        step.policy = policy;
        step.resource = draft.resource;
        step.condition = condition;
        step.undo = undo;
        step
    }
}

fn bound(
    step: &str,
    draws: Draws,
    role: Role,
    set: Arc<Vec<Setting>>,
    reader: Arc<Reader>,
) -> Bound {
    let Draws { task, with, fed } = draws;
    Bound { step: step.to_owned(), task, with, fed, set, role, reader, pure: false }
}

/// What must hold for a step to be done: the answer of its branch, and its own condition.
fn condition(
    own: Option<super::super::expression::Expression>,
    branch: Option<(String, bool)>,
    reader: &Arc<Reader>,
) -> Option<Condition> {
    if own.is_none() && branch.is_none() {
        return None;
    }
    let mut words = Vec::new();
    if let Some((question, wanted)) = &branch {
        words.push(format!("{question} is {wanted}"));
    }
    words.extend(own.as_ref().map(|it| it.text().to_owned()));
    let reader = Arc::clone(reader);
    let asked = branch.as_ref().map(|it| it.0.clone());
    let condition = Condition::new(words.join(", and "), move |view| {
        if let Some((question, wanted)) = &branch {
            let answer = view.output_if::<Handed>(question)?;
            if answer.and_then(|it| it.output.as_bool()) != Some(*wanted) {
                return Ok(false);
            }
        }
        own.as_ref().map_or(Ok::<_, StepError>(true), |it| holds(it, &reader, view))
    });
    Some(condition.answered_by(asked))
}

/// Lets a step of a branch wait for the question before the branch.
fn ask_first(draft: &mut Draft) {
    if let Some((question, _)) = draft.branch.clone() {
        draft.wait_for([question.as_str()]);
    }
}

/// The drafts that no other one waits for.
fn ends(drafts: &[Draft]) -> Vec<String> {
    let needed: BTreeSet<&String> = drafts.iter().flat_map(|it| &it.depends_on).collect();
    drafts.iter().map(|it| &it.name).filter(|it| !needed.contains(it)).cloned().collect()
}

/// Numbers of the values that steps set, and of those that they read; only those that are declared
/// outside, which have numbers below `limit`.
pub(super) fn touched(drafts: &[Draft], limit: usize) -> (Vec<usize>, Vec<usize>) {
    let below = |it: &usize| *it < limit;
    let sets: BTreeSet<usize> = drafts.iter().flat_map(Draft::sets).filter(below).collect();
    let reads = drafts.iter().flat_map(|it| it.reads.state.iter().copied()).filter(below);
    (sets.into_iter().collect(), reads.collect::<BTreeSet<_>>().into_iter().collect())
}

fn estimates(drafts: &[Draft]) -> BTreeMap<String, i64> {
    drafts.iter().filter_map(|it| Some((it.name.clone(), it.estimate_ns?))).collect()
}

/// Expected durations as the author declares them.
#[derive(Debug)]
struct Declared(BTreeMap<String, i64>);

impl Estimates for Declared {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        self.0.get(step_name).copied()
    }
}
