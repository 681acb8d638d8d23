//! The normal form of an ONEX node contract: one shape for every form that occurs in reality.
//!
//! Pure data. What has no place here is not lost: [`Contract::document`] is the whole document,
//! unknown keys included.

use serde::Serialize;

use super::document::Node;
use crate::finding::Span;
use limits::Limits;
use sections::Sections;

pub mod limits;
pub mod mixins;
pub mod sections;

/// The four kinds of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NodeType {
    /// A pure function of its input.
    Compute,
    /// Talks to the world.
    Effect,
    /// Folds events into a state, by a state machine.
    Reducer,
    /// Coordinates other nodes, by a workflow.
    Orchestrator,
}

impl NodeType {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Compute, Self::Effect, Self::Reducer, Self::Orchestrator];

    /// The name in tables: `COMPUTE` and so on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compute => "COMPUTE",
            Self::Effect => "EFFECT",
            Self::Reducer => "REDUCER",
            Self::Orchestrator => "ORCHESTRATOR",
        }
    }

    /// The suffix of package and template names: `compute` and so on.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Effect => "effect",
            Self::Reducer => "reducer",
            Self::Orchestrator => "orchestrator",
        }
    }
}

/// A semantic version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Version {
    /// Incompatible changes.
    pub major: u64,
    /// Compatible additions.
    pub minor: u64,
    /// Repairs.
    pub patch: u64,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A contract in normal form.
#[derive(Debug, Clone, Serialize)]
pub struct Contract {
    /// Name as its author wrote it: `name`, else `node_name`, `contract_name`, `node_id`,
    /// `handler_id`, `workflow_id`. Any text at all: see `template::names` for what is safe to use.
    pub name: String,
    /// Kind of the node.
    pub node_type: NodeType,
    /// `contract_version`; 1.0.0 where none is given.
    pub version: Version,
    /// `node_version`.
    pub node_version: Option<Version>,
    /// What the node does; empty where nothing is said.
    pub description: String,
    /// What goes in.
    pub input: Model,
    /// What comes out.
    pub output: Model,
    /// Named object types of `definitions`, in order.
    pub definitions: Vec<Definition>,
    /// Actions of the node (`actions`, list or map).
    pub actions: Vec<Action>,
    /// IO operations of an EFFECT.
    pub io_operations: Vec<IoOperation>,
    /// Dependencies.
    pub dependencies: Vec<Dependency>,
    /// Error codes, from whichever of the five places.
    pub error_codes: Vec<ErrorCode>,
    /// State machine: `state_machine`, `fsm` or `state_transitions`.
    pub state_machine: Option<StateMachine>,
    /// `workflow_coordination.workflow_definition`, or another declared graph of steps.
    pub workflow: Option<Workflow>,
    /// Topics the node listens to.
    pub subscribe_topics: Vec<String>,
    /// Topics the node publishes to.
    pub publish_topics: Vec<String>,
    /// Names of declared capabilities.
    pub capabilities: Vec<String>,
    /// `fingerprint` as written: `semver:12 hex digits`.
    pub fingerprint: Option<String>,
    /// How the node is run and wired.
    #[serde(flatten)]
    pub sections: Sections,
    /// The whole document with spans, unknown keys included. What came from an `!include` has the
    /// place of its tag.
    #[serde(skip)]
    pub document: Node,
}

/// An input or output model.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Model {
    /// Class name, such as `ModelPriceInput`, where one is named.
    pub class_name: Option<String>,
    /// Dotted module of the class, where one is named.
    pub module: Option<String>,
    /// What the model is.
    pub description: Option<String>,
    /// Declared fields in order; empty where the model is only named.
    pub fields: Vec<Field>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A field of a model.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// Name as written: any text.
    pub name: String,
    /// Its type.
    pub field_type: FieldType,
    /// Whether a value must be given.
    pub required: bool,
    /// What it means.
    pub description: Option<String>,
    /// Declared default.
    pub default: Option<serde_json::Value>,
    /// Declared limits of its values.
    #[serde(flatten)]
    pub limits: Limits,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// Type of a field.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// str, string.
    Text,
    /// int, integer.
    Int,
    /// float, number.
    Float,
    /// bool, boolean.
    Bool,
    /// uuid.
    Uuid,
    /// datetime, date-time, timestamp.
    DateTime,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// timedelta, duration.
    Duration,
    /// A decimal number, exact to its last digit.
    Decimal,
    /// Bytes.
    Bytes,
    /// A list of something; `Unknown` inside when the contract does not say of what.
    List(Box<FieldType>),
    /// A mapping from text to something.
    Map(Box<FieldType>),
    /// Or null.
    Optional(Box<FieldType>),
    /// One of these texts.
    Enum(Vec<String>),
    /// One of these values: whole numbers, booleans and texts, not texts alone.
    Literal(Vec<serde_json::Value>),
    /// One of several types; none of them is optional or a union.
    Union(Vec<FieldType>),
    /// A type inside of another, with limits of its own. Those of a field stand beside its type.
    Limited(Box<FieldType>, Limits),
    /// A [`Definition`] by name.
    Ref(String),
    /// Nothing is said, or nothing understandable: the raw text.
    Unknown(String),
}

/// A named object type.
#[derive(Debug, Clone, Serialize)]
pub struct Definition {
    /// Name as written.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Its fields; empty for an enum.
    pub fields: Vec<Field>,
    /// Its values, when it is an enum.
    pub values: Vec<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// An action.
#[derive(Debug, Clone, Serialize)]
pub struct Action {
    /// Name as written.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// An IO operation of an EFFECT.
#[derive(Debug, Clone, Serialize)]
pub struct IoOperation {
    /// Name: `operation`, `operation_type` or `name`.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Names of input fields; their types are not declared.
    pub input_fields: Vec<String>,
    /// Names of output fields; their types are not declared.
    pub output_fields: Vec<String>,
    /// Whether doing it twice is doing it once.
    pub idempotent: bool,
    /// Whether it happens wholly or not at all.
    pub atomic: bool,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A dependency.
#[derive(Debug, Clone, Serialize)]
pub struct Dependency {
    /// Name as written.
    pub name: String,
    /// `type` or `dependency_type`: protocol, handler, service, and some twenty more.
    pub kind: Option<String>,
    /// Dotted module.
    pub module: Option<String>,
    /// Class in the module.
    pub class_name: Option<String>,
    /// Whether the node can do without.
    pub required: bool,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// An error code.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorCode {
    /// Code or name as written.
    pub code: String,
    /// What went wrong.
    pub description: Option<String>,
    /// Whether trying again may help.
    pub recoverable: Option<bool>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A state machine.
#[derive(Debug, Clone, Serialize)]
pub struct StateMachine {
    /// Name; the contract's where none is given.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Initial state: declared, else the first.
    pub initial_state: String,
    /// States in order.
    pub states: Vec<State>,
    /// Transitions in order.
    pub transitions: Vec<Transition>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A state.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// Name as written.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Whether nothing comes after it.
    pub terminal: bool,
    /// Whether it stands for an error.
    pub error: bool,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A transition.
#[derive(Debug, Clone, Serialize)]
pub struct Transition {
    /// Name as written, where there is one.
    pub name: Option<String>,
    /// Source state, or `*`.
    pub from: String,
    /// Target state.
    pub to: String,
    /// What causes it; empty where nothing is said.
    pub trigger: String,
    /// Whether conditions, guards or a priority decide as well, so that two with the same source
    /// and trigger are no contradiction.
    pub conditional: bool,
    /// What it means.
    pub description: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A workflow.
#[derive(Debug, Clone, Serialize)]
pub struct Workflow {
    /// Name; the contract's where none is given.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// sequential, parallel and so on, as written.
    pub execution_mode: Option<String>,
    /// Steps in order.
    pub steps: Vec<WorkflowStep>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A step of a workflow.
#[derive(Debug, Clone, Serialize)]
pub struct WorkflowStep {
    /// Id or name as written.
    pub name: String,
    /// `node_type` as written.
    pub node_type: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Names of the steps before it.
    pub depends_on: Vec<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}
