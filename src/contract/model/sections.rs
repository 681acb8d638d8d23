//! Parts of the normal form that say how a node is run and wired, not what it computes. Pure data.

use serde::Serialize;

use super::mixins::Mixin;
use super::{Model, Version};
use crate::finding::Span;

/// How a node is run and wired.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sections {
    /// Codes a command line node ends with: `status_codes`, or those of `definitions`.
    pub status_codes: Vec<StatusCode>,
    /// What an error leaves behind: `error_state`.
    pub error_state: Option<Model>,
    /// `descriptor`: what the runtime may expect of the node.
    pub descriptor: Option<Descriptor>,
    /// The event bus beyond the topics.
    pub event_bus: Option<EventBus>,
    /// `handler_routing`, or the one `handler` of the older form.
    pub handler_routing: Option<HandlerRouting>,
    /// How an EFFECT carries its operations out: `effect` or `effect_operations`.
    pub effect: Option<Effect>,
    /// How a COMPUTE computes: `algorithm` or `compute`.
    pub compute: Option<Compute>,
    /// Subcontracts by reference: entries of `subcontracts` that name a file.
    pub subcontracts: Vec<Subcontract>,
    /// What the contract asks for around the node's work, the innermost first.
    pub mixins: Vec<Mixin>,
    /// Those of the four markers of the original form that are true.
    pub markers: Vec<String>,
    /// Profiles of the runtime under which the node runs.
    pub runtime_profiles: Vec<String>,
    /// `performance.single_operation_max_ms`.
    pub single_operation_max_ms: Option<u64>,
}

/// A code with which a process ends.
#[derive(Debug, Clone, Serialize)]
pub struct StatusCode {
    /// Code or name as written.
    pub code: String,
    /// What it means.
    pub description: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// What the runtime may expect of a node.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Descriptor {
    /// `node_archetype` as written.
    pub archetype: Option<String>,
    /// `pure`, `side_effecting`, or as written.
    pub purity: Option<String>,
    /// Whether doing it twice is doing it once.
    pub idempotent: Option<bool>,
    /// How long one call may take.
    pub timeout_ms: Option<u64>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// The event bus beyond the topics of the contract.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EventBus {
    /// Version of the section.
    pub version: Option<Version>,
    /// Topics for events that could not be handled.
    pub dead_letter_topics: Vec<String>,
    /// The topic that says that all is over.
    pub terminal_topic: Option<String>,
    /// Consumer group as written.
    pub consumer_group: Option<String>,
}

/// Which handler gets what.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HandlerRouting {
    /// `operation_match`, `payload_type_match`, `topic_pattern`, or as written.
    pub strategy: Option<String>,
    /// Version of the section.
    pub version: Option<Version>,
    /// Handlers in order.
    pub handlers: Vec<Handler>,
    /// The handler for what no other takes.
    pub default_handler: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A handler.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Handler {
    /// Class, function or key as written.
    pub name: String,
    /// Dotted module.
    pub module: Option<String>,
    /// The operation it carries out.
    pub operation: Option<String>,
    /// Class of the events it takes.
    pub event_class: Option<String>,
    /// The topic it listens to, where it has one of its own.
    pub topic: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// How operations are carried out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Effect {
    /// `sequential_abort` and so on, as written.
    pub execution_mode: Option<String>,
    /// How long all operations together may take.
    pub timeout_ms: Option<u64>,
    /// Most retries of an operation.
    pub retries_max: Option<u64>,
    /// Whether a circuit breaker is on.
    pub circuit_breaker: Option<bool>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// How a result is computed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Compute {
    /// `algorithm_type` as written.
    pub algorithm: Option<String>,
    /// Factors in order.
    pub factors: Vec<Factor>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A factor of an algorithm.
#[derive(Debug, Clone, Serialize)]
pub struct Factor {
    /// Name as written.
    pub name: String,
    /// Its share of the whole.
    pub weight: Option<f64>,
    /// How it is computed, as written.
    pub method: Option<String>,
}

/// A subcontract by reference. It is not read: only an `!include` is.
#[derive(Debug, Clone, Serialize)]
pub struct Subcontract {
    /// Name as written; the path where none is given.
    pub name: String,
    /// Path as written.
    pub path: Option<String>,
    /// `mixin` and so on, as written.
    pub kind: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}
