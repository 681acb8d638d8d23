//! Compositions as dependencies: what each kind makes its parts wait for, and what it gives.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::super::bound::{Feed, Params};
use super::super::composition::{Block, Composition, Conditional, ForEach, Rule, Tree};
use super::super::expression::{Expression, Template};
use super::super::library::Library;
use super::super::nested::NESTING_MAX;
use super::super::plan::STEPS_MAX;
use super::super::policy::{OnFailure, Policy};
use super::super::step::RunWhen;
use super::super::structure::{self, GIVEN, QUESTION};
use super::draft::{Draft, Draws, EachDraft, Reads, Work};
use super::names::Frame;
use super::{Around, Lowering, Source};

impl Lowering<'_> {
    /// One after the other. Gives what the last one gives.
    pub(super) fn sequence(
        &mut self,
        compositions: &[Composition],
        path: &str,
        mut around: Around,
    ) -> Vec<String> {
        for (at, composition) in compositions.iter().enumerate() {
            let path = format!("{path}/{at}");
            around.after = self.joined(around.after, composition, &path, &around.branch);
            let exits = self.composition(composition, &path, &around);
            if !exits.is_empty() {
                around.after = exits;
            }
        }
        around.after
    }

    /// A step in the place of many, where each of them would be waited for by many.
    fn joined(
        &mut self,
        after: Vec<String>,
        before: &Composition,
        path: &str,
        branch: &Option<(String, bool)>,
    ) -> Vec<String> {
        let entries = entries(before);
        // whoever has a rule of its own must see each end
        if after.len() * entries <= after.len() + entries || !all_must_succeed(before) {
            return after;
        }
        self.joins += 1;
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = format!("{prefix}join.{}", self.joins);
        let work = Work::Join { from: self.named(&after), one: false };
        let mut draft = Draft::new(name.clone(), path, work, &after);
        draft.branch.clone_from(branch);
        self.drafts.push(draft);
        vec![name]
    }

    /// A composition; gives the steps whose outputs are what it gives.
    fn composition(&mut self, it: &Composition, path: &str, around: &Around) -> Vec<String> {
        let inner = || format!("{path}/{}", it.kind());
        if self.drafts.len() > STEPS_MAX {
            return Vec::new(); // and the plan says so
        }
        match it {
            Composition::Step(step) => self.step(step, path, around),
            Composition::Sequential(all) => self.sequence(all, &inner(), around.clone()),
            Composition::Parallel(all) => self.parallel(all, &inner(), around),
            Composition::Pipeline(all) => self.pipeline(all, &inner(), around.clone()),
            Composition::Graph(all) => self.graph(all, &inner(), around),
            Composition::Conditional(it) => self.conditional(it, &inner(), around),
            Composition::Tree(it) => self.tree(it, &inner(), around),
            Composition::ForEach(it) => self.for_each(it, &inner(), around),
            Composition::Workflow(it) => self.call(it, &inner(), around),
            Composition::Scope(it) => self.scope(it, &inner(), around),
        }
    }

    fn parallel(&mut self, all: &[Composition], path: &str, around: &Around) -> Vec<String> {
        let each = all.iter().enumerate();
        each.flat_map(|(at, it)| self.composition(it, &format!("{path}/{at}"), around)).collect()
    }

    fn pipeline(&mut self, all: &[Composition], path: &str, mut around: Around) -> Vec<String> {
        for (at, composition) in all.iter().enumerate() {
            let path = format!("{path}/{at}");
            around.after = self.joined(around.after, composition, &path, &around.branch);
            let exits = self.composition(composition, &path, &around);
            if !exits.is_empty() {
                around.feed = Feed::Steps(self.named(&exits));
                around.after = exits;
            }
        }
        around.after
    }

    /// Members wait for what they need and read; what nobody in the graph waits for is what it
    /// gives.
    fn graph(&mut self, all: &[Composition], path: &str, around: &Around) -> Vec<String> {
        let begin = self.drafts.len();
        let exits: Vec<String> = all
            .iter()
            .enumerate()
            .flat_map(|(at, it)| self.composition(it, &format!("{path}/{at}"), around))
            .collect();
        let needed: HashSet<&String> =
            self.drafts.iter().skip(begin).flat_map(|it| &it.depends_on).collect();
        let open: Vec<String> = exits.iter().filter(|it| !needed.contains(it)).cloned().collect();
        // of a circle everything is needed: it is found when the plan is made
        if open.is_empty() { exits } else { open }
    }

    fn conditional(&mut self, it: &Conditional, path: &str, around: &Around) -> Vec<String> {
        self.joins += 1;
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = match it.name.as_str() {
            "" => format!("{prefix}choice.{}", self.joins),
            name => format!("{prefix}{name}"),
        };
        let question = format!("{name}.if");
        let mut reads = Reads::default();
        let place = format!("{path}/if");
        let expression = if it.condition.trim().is_empty() {
            let message = "the conditional has no `if`";
            self.problem(path, message).hint = Some("Write an expression there.".to_owned());
            None
        } else {
            self.condition(&it.condition, &place, around, &mut reads)
        };
        let template = expression.map_or(Template::Literal(Json::Null), Template::Whole);
        let draws = Draws {
            task: structure::question(),
            with: vec![(QUESTION.to_owned(), template)],
            fed: None,
        };
        let mut draft =
            Draft::new(question.clone(), &format!("{path}/if"), Work::Draws(draws), &around.after);
        draft.branch.clone_from(&around.branch);
        self.push(draft, reads);
        let mut exits = Vec::new();
        for (answer, key, steps) in [(true, "then", &it.then), (false, "else", &it.otherwise)] {
            let branch = Some((question.clone(), answer));
            let inner = Around { after: vec![question.clone()], branch, ..around.clone() };
            let path = format!("{path}/{key}");
            let mut given = self.sequence(steps, &path, inner);
            given.retain(|it| *it != question);
            if given.len() > 1 {
                // so that each branch gives one thing
                let all = format!("{name}.{key}");
                let work = Work::Join { from: self.named(&given), one: false };
                let mut join = Draft::new(all.clone(), &path, work, &given);
                join.run_when = RunWhen::NoneFailed;
                join.branch = Some((question.clone(), answer));
                self.drafts.push(join);
                given = vec![all];
            }
            exits.extend(given);
        }
        if it.then.is_empty() {
            self.problem(path, "the conditional has no `then`");
        }
        let work = Work::Join { from: self.named(&exits), one: true };
        exits.push(question);
        let mut join = Draft::new(name.clone(), path, work, &exits);
        // the branch that is not taken is skipped, and that is no failure
        join.run_when = RunWhen::NoneFailed;
        join.branch.clone_from(&around.branch);
        self.drafts.push(join);
        vec![name]
    }

    fn tree(&mut self, tree: &Tree, path: &str, around: &Around) -> Vec<String> {
        let root = self.composition(&tree.root, &format!("{path}/root"), around);
        if tree.children.is_empty() || root.is_empty() {
            return root;
        }
        let feed = Feed::Steps(self.named(&root));
        let inner = Around { after: root, feed, ..around.clone() };
        self.parallel(&tree.children, &format!("{path}/children"), &inner)
    }

    fn scope(&mut self, block: &Block, path: &str, around: &Around) -> Vec<String> {
        let number = self.block(&block.state, &format!("{path}/state"));
        let mut inner = around.clone();
        inner.outer.push(std::mem::replace(&mut inner.block, number));
        self.sequence(&block.steps, &format!("{path}/steps"), inner)
    }

    fn for_each(&mut self, each: &ForEach, path: &str, around: &Around) -> Vec<String> {
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = format!("{prefix}{}", each.name);
        let mut reads = Reads::default();
        let items = self.template(&each.items, &format!("{path}/in"), around, &mut reads, None);
        self.for_each_is_sound(each, path);
        if self.nesting >= NESTING_MAX {
            let message = format!("more than {NESTING_MAX} lists are inside each other");
            self.problem(path, message);
            return vec![name];
        }
        let outside_values = self.declared.len();
        let (inside, exits, captures) = self.inside(each, path, around);
        let (sets, reads_state) = super::finish::touched(&inside, outside_values);
        reads.state.extend(reads_state);
        reads.state.extend(sets.iter().copied());
        reads.state.sort_unstable();
        reads.state.dedup();
        reads.params = Some(self.params());
        let Some((plan, state)) = self.plan(inside) else { return vec![name] };
        let work = Work::Each(Box::new(EachDraft {
            items,
            item: each.item.clone(),
            plan: Arc::new(plan),
            exits,
            state,
            sets,
            captures: captures.clone(),
            concurrency: each.concurrency,
            items_max: each.items_max,
            partial: each.partial,
        }));
        let mut draft = Draft::new(name.clone(), path, work, &around.after);
        draft.branch.clone_from(&around.branch);
        // its steps have times of their own
        draft.policy = Policy { timeout: None, ..Policy::default() };
        draft.wait_for(captures.iter().filter_map(Source::here));
        self.push(draft, reads);
        vec![name]
    }

    fn for_each_is_sound(&mut self, each: &ForEach, path: &str) {
        if each.items.is_null() {
            let hint = "Write a list there, or an expression that gives one.";
            self.problem(path, "the for_each has no `in`").hint = Some(hint.to_owned());
        }
        let means_itself =
            Expression::parse(&each.item).is_ok_and(|it| it.reads().eq([each.item.as_str()]));
        if !super::is_name(&each.item) || super::reads::is_root(&each.item) || !means_itself {
            self.misnamed(&format!("{path}/as"), &each.item, "an item");
        }
        for (key, value) in [("concurrency", each.concurrency), ("items_max", Some(each.items_max))]
        {
            if value == Some(0) {
                self.problem(format!("{path}/{key}"), format!("`{key}` is 0"));
            }
        }
        if each.steps.is_empty() {
            self.problem(path, "the for_each has no `do`");
        }
    }

    /// The inside of a list, which is a plan of its own: its steps, what they give, and the steps
    /// around that they read.
    fn inside(
        &mut self,
        each: &ForEach,
        path: &str,
        around: &Around,
    ) -> (Vec<Draft>, Vec<(String, String)>, Vec<Source>) {
        let drafts = std::mem::take(&mut self.drafts);
        self.nesting += 1;
        self.names.frames.push(Frame { item: Some(each.item.clone()), ..Frame::default() });
        let steps = format!("{path}/do");
        self.collect(&each.steps, &steps);
        let inner = Around {
            feed: Feed::Item(each.item.clone()),
            block: around.block,
            outer: around.outer.clone(),
            ..Around::default()
        };
        let exits = self.sequence(&each.steps, &steps, inner);
        let (exits, inside) = (self.named(&exits), std::mem::replace(&mut self.drafts, drafts));
        self.nesting -= 1;
        let frame = self.names.frames.pop().unwrap_or_default();
        let outside = self.names.frames.len().saturating_sub(1);
        let captures = frame.captures.iter().map(|(step, at)| match *at == outside {
            true => Source::Here(step.clone()),
            false => Source::Outer(step.clone()),
        });
        (inside, exits, captures.collect())
    }

    /// What a workflow gives, if it says so.
    pub(super) fn output(&mut self, output: &Json, path: &str, around: &Around) -> Vec<String> {
        let prefix = self.names.here().map(|it| it.prefix.clone()).unwrap_or_default();
        let name = format!("{prefix}workflow.output");
        let mut reads = Reads::default();
        let template = self.template(output, path, around, &mut reads, None);
        let task = structure::given();
        let draws = Draws { task, with: vec![(GIVEN.to_owned(), template)], fed: None };
        let mut draft = Draft::new(name.clone(), path, Work::Draws(draws), &around.after);
        draft.run_when = RunWhen::NoneFailed;
        draft.policy.on_failure = OnFailure::Fail;
        self.push(draft, reads);
        vec![name]
    }

    /// Adds a step that waits for what it reads.
    pub(super) fn push(&mut self, mut draft: Draft, reads: Reads) {
        let own = draft.name.clone();
        let read = reads.steps.iter().filter_map(|it| it.1.here()).filter(|it| *it != own);
        let fed = match &reads.input {
            Feed::Steps(steps) => steps.as_slice(),
            Feed::Nothing | Feed::Item(_) => &[],
        };
        let params = match &reads.params {
            Some(Params::Step(source)) => Some(source.name()),
            Some(Params::Run) | None => None,
        };
        draft.wait_for(read.chain(fed.iter().map(|it| it.1.as_str())).chain(params));
        draft.reads = reads;
        self.drafts.push(draft);
    }

    /// The library.
    pub(super) fn library(&self) -> &Library {
        self.library
    }
}

/// Whether each step that waits for what stands before a composition wants all of it to succeed.
fn all_must_succeed(it: &Composition) -> bool {
    match it {
        Composition::Step(step) => step.when == Rule::AllSuccess,
        Composition::Parallel(all) | Composition::Graph(all) => all.iter().all(all_must_succeed),
        Composition::Sequential(all) | Composition::Pipeline(all) => {
            all.first().is_none_or(all_must_succeed)
        }
        Composition::Scope(it) => it.steps.first().is_none_or(all_must_succeed),
        Composition::Tree(it) => all_must_succeed(&it.root),
        Composition::Conditional(_) | Composition::ForEach(_) | Composition::Workflow(_) => true,
    }
}

/// How many steps of a composition wait for what stands before it.
fn entries(it: &Composition) -> usize {
    let sum = |all: &[Composition]| all.iter().map(entries).sum();
    match it {
        Composition::Parallel(all) | Composition::Graph(all) => sum(all),
        Composition::Sequential(all) | Composition::Pipeline(all) => all.first().map_or(0, entries),
        Composition::Scope(it) => it.steps.first().map_or(0, entries),
        Composition::Tree(it) => entries(&it.root),
        Composition::Step(_)
        | Composition::Conditional(_)
        | Composition::ForEach(_)
        | Composition::Workflow(_) => 1,
    }
}
