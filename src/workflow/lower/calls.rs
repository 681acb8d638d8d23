//! A workflow that is called: found, given its parameters, changed as its caller says, and made
//! part of the plan. One with a longest time or places of its own becomes a plan inside of a step,
//! so that both hold for all of it; the steps of any other stand among those of its caller.

use std::sync::Arc;
use std::time::Duration;

use super::super::bound::{Feed, Params};
use super::super::composition::{Call, Definition};
use super::super::nested::NESTING_MAX;
use super::super::structure;
use super::draft::{Draft, PartDraft, Reads, Work};
use super::names::Frame;
use super::overrides::Moved;
use super::{Around, Called, Lowering, Source};

/// Most workflows that may be called inside each other.
const CALLS_MAX: usize = 16;

/// A called workflow while it is looked at.
struct Callee<'c> {
    definition: &'c Definition,
    /// Its name among the steps of the plan.
    name: String,
    /// The step that gives its parameters.
    with: String,
    path: &'c str,
}

impl Lowering<'_> {
    /// A call; gives the step that gives what the workflow gives.
    pub(super) fn call(&mut self, call: &Call, path: &str, around: &Around) -> Vec<String> {
        let Some(Called { uri, mut definition }) = self.called(call, path) else {
            return Vec::new();
        };
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = format!("{prefix}{}", call.name);
        let moved = self.override_steps(&mut definition, call, &uri, path);
        // problems of the called workflow stand at the call: its file is another
        let before = self.problems.len();
        if !super::is_name(&definition.name) {
            self.misnamed("", &definition.name, "a pipeline");
        }
        let parameters = self.parameters(&definition, "");
        let (concurrency, timeout) = self.bounds(&definition);
        self.problems_of(before, &uri, path, &moved);
        let names = parameters.iter().map(|it| it.name.clone()).collect();
        let with = format!("{name}.with");
        let task = structure::parameters(parameters);
        let mut reads = Reads::default();
        let draws =
            self.draws(task, &call.with, &format!("{path}/with"), around, &mut reads, false);
        let mut draft = Draft::new(with.clone(), path, Work::Draws(draws), &around.after);
        draft.branch.clone_from(&around.branch);
        self.push(draft, reads);
        let inside = self.problems.len();
        self.calls.push(uri.clone());
        let callee = Callee { definition: &definition, name: name.clone(), with, path };
        let frame = Frame { parameters: names, ..Frame::default() };
        if concurrency.is_some() || timeout.is_some() {
            self.enclosed(callee, frame, (concurrency, timeout), around);
        } else {
            self.among(callee, frame, around);
        }
        self.calls.pop();
        self.problems_of(inside, &uri, path, &moved);
        vec![name]
    }

    fn called(&mut self, call: &Call, path: &str) -> Option<Called> {
        let from = self.calls.last().cloned().unwrap_or_default();
        let called = match (self.others)(&call.workflow, &from) {
            Ok(it) => it,
            Err(error) => {
                let hint = error.hint().map(str::to_owned);
                self.problem(format!("{path}/use"), error.to_string()).hint = hint;
                return None;
            }
        };
        let uri = &called.uri;
        if self.calls.contains(uri) {
            let chain = self.calls.join(" → ");
            let message = format!("workflows call each other without end: {chain} → {uri}");
            self.problem(format!("{path}/use"), message);
            return None;
        }
        if self.calls.len() >= CALLS_MAX {
            let message = format!("more than {CALLS_MAX} workflows call each other");
            self.problem(format!("{path}/use"), message);
            return None;
        }
        Some(called)
    }

    /// The steps of a called workflow among those of its caller, and the one where they meet.
    fn among(&mut self, callee: Callee<'_>, frame: Frame, around: &Around) {
        let Callee { definition, name, with, path } = callee;
        let prefix = format!("{name}/");
        self.names.frames.push(Frame { prefix, parameters_from: Some(with), ..frame });
        let begin = self.drafts.len();
        let mut exits = self.definition(definition, "", Feed::Nothing);
        self.names.frames.pop();
        for draft in self.drafts.iter_mut().skip(begin) {
            draft.branch = draft.branch.take().or_else(|| around.branch.clone());
        }
        exits.dedup();
        let work = Work::Join { from: self.named(&exits), one: false };
        let mut join = Draft::new(name, path, work, &exits);
        join.branch.clone_from(&around.branch);
        self.drafts.push(join);
    }

    /// The steps of a called workflow as a plan inside of one step.
    fn enclosed(
        &mut self,
        callee: Callee<'_>,
        frame: Frame,
        (concurrency, timeout): (Option<usize>, Option<Duration>),
        around: &Around,
    ) {
        let Callee { definition, name, with, path } = callee;
        if self.nesting >= NESTING_MAX {
            let message = format!(
                "more than {NESTING_MAX} lists and workflows with bounds of \
                                   their own are inside each other"
            );
            self.problem("", message);
            return;
        }
        let drafts = std::mem::take(&mut self.drafts);
        self.nesting += 1;
        self.names.frames.push(frame);
        let mut exits = self.definition(definition, "", Feed::Nothing);
        self.names.frames.pop();
        self.nesting -= 1;
        exits.dedup();
        let exits = self.named(&exits);
        let inside = std::mem::replace(&mut self.drafts, drafts);
        let Some((plan, _)) = self.plan(inside) else { return };
        let workflow = definition.name.clone();
        let part = PartDraft { workflow, plan: Arc::new(plan), exits, concurrency };
        let mut draft = Draft::new(name, path, Work::Part(Box::new(part)), &around.after);
        draft.branch.clone_from(&around.branch);
        draft.policy.timeout = timeout;
        let params = Some(Params::Step(Source::Here(with)));
        self.push(draft, Reads { params, ..Reads::default() });
    }

    /// Says of the problems from a number on that they are of a called workflow; what its caller
    /// has changed stands with the caller.
    fn problems_of(&mut self, from: usize, uri: &str, path: &str, moved: &[Moved]) {
        for problem in self.problems.iter_mut().skip(from) {
            match moved.iter().find_map(|it| it.place(&problem.path)) {
                Some(place) => problem.path = place,
                None => {
                    problem.message = format!("in {uri}: {}", problem.message);
                    problem.path = path.to_owned();
                }
            }
        }
    }
}
