//! A step of a definition with what may happen to it: its component is looked up, what it is given
//! is checked, and its rules become a policy.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::super::bound::Feed;
use super::super::composition::{FailureSpec, RetrySpec, Rule, StepSpec, Use};
use super::super::expression::Template;
use super::super::library::Task;
use super::super::policy::{Backoff, OnFailure, Policy, Retry};
use super::super::step::RunWhen;
use super::draft::{Draft, Draws, Reads, Work};
use super::{Around, Lowering, Problem, Source};
use crate::error::nearest;

/// The input that takes what feeds a step without anybody saying so.
const FED: &str = "input";

impl Lowering<'_> {
    /// A step; gives itself.
    pub(super) fn step(&mut self, spec: &StepSpec, path: &str, around: &Around) -> Vec<String> {
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = format!("{prefix}{}", spec.name);
        let mut reads = Reads::default();
        let draws = self.component(&spec.component, &spec.with, path, around, &mut reads);
        let condition = spec
            .condition
            .as_deref()
            .and_then(|text| self.condition(text, &format!("{path}/if"), around, &mut reads));
        let fallback = match &spec.on_failure {
            FailureSpec::Fallback(it) => {
                Some(self.inner(it, &format!("{path}/on_failure/fallback"), around, &mut reads))
            }
            FailureSpec::Fail | FailureSpec::Degrade => None,
        };
        let mut own = Reads::default();
        let undo =
            spec.undo.as_ref().map(|it| self.inner(it, &format!("{path}/undo"), around, &mut own));
        let undo = undo.flatten().map(|it| (it, own.clone()));
        own.steps.retain(|(it, _)| *it != spec.name);
        reads.absorb(own);
        let set = self.settings(spec, path, around, &mut reads);
        if reads.steps.iter().any(|it| it.0 == spec.name) {
            let message = format!("step `{}` reads itself", spec.name);
            self.problem(path, message);
            reads.steps.retain(|it| it.0 != spec.name);
        }
        let Some(draws) = draws else { return vec![name] };
        let (policy, estimate) = self.policy(spec, path);
        let mut draft = Draft::new(name.clone(), path, Work::Draws(draws), &around.after);
        let mut needs = Vec::with_capacity(spec.needs.len());
        for needed in &spec.needs {
            match self.names.find(needed) {
                Some(Source::Here(step)) => needs.push(step),
                // the list around waits for what its steps need of the outside
                Some(Source::Outer(_)) => {}
                None => {
                    let message = format!("step `{}` needs `{needed}`, no step here", spec.name);
                    self.no_step(needed, &format!("{path}/needs"), message);
                }
            }
        }
        draft.wait_for(needs.iter().map(String::as_str));
        draft.condition = condition;
        draft.policy = policy;
        draft.fallback = fallback.flatten();
        draft.undo = undo;
        draft.resource.clone_from(&spec.resource);
        draft.estimate_ns = estimate.and_then(|it| i64::try_from(it.as_nanos()).ok());
        draft.set = set;
        draft.pure = spec.pure.unwrap_or(false);
        if draft.pure && draft.undo.is_some() {
            let message = format!("step `{}` is pure and has an `undo`", spec.name);
            self.problem(format!("{path}/pure"), message).hint =
                Some("What has an effect to take back is not pure.".to_owned());
        }
        self.has_pure |= draft.pure;
        draft.branch.clone_from(&around.branch);
        draft.run_when = match spec.when {
            Rule::AllSuccess => RunWhen::AllSuccess,
            Rule::AnySuccess => RunWhen::AnySuccess,
            Rule::NoneFailed => RunWhen::NoneFailed,
            Rule::AllDone => RunWhen::AllDone,
        };
        self.push(draft, reads);
        vec![name]
    }

    /// A component inside a step.
    fn inner(&mut self, it: &Use, path: &str, around: &Around, reads: &mut Reads) -> Option<Draws> {
        self.component(&it.component, &it.with, path, around, reads)
    }

    fn component(
        &mut self,
        name: &str,
        with: &Map<String, Json>,
        path: &str,
        around: &Around,
        reads: &mut Reads,
    ) -> Option<Draws> {
        if name.is_empty() {
            self.problem(path, "the step has no `use`").hint =
                Some("`genstore pipeline components` lists what can be used.".to_owned());
            return None;
        }
        let task = match self.library().get(name) {
            Ok(task) => Arc::clone(task),
            Err(error) => {
                let hint = error.hint().map(str::to_owned);
                self.problem(format!("{path}/use"), error.to_string()).hint = hint;
                return None;
            }
        };
        Some(self.draws(task, with, &format!("{path}/with"), around, reads, true))
    }

    /// A task with what it is given, checked as far as it is known.
    pub(super) fn draws(
        &mut self,
        task: Arc<dyn Task>,
        with: &Map<String, Json>,
        path: &str,
        around: &Around,
        reads: &mut Reads,
        may_be_fed: bool,
    ) -> Draws {
        let about = task.about();
        let what = |name: &str| match may_be_fed {
            true => format!("component `{}` has no input `{name}`", about.name),
            false => format!("the workflow has no parameter `{name}`"),
        };
        let mut given = Vec::with_capacity(with.len());
        for (name, value) in with {
            let place = format!("{path}/{name}");
            let input = about.inputs.iter().find(|it| it.name == *name);
            if input.is_none() && !about.open {
                let names = about.inputs.iter().map(|it| it.name.as_str());
                let near = nearest(name, names).map(str::to_owned);
                let problem = Problem::new(&place, what(name)).with_nearest(near.as_deref());
                self.problems.push(problem);
            }
            let template = self.template(value, &place, around, reads, None);
            if let (Template::Literal(value), Some(input)) = (&template, input)
                && (input.required || !value.is_null())
                && let Some(problem) = input.problem(value)
            {
                self.problem(&place, problem);
            }
            given.push((name.clone(), template));
        }
        let is_given = |name: &str| with.contains_key(name);
        let takes = about.open || about.inputs.iter().any(|it| it.name == FED);
        let is_fed = may_be_fed && takes && !is_given(FED) && around.feed != Feed::Nothing;
        if is_fed {
            reads.input = around.feed.clone();
            reads.items |= matches!(around.feed, Feed::Item(_));
        }
        for input in about.inputs.iter().filter(|it| it.required && !is_given(&it.name)) {
            if is_fed && input.name == FED {
                continue;
            }
            let message = match may_be_fed {
                true => format!("component `{}` wants the input `{}`", about.name, input.name),
                false => format!("the workflow wants the parameter `{}`", input.name),
            };
            let place = path.strip_suffix("/with").unwrap_or(path);
            self.problem(place, message).hint =
                Some(format!("Give {} under `with`.", input.kind.in_words()));
        }
        Draws { task, with: given, fed: is_fed.then(|| FED.to_owned()) }
    }

    /// What a step sets.
    fn settings(
        &mut self,
        spec: &StepSpec,
        path: &str,
        around: &Around,
        reads: &mut Reads,
    ) -> Vec<(usize, String, Template)> {
        let mut set = Vec::with_capacity(spec.set.len());
        for (name, value) in &spec.set {
            let path = format!("{path}/set/{name}");
            let template = self.template(value, &path, around, reads, Some(&spec.name));
            let Some(number) = self.declared(name, around) else {
                self.no_value(name, &path, around);
                continue;
            };
            let refusal = self.declared.get(number).and_then(|it| it.refusal(around.block));
            if let Some(refusal) = refusal {
                let message = format!("step `{}` may not set `{name}`: {refusal}", spec.name);
                self.problem(&path, message);
            }
            set.push((number, name.clone(), template));
        }
        set
    }

    fn policy(&mut self, spec: &StepSpec, path: &str) -> (Policy, Option<Duration>) {
        let mut policy = Policy {
            timeout: self.longest(spec.timeout.as_ref(), path, "timeout"),
            queue_timeout: self.span(spec.queue_timeout.as_ref(), &format!("{path}/queue_timeout")),
            total_timeout: self.longest(spec.total_timeout.as_ref(), path, "total_timeout"),
            ..Policy::default()
        };
        if let Some(retry) = &spec.retry {
            policy.retry = self.retry(retry, &format!("{path}/retry"));
        }
        if matches!(spec.on_failure, FailureSpec::Degrade) {
            policy.on_failure = OnFailure::Degrade;
        }
        let estimate = self.span(spec.estimate.as_ref(), &format!("{path}/estimate"));
        (policy, estimate)
    }

    fn retry(&mut self, spec: &RetrySpec, path: &str) -> Retry {
        if spec.attempts == 0 {
            let message = "`attempts` is 0; the first attempt counts, too";
            self.problem(format!("{path}/attempts"), message);
        }
        let initial = self.span(Some(&spec.initial), &format!("{path}/initial"));
        let max = self.span(Some(&spec.max), &format!("{path}/max"));
        let backoff = Backoff {
            initial: initial.unwrap_or_default(),
            max: max.unwrap_or_default(),
            multiplier: spec.multiplier,
        };
        Retry { attempts_max: spec.attempts, backoff, ..Retry::default() }
    }
}

impl Reads {
    /// Adds what something else of the step reads.
    fn absorb(&mut self, other: Self) {
        for step in other.steps {
            if !self.steps.contains(&step) {
                self.steps.push(step);
            }
        }
        if self.input == Feed::Nothing {
            self.input = other.input;
        }
        self.params = self.params.take().or(other.params);
        self.items |= other.items;
        self.run |= other.run;
        for number in other.state {
            if !self.state.contains(&number) {
                self.state.push(number);
            }
        }
    }
}
