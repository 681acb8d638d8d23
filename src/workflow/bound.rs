//! A component of the library bound to a step of a workflow: its inputs are computed from what the
//! step may read, checked, and what it sets is computed from its output. Plans nothing.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::component::{Component, Lane, Output, Verdict};
use super::context::{StepContext, View};
use super::expression::{Expression, Template, Values};
use super::failure::StepError;
use super::library::{Input, Kind, Task};
use super::lower::Source;
use super::outcome::ResultKind;
use super::seen::Seen;
use super::shared::Done;
use super::state::Update;
use crate::event::{ArtifactRow, OUTPUT_KIND, StepKey, Text};

/// Outputs above this are not kept: their steps are done again.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What the steps of a plan work with besides each other: the input of a run, or of one item.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// The parameters; shared, as a list of thousands of items has a scope per item.
    pub(super) params: Arc<Json>,
    /// Items of the lists around, by what they are called.
    pub(super) items: Map<String, Json>,
    /// Their numbers, the outermost first.
    pub(super) numbers: Vec<usize>,
    /// What is read of steps around a list.
    pub(super) captured: Arc<Map<String, Json>>,
    /// What steps around a list have set.
    pub(super) updates: Arc<Vec<Update>>,
}

/// What a step of a workflow hands on.
#[derive(Debug, Clone, Default)]
pub(super) struct Handed {
    pub(super) output: Json,
    pub(super) updates: Vec<Update>,
}

/// What one step may read, found out before anything runs.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Steps, by the names that expressions use.
    pub(super) steps: Vec<(String, Source)>,
    pub(super) input: Feed,
    /// Where the parameters are, if they are read.
    pub(super) params: Option<Params>,
    /// Whether items and their numbers are read.
    pub(super) items: bool,
    /// Whether something of the run itself is read.
    pub(super) run: bool,
    pub(super) state: Vec<Seen>,
}

/// What `input` is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Feed {
    /// Nothing: nobody feeds the step.
    #[default]
    Nothing,
    /// The item of the list around.
    Item(String),
    /// The output of a step, or of several by their names.
    Steps(Vec<(String, String)>),
}

/// Where parameters come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Params {
    /// The run was given them.
    Run,
    /// A step computed them.
    Step(Source),
}

impl Reader {
    /// What expressions see.
    pub(super) fn values(&self, view: &View) -> Result<Map<String, Json>, StepError> {
        let mut values = Map::new();
        let scope = || view.input::<Scope>();
        if !self.steps.is_empty() {
            let mut steps = Map::new();
            for (name, source) in &self.steps {
                steps.insert(name.clone(), seen(view, source)?);
            }
            values.insert("steps".to_owned(), Json::Object(steps));
        }
        match &self.params {
            None => {}
            Some(Params::Run) => {
                values.insert("params".to_owned(), Json::clone(&scope()?.params));
            }
            Some(Params::Step(source)) => {
                let params = seen(view, source)?.get("output").cloned().unwrap_or_default();
                values.insert("params".to_owned(), params);
            }
        }
        if self.items {
            let scope = scope()?;
            values.extend(scope.items.clone());
            values.insert("index".to_owned(), scope.numbers.last().copied().into());
        }
        if let Some(input) = self.fed(view)? {
            values.insert("input".to_owned(), input);
        }
        if self.run {
            values.insert("run".to_owned(), run(view));
        }
        if !self.state.is_empty() {
            values.insert("state".to_owned(), Json::Object(self.state(view)?));
        }
        Ok(values)
    }

    /// What `input` is.
    fn fed(&self, view: &View) -> Result<Option<Json>, StepError> {
        Ok(match &self.input {
            Feed::Nothing => None,
            Feed::Item(name) => view.input::<Scope>()?.items.get(name).cloned(),
            Feed::Steps(steps) => Some(gathered(view, steps)),
        })
    }

    fn state(&self, view: &View) -> Result<Map<String, Json>, StepError> {
        let mut state = Map::new();
        for seen in &self.state {
            state.insert(seen.declared.name.clone(), seen.value(view)?);
        }
        Ok(state)
    }

    /// The reader's values for expressions.
    pub(super) fn scope(&self, view: &View) -> Result<Values, StepError> {
        self.values(view).map(|it| Values::new(&it))
    }
}

/// What expressions see of the run.
fn run(view: &View) -> Json {
    let run = &view.shared.root.run;
    json!({"id": &*run.run_id, "seed": run.seed})
}

/// A step of the plan, if it has ended.
pub(super) fn done<'v>(view: &'v View, step: &str) -> Option<&'v Done> {
    view.shared.plan.find(step).and_then(|it| view.shared.done(it))
}

/// What expressions see of a step.
fn seen(view: &View, source: &Source) -> Result<Json, StepError> {
    let name = source.name();
    if matches!(source, Source::Outer(_)) {
        let captured = &view.input::<Scope>()?.captured;
        return Ok(captured.get(name).cloned().unwrap_or_default());
    }
    let Some(done) = done(view, name) else {
        return Err(StepError::internal(format!("step `{name}` is read before it has ended")));
    };
    let output = done.output.as_ref().and_then(|it| it.value::<Handed>().ok().flatten());
    Ok(json!({
        "output": output.map(|it| it.output.clone()),
        "result": done.result.as_str(),
        "degraded": done.degraded,
    }))
}

/// The output of the only step that has one, or all outputs by name.
pub(super) fn gathered(view: &View, steps: &[(String, String)]) -> Json {
    let outputs = steps.iter().filter_map(|(name, full)| {
        let done = done(view, full).filter(|it| it.result != ResultKind::Skip)?;
        let handed = done.output.as_ref().and_then(|it| it.value::<Handed>().ok().flatten());
        Some((name.clone(), handed.map(|it| it.output.clone()).unwrap_or_default()))
    });
    let mut outputs: Map<String, Json> = outputs.collect();
    match (steps.len(), outputs.len()) {
        (1, 1) => outputs.into_iter().next().map(|it| it.1).unwrap_or_default(),
        (_, 0) => Json::Null,
        _ => {
            outputs.sort_keys();
            Json::Object(outputs)
        }
    }
}

/// A value of the state that a step sets.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) value: Template,
}

/// What a component is to its step. The effect of an undo is wanted each time: its output is
/// neither kept nor recalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Work,
    Fallback,
    Undo,
}

/// A task with what it is given.
#[derive(Debug)]
pub(super) struct Bound {
    /// The step, as it is called in the plan.
    pub(super) step: String,
    pub(super) task: Arc<dyn Task>,
    pub(super) with: Vec<(String, Template)>,
    /// The input that takes what feeds the step.
    pub(super) fed: Option<String>,
    pub(super) set: Arc<Vec<Setting>>,
    pub(super) role: Role,
    pub(super) reader: Arc<Reader>,
    /// Whether the output of any earlier run may stand in.
    pub(super) pure: bool,
}

/// What stands before the output in the content of an artifact that keeps it.
#[derive(serde::Serialize)]
struct KeptFor<'a> {
    component: &'a str,
    version: &'a str,
    input_digest: &'a str,
}

impl Component for Bound {
    fn name(&self) -> &str {
        &self.task.about().name
    }

    fn version(&self) -> &str {
        &self.task.about().version
    }

    fn lane(&self) -> Lane {
        self.task.lane()
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let mut values = self.reader.values(ctx.view())?;
            let inputs = self.inputs(&mut values)?;
            let digest = digest([self.name(), self.version(), &text(&inputs)]);
            let key = self.key(ctx.view())?;
            let mut output = match self.recalled(&ctx, &key, &digest) {
                Some(output) => Output::new(output).cached(),
                None => self.task.call(inputs, ctx.clone()).await?,
            };
            let given = output.take_value::<Json>().map_err(|found| {
                StepError::internal(format!("component `{}` gave a {found}, no JSON", self.name()))
            })?;
            let given_text = given.as_deref().map(text);
            // what was recalled is kept where it was, and its run is known to the run that goes on
            if let Some(text) = given_text.as_deref().filter(|_| !output.cached) {
                self.keep(text, output.verdict(), &ctx, &key, &digest)?;
            }
            let output = output.with_input_digest(digest);
            let given = given.map(Arc::unwrap_or_clone).unwrap_or_default();
            let text = given_text.as_deref().unwrap_or("null");
            self.handed(output, given, text, values, ctx.view())
        })
    }
}

impl Bound {
    /// What the task is given, of the right kinds.
    fn inputs(&self, values: &mut Map<String, Json>) -> Result<Map<String, Json>, StepError> {
        let mut inputs = Map::new();
        // made for the first that asks: most steps are given what stands there
        let scope = OnceCell::new();
        for (name, template) in &self.with {
            let value = match template {
                Template::Literal(value) => Ok(value.clone()),
                other => other.value(scope.get_or_init(|| Values::new(values))),
            };
            let value = value.map_err(|error| {
                StepError::permanent("expression", format!("input `{name}`: {error}"))
            })?;
            inputs.insert(name.clone(), value);
        }
        if let Some(name) = &self.fed {
            inputs.insert(name.clone(), values.get("input").cloned().unwrap_or_default());
        }
        complete(&self.task.about().inputs, &mut inputs)
            .map_err(|error| StepError::permanent("input", error))?;
        Ok(inputs)
    }

    /// The step's name, with the items of the lists that it is done for.
    fn key(&self, view: &View) -> Result<String, StepError> {
        let items: String =
            view.input::<Scope>()?.numbers.iter().map(|it| format!("[{it}]")).collect();
        let role = if self.role == Role::Fallback { ".fallback" } else { "" };
        Ok(format!("{}{}{role}{items}", view.shared.prefix, self.step))
    }

    /// The output that an earlier run has left behind.
    fn recalled(&self, ctx: &StepContext, step: &str, input_digest: &str) -> Option<Json> {
        let memo = ctx.view().shared.root.run.memo.as_ref()?;
        if self.role == Role::Undo {
            return None;
        }
        let (component, version) = (self.name(), self.version());
        memo.recall(&StepKey { step, component, version, input_digest, pure: self.pure })
    }

    /// Leaves an output behind, for a run that goes on where this one has ended, and for steps of
    /// the same component with the same inputs.
    fn keep(
        &self,
        output: &str,
        verdict: &Verdict,
        ctx: &StepContext,
        step: &str,
        input_digest: &str,
    ) -> Result<(), StepError> {
        if *verdict != Verdict::Success || self.role == Role::Undo {
            return Ok(());
        }
        let (component, version) = (self.name(), self.version());
        let about = serde_json::to_string(&KeptFor { component, version, input_digest });
        let about = about.unwrap_or_default();
        let about = about.strip_suffix('}').unwrap_or(&about);
        let content = [about, ",\"output\":", output, "}"].concat();
        if content.len() > KEPT_BYTES_MAX {
            return Ok(());
        }
        ctx.emit(ArtifactRow {
            filename: step.into(),
            kind: OUTPUT_KIND.into(),
            language: "json".into(),
            artifact_digest: blake3::hash(content.as_bytes()).to_hex().as_str().into(),
            size_bytes: i64::try_from(content.len()).unwrap_or(i64::MAX),
            lines: 1,
            content: Some(content.into()),
            ..ArtifactRow::default()
        })
    }

    /// What the step hands on of what the task gave.
    fn handed(
        &self,
        output: Output,
        given: Json,
        text: &str,
        mut values: Map<String, Json>,
        view: &View,
    ) -> Result<Output, StepError> {
        let digest = digest([text]);
        let mut updates = Vec::with_capacity(self.set.len());
        let mut said = Map::new();
        if !self.set.is_empty() {
            values.insert("output".to_owned(), given.clone());
            let scope = Values::new(&values);
            let items = view.input::<Scope>()?.numbers.clone();
            for Setting { number, name, value } in self.set.iter() {
                let value = value.value(&scope).map_err(|error| {
                    StepError::permanent("expression", format!("value `{name}`: {error}"))
                })?;
                said.insert(name.clone(), value.clone());
                let (variable, name, step) = (*number, name.clone(), self.step.clone());
                updates.push(Update { variable, name, value, step, items: items.clone() });
            }
        }
        let output =
            output.with_value(Handed { output: given, updates }).with_output_digest(digest);
        Ok(if said.is_empty() { output } else { output.with_attribute("state", said) })
    }
}

/// Adds defaults, and looks whether everything is there and of its kind.
///
/// # Errors
/// What is wrong with which input, in words.
pub(super) fn complete(inputs: &[Input], given: &mut Map<String, Json>) -> Result<(), String> {
    for input in inputs {
        let name = &input.name;
        match (given.get(name), &input.default) {
            (Some(Json::Null), None) if !input.required && input.kind != Kind::Any => {
                given.shift_remove(name);
            }
            (Some(value), _) => {
                if let Some(problem) = input.problem(value) {
                    return Err(problem);
                }
            }
            (None, Some(default)) => drop(given.insert(name.clone(), default.clone())),
            (None, None) if input.required => return Err(format!("`{name}` is not given")),
            (None, None) => {}
        }
    }
    Ok(())
}

/// A condition of a step as a function of what it may read.
pub(super) fn holds(
    expression: &Expression,
    reader: &Reader,
    view: &View,
) -> Result<bool, StepError> {
    let scope = reader.scope(view)?;
    expression.holds(&scope).map_err(|it| StepError::permanent("expression", it))
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn digest<const N: usize>(parts: [&str; N]) -> Text {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().as_str().into()
}

/// Views of steps by their names in the plan, for the inside of a list.
pub(super) fn captured(view: &View, sources: &[Source]) -> Result<Map<String, Json>, StepError> {
    let seen = sources.iter().map(|it| Ok((it.name().to_owned(), seen(view, it)?)));
    seen.collect::<Result<BTreeMap<_, _>, StepError>>().map(|it| it.into_iter().collect())
}
