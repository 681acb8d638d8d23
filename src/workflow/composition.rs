//! A workflow as its author writes it: a tree of compositions whose leaves are steps, with
//! parameters, state and limits. Data only, the same in YAML, in JSON and in Rust; `lower` checks
//! it and makes a plan of it.
//!
//! A composition is a mapping with one key that names its kind; a mapping with `use` is a step.
//! A list of compositions is done one after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// A workflow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Definition {
    /// Its name, in tables and where another workflow calls it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in words.
    pub description: String,
    /// What a run can be given.
    pub parameters: Vec<Parameter>,
    /// Values that steps share.
    pub state: BTreeMap<String, Variable>,
    /// How many steps of a run may work at a time, those of its lists and of workflows that it
    /// calls included; of one that is called, how many of its own.
    pub concurrency: Option<usize>,
    /// Longest time of a run, such as `10m`; of a workflow that is called, from when its parameters
    /// are known.
    pub timeout: Option<Span>,
    /// What its steps may use of each resource. One that a called workflow declares, too, is the
    /// same, and must be declared alike.
    pub resources: BTreeMap<String, Resource>,
    /// What is done, one after the other.
    pub steps: Vec<Composition>,
    /// What the workflow gives; without it, what its last composition gives.
    pub output: Option<Json>,
}

/// Something a run can be given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `text`, `integer`, `number`, `boolean`, `list`, `mapping`, `duration` or `any`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is when it is not given; without, it must be given. It may be null.
    #[serde(deserialize_with = "there")]
    pub default: Option<Json>,
    /// What it means, in words.
    pub description: String,
}

/// A value that is there, and may be null.
fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

/// A time span: a text such as `250ms`, or a number of seconds.
pub type Span = Json;

/// A part of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Composition {
    /// One after the other.
    Sequential(Vec<Self>),
    /// Side by side.
    Parallel(Vec<Self>),
    /// One after the other, each with the output of the one before as its `input`.
    Pipeline(Vec<Self>),
    /// In the order that `needs`, and what they read of each other, leave to them.
    Graph(Vec<Self>),
    /// One of two branches.
    Conditional(Box<Conditional>),
    /// A step whose output is the `input` of each of its children.
    Tree(Box<Tree>),
    /// The same for each item of a list that is known only when it runs.
    ForEach(Box<ForEach>),
    /// Another workflow.
    Workflow(Box<Call>),
    /// One after the other, with values of their own.
    Scope(Box<Block>),
    /// One piece of work.
    #[serde(untagged)]
    Step(Box<StepSpec>),
}

/// One piece of work: a component with its inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepSpec {
    /// Its name: letters, digits and underscores.
    pub name: String,
    /// The component, by its name in the library.
    #[serde(rename = "use")]
    pub component: String,
    /// Inputs; texts may have expressions in double braces.
    pub with: Map<String, Json>,
    /// Steps to wait for besides those that it reads and those that stand before it.
    pub needs: Vec<String>,
    /// An expression: the step is skipped when it does not hold.
    #[serde(rename = "if")]
    pub condition: Option<String>,
    /// Which ends of what it waits for let it run.
    pub when: Rule,
    /// Values of the state that it sets when it succeeds; `output` is what it gave.
    pub set: Map<String, Json>,
    /// Repetition of failed attempts.
    pub retry: Option<RetrySpec>,
    /// Longest time of one attempt.
    pub timeout: Option<Span>,
    /// Longest wait for a place.
    pub queue_timeout: Option<Span>,
    /// Longest time of all attempts together.
    pub total_timeout: Option<Span>,
    /// What follows the last failed attempt: `fail`, `degrade`, or a component in its place.
    pub on_failure: FailureSpec,
    /// A component that takes the effect back when the run fails later.
    pub undo: Option<Use>,
    /// The resource that it needs a place of.
    pub resource: Option<String>,
    /// How long it is expected to take, as long as nobody has measured it.
    pub estimate: Option<Span>,
    /// Whether the output of an earlier run with the same component and inputs may stand in.
    pub pure: Option<bool>,
}

/// A component with inputs, inside a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Use {
    /// The component, by its name in the library.
    #[serde(rename = "use")]
    pub component: String,
    /// Its inputs.
    pub with: Map<String, Json>,
}

/// Which ends of what a step waits for let it run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// All succeeded.
    #[default]
    AllSuccess,
    /// One succeeded at least.
    AnySuccess,
    /// None failed, and none was skipped because another failed.
    NoneFailed,
    /// However they ended.
    AllDone,
}

/// What follows the last failed attempt of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureSpec {
    /// The step has failed.
    #[default]
    Fail,
    /// The run goes on without the output.
    Degrade,
    /// Another component tries once.
    Fallback(Use),
}

/// Repetition of failed attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySpec {
    /// Most attempts, the first included.
    pub attempts: u32,
    /// Longest first wait.
    pub initial: Span,
    /// Longest wait.
    pub max: Span,
    /// Growth of the longest wait.
    pub multiplier: f64,
}

impl Default for RetrySpec {
    fn default() -> Self {
        let (initial, max) = (Json::from("100ms"), Json::from("30s"));
        Self { attempts: 3, initial, max, multiplier: 2.0 }
    }
}

/// One of two branches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditional {
    /// Its name, for what it gives; made up where there is none.
    pub name: String,
    /// The expression that decides.
    #[serde(rename = "if")]
    pub condition: String,
    /// What is done when it holds.
    pub then: Vec<Composition>,
    /// What is done when it does not.
    #[serde(rename = "else")]
    pub otherwise: Vec<Composition>,
}

/// A step and what comes of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// What is done first.
    pub root: Composition,
    /// What is done with its output, side by side; again trees, where they go on.
    #[serde(default)]
    pub children: Vec<Composition>,
}

/// The same for each item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForEach {
    /// Its name; its output is the list of what was given for each item.
    pub name: String,
    /// The list, mostly an expression in double braces.
    #[serde(rename = "in")]
    pub items: Json,
    /// What an item is called.
    #[serde(rename = "as")]
    pub item: String,
    /// What is done for each.
    #[serde(rename = "do")]
    pub steps: Vec<Composition>,
    /// How many items at a time; without, as many as there are places.
    pub concurrency: Option<usize>,
    /// Most items; more are an error before the first is begun.
    pub items_max: usize,
    /// Whether an item that fails gives null, with the run marked as degraded.
    pub partial: bool,
}

impl Default for ForEach {
    fn default() -> Self {
        Self {
            name: String::new(),
            items: Json::Null,
            item: "item".to_owned(),
            steps: Vec::new(),
            concurrency: None,
            items_max: 10_000,
            partial: false,
        }
    }
}

/// Another workflow in the place of a step: an instance of it, with steps of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Call {
    /// Its name here.
    pub name: String,
    /// The workflow: the name of one that is known, or a file beside this one.
    #[serde(rename = "use")]
    pub workflow: String,
    /// Its parameters.
    pub with: Map<String, Json>,
    /// What is changed of it: by the names of its steps, settings in the place of theirs.
    #[serde(rename = "override")]
    pub overrides: BTreeMap<String, Overrides>,
}

/// Settings of a [`StepSpec`], but for its name; of a [`Call`], `with` and `override`.
pub type Overrides = Map<String, Json>;

/// Steps with values of their own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Block {
    /// Values that the steps share.
    pub state: BTreeMap<String, Variable>,
    /// What is done, one after the other.
    pub steps: Vec<Composition>,
}

/// A value that steps share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variable {
    /// Who may read it and who may set it.
    pub scope: Access,
    /// What it is before anybody has set it.
    pub initial: Json,
    /// What becomes of several values.
    pub merge: Merge,
}

/// Who may read and set a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read everywhere below, set by nobody: a constant.
    Global,
    /// Read and set by the steps of the block that declares it, not by those of blocks inside.
    Local,
    /// Read everywhere below, set by the steps of the block that declares it.
    Inherited,
    /// Read and set everywhere below.
    #[default]
    Shared,
}

/// What becomes of the values that several steps set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The later one counts; two of which neither is later are a conflict.
    #[default]
    Replace,
    /// Numbers are added to the initial one.
    Sum,
    /// The smallest number counts.
    Min,
    /// The largest number counts.
    Max,
    /// Each value becomes an item of a list.
    Append,
    /// Keys of mappings are brought together; the same key with two values is a conflict.
    Union,
}

/// What the steps may use of a resource.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resource {
    /// Steps that work with it at a time.
    pub places: Option<usize>,
    /// Most starts in a time, such as `10/s`.
    pub rate: Option<String>,
    /// Failures in a row after which it is left alone for a while.
    pub failures: Option<u32>,
    /// How long it is left alone.
    pub cooldown: Option<Span>,
}

impl Composition {
    /// What it is made of; nothing for a step, and for a workflow, whose steps are its own affair.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Sequential(all)
            | Self::Parallel(all)
            | Self::Pipeline(all)
            | Self::Graph(all) => all.iter().collect(),
            Self::Conditional(it) => it.then.iter().chain(&it.otherwise).collect(),
            Self::Tree(it) => std::iter::once(&it.root).chain(&it.children).collect(),
            Self::ForEach(it) => it.steps.iter().collect(),
            Self::Scope(it) => it.steps.iter().collect(),
            Self::Workflow(_) | Self::Step(_) => Vec::new(),
        }
    }

    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        match self {
            Self::Step(it) => &it.name,
            Self::ForEach(it) => &it.name,
            Self::Workflow(it) => &it.name,
            Self::Conditional(it) => &it.name,
            Self::Sequential(_)
            | Self::Parallel(_)
            | Self::Pipeline(_)
            | Self::Graph(_)
            | Self::Tree(_)
            | Self::Scope(_) => "",
        }
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sequential(_) => "sequential",
            Self::Parallel(_) => "parallel",
            Self::Pipeline(_) => "pipeline",
            Self::Graph(_) => "graph",
            Self::Conditional(_) => "conditional",
            Self::Tree(_) => "tree",
            Self::ForEach(_) => "for_each",
            Self::Workflow(_) => "workflow",
            Self::Scope(_) => "scope",
            Self::Step(_) => "step",
        }
    }
}
