//! From a definition to a plan: names are resolved, inputs checked against the library, and every
//! composition becomes steps with dependencies. All problems are found, not the first. Runs
//! nothing, reads nothing.
//!
//! A step waits for what stands before it, for what it needs, and for what its expressions read.
//! Where branches meet, a step of its own joins them, so that a join costs the sum of its sides and
//! not their product.

mod bounds;
mod calls;
mod draft;
mod finish;
mod names;
mod overrides;
mod problem;
mod reads;
mod shapes;
mod steps;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::bound::Feed;
use super::checked::Workflow;
use super::composition::{Composition, Definition, Variable};
use super::library::{Input, Kind, Library};
use super::state::Declared;
use crate::error::{Result, nearest};

use bounds::Declaration;
use draft::Draft;
use names::{Frame, Names, is_name};

pub(super) use names::Source;
pub use problem::Problem;

/// Finds the workflows that a definition calls: by the name that it uses, and by what is known as
/// the place of the one that calls.
pub type Others<'a> = &'a dyn Fn(&str, &str) -> Result<Called>;

/// A workflow that is called.
#[derive(Debug, Clone)]
pub struct Called {
    /// Its place, by which it is told from others: the path of a file, or a name.
    pub uri: String,
    /// The workflow.
    pub definition: Definition,
}

/// Checks a definition and makes a plan of it.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn lower(
    definition: &Definition,
    uri: &str,
    library: &Library,
    others: Others<'_>,
) -> Result<Workflow, Vec<Problem>> {
    let mut lowering = Lowering::new(library, others);
    lowering.calls.push(uri.to_owned());
    let parameters = lowering.parameters(definition, "");
    let names = parameters.iter().map(|it| it.name.clone()).collect();
    lowering.names.frames.push(Frame { parameters: names, ..Frame::default() });
    if !is_name(&definition.name) {
        lowering.misnamed("/name", &definition.name, "a pipeline");
    }
    let exits = lowering.definition(definition, "", Feed::Nothing);
    let digest = lowering.digest.finalize().to_hex().to_string();
    let (concurrency, timeout) = lowering.bounds(definition);
    let exits = lowering.named(&exits);
    let declared = lowering.estimates();
    let has_pure = lowering.has_pure;
    let limits = lowering.resources.iter().map(|(name, it)| (name.clone(), it.limit)).collect();
    let (plan, problems) = lowering.finish();
    let Some(plan) = plan.filter(|_| problems.is_empty()) else { return Err(problems) };
    Ok(Workflow {
        name: definition.name.clone(),
        version: definition.version.clone(),
        description: definition.description.clone(),
        parameters,
        plan: Arc::new(plan),
        concurrency,
        timeout,
        limits,
        digest,
        expected: None,
        has_pure,
        declared,
        exits,
    })
}

/// A definition on its way to a plan.
struct Lowering<'a> {
    library: &'a Library,
    others: Others<'a>,
    problems: Vec<Problem>,
    names: Names,
    /// Steps of the plan that is being made.
    drafts: Vec<Draft>,
    /// Values of the state, by their numbers.
    declared: Vec<Arc<Declared>>,
    blocks: usize,
    /// Places of the workflows that are being called, the innermost last.
    calls: Vec<String>,
    /// Of every definition.
    digest: blake3::Hasher,
    resources: BTreeMap<String, Declaration>,
    joins: usize,
    /// Lists around the place that is being looked at.
    nesting: usize,
    /// Whether a step is declared pure.
    has_pure: bool,
}

/// What surrounds a composition.
#[derive(Debug, Clone, Default)]
struct Around {
    /// Steps that must have ended.
    after: Vec<String>,
    feed: Feed,
    /// The question that decides whether it is done, and the answer that it needs.
    branch: Option<(String, bool)>,
    /// The block that it is in, and those around.
    block: usize,
    outer: Vec<usize>,
}

impl<'a> Lowering<'a> {
    fn new(library: &'a Library, others: Others<'a>) -> Self {
        Self {
            library,
            others,
            problems: Vec::new(),
            names: Names::default(),
            drafts: Vec::new(),
            declared: Vec::new(),
            blocks: 0,
            calls: Vec::new(),
            digest: blake3::Hasher::new(),
            resources: BTreeMap::new(),
            joins: 0,
            nesting: 0,
            has_pure: false,
        }
    }

    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem::new(path, message));
        let last = self.problems.len() - 1;
        #[allow(clippy::indexing_slicing, reason = "it was pushed just now")]
        &mut self.problems[last]
    }

    /// The steps of a workflow; its frame is the innermost one. Gives what it gives.
    fn definition(&mut self, definition: &Definition, path: &str, feed: Feed) -> Vec<String> {
        let text = serde_json::to_string(definition).unwrap_or_default();
        self.digest.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        if definition.steps.is_empty() {
            self.problem(format!("{path}/steps"), "there are no steps")
                .hint
                .replace("Write a list of them under `steps`.".to_owned());
        }
        for (name, resource) in &definition.resources {
            self.resource(name, resource, &format!("{path}/resources/{name}"));
        }
        let block = self.block(&definition.state, &format!("{path}/state"));
        let after = self.names.here().and_then(|it| it.parameters_from.clone());
        let around =
            Around { after: after.into_iter().collect(), feed, block, ..Around::default() };
        let steps = format!("{path}/steps");
        self.collect(&definition.steps, &steps);
        let mut exits = self.sequence(&definition.steps, &steps, around.clone());
        if let Some(output) = &definition.output {
            let around = Around { after: exits, ..around };
            exits = self.output(output, &format!("{path}/output"), &around);
        }
        exits
    }

    /// Declares the values of a block; gives the block's number.
    fn block(&mut self, state: &BTreeMap<String, Variable>, path: &str) -> usize {
        self.blocks += 1;
        for (name, variable) in state {
            if !is_name(name) {
                self.misnamed(&format!("{path}/{name}"), name, "a value of the state");
            }
            let (name, variable, block) = (name.clone(), variable.clone(), self.blocks);
            self.declared.push(Arc::new(Declared { name, variable, block }));
        }
        self.blocks
    }

    fn misnamed(&mut self, path: &str, name: &str, what: &str) {
        let message = match name {
            "" => format!("{what} has no name"),
            _ => format!("`{name}` is no name for {what}"),
        };
        let hint = "A name is made of letters, digits and underscores, and begins with no digit.";
        self.problem(path, message).hint = Some(hint.to_owned());
    }

    fn parameters(&mut self, definition: &Definition, path: &str) -> Vec<Input> {
        let mut seen = BTreeSet::new();
        let mut inputs = Vec::new();
        for (at, parameter) in definition.parameters.iter().enumerate() {
            let path = format!("{path}/parameters/{at}");
            let name = &parameter.name;
            if !is_name(name) {
                self.misnamed(&path, name, "a parameter");
            }
            if !seen.insert(name) {
                self.problem(&path, format!("two parameters are called `{name}`"));
            }
            let typed = if parameter.kind.is_empty() { "any" } else { &parameter.kind };
            let kind = Kind::by_name(typed).unwrap_or_else(|| {
                let near = nearest(typed, Kind::ALL.iter().map(|it| it.as_str()));
                let problem = Problem::new(
                    format!("{path}/type"),
                    format!("parameter `{name}` is of the unknown type `{typed}`"),
                );
                self.problems.push(problem.with_nearest(near));
                Kind::Any
            });
            let mut input = Input::required(name, kind, &parameter.description);
            if let Some(default) = &parameter.default {
                if let Some(problem) = input.problem(default) {
                    self.problem(format!("{path}/default"), format!("the default of {problem}"));
                }
                input = input.or(default.clone());
            }
            inputs.push(input);
        }
        inputs
    }

    /// Notes the names of all steps that can be read from each other.
    fn collect(&mut self, compositions: &[Composition], path: &str) {
        for (at, composition) in compositions.iter().enumerate() {
            let path = format!("{path}/{at}");
            match composition {
                Composition::Step(step) => self.name(&step.name, &path, true),
                Composition::ForEach(it) => {
                    self.name(&it.name, &format!("{path}/for_each"), true);
                    self.note_inside(composition, &it.name);
                }
                Composition::Workflow(it) => {
                    self.name(&it.name, &format!("{path}/workflow"), true);
                }
                Composition::Sequential(all)
                | Composition::Parallel(all)
                | Composition::Pipeline(all)
                | Composition::Graph(all) => {
                    self.collect(all, &format!("{path}/{}", composition.kind()));
                }
                Composition::Conditional(it) => {
                    let path = format!("{path}/conditional");
                    if !it.name.is_empty() {
                        self.name(&it.name, &path, true);
                    }
                    self.collect(&it.then, &format!("{path}/then"));
                    self.collect(&it.otherwise, &format!("{path}/else"));
                }
                Composition::Tree(it) => {
                    let path = format!("{path}/tree");
                    let root = std::slice::from_ref(&it.root);
                    self.collect_as(root, &path, "root");
                    self.collect(&it.children, &format!("{path}/children"));
                }
                Composition::Scope(it) => self.collect(&it.steps, &format!("{path}/scope/steps")),
            }
        }
    }

    /// As [`Self::collect`] of one composition that is no item of a list.
    fn collect_as(&mut self, one: &[Composition], path: &str, key: &str) {
        let before = self.problems.len();
        self.collect(one, path);
        for problem in self.problems.iter_mut().skip(before) {
            let rest = problem.path.strip_prefix(&format!("{path}/0")).unwrap_or_default();
            problem.path = format!("{path}/{key}{rest}");
        }
    }

    /// Notes the names that only the steps of a list can read.
    fn note_inside(&mut self, composition: &Composition, list: &str) {
        for part in composition.parts() {
            if let Some(frame) = self.names.frames.last_mut() {
                frame.inside.insert(part.name().to_owned(), list.to_owned());
            }
            self.note_inside(part, list);
        }
    }

    fn name(&mut self, name: &str, path: &str, required: bool) {
        let path = format!("{path}/name");
        if !is_name(name) {
            if required || !name.is_empty() {
                self.misnamed(&path, name, "a step");
            }
            return;
        }
        let Some(frame) = self.names.frames.last_mut() else { return };
        let full = format!("{}{name}", frame.prefix);
        if frame.names.insert(name.to_owned(), full).is_some() {
            self.problem(path, format!("two steps are called `{name}`"));
        }
    }

    /// Steps of the plan with the names that a person reads.
    fn named(&self, steps: &[String]) -> Vec<(String, String)> {
        let short = |it: &String| it.rsplit('/').next().unwrap_or(it).to_owned();
        steps.iter().map(|it| (short(it), it.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
