//! Variants: what a node of one kind is built around, chosen by what its contract declares. Pure;
//! reads no template.

use crate::contract::{Contract, NodeType};

/// What a node is built around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// One function of its request.
    Plain,
    /// A state machine.
    Fsm,
    /// A graph of steps.
    Workflow,
    /// IO operations, a method each.
    IoOperations,
    /// Events that it listens to, a method each.
    EventDriven,
}

impl Variant {
    /// The name in template names and in `attributes`: `plain`, `fsm`, `workflow`,
    /// `io_operations`, `event_driven`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fsm => "fsm",
            Self::Workflow => "workflow",
            Self::IoOperations => "io_operations",
            Self::EventDriven => "event_driven",
        }
    }

    /// The variants that there are for a kind of node, the one for everything last.
    pub fn of_kind(node_type: NodeType) -> &'static [Self] {
        match node_type {
            NodeType::Compute => &[Self::Plain],
            NodeType::Effect => &[Self::IoOperations, Self::EventDriven, Self::Plain],
            NodeType::Reducer => &[Self::Fsm, Self::Plain],
            NodeType::Orchestrator => &[Self::Workflow, Self::Fsm, Self::EventDriven, Self::Plain],
        }
    }

    /// The variant for a contract: the first of its kind's whose matter it declares.
    pub fn of(contract: &Contract) -> Self {
        let declares = |variant: &&Self| match variant {
            Self::Plain => true,
            Self::Fsm => contract.state_machine.is_some(),
            Self::Workflow => contract.workflow.as_ref().is_some_and(|it| !it.steps.is_empty()),
            Self::IoOperations => !contract.io_operations.is_empty(),
            Self::EventDriven => !contract.subscribe_topics.is_empty(),
        };
        Self::of_kind(contract.node_type).iter().find(declares).copied().unwrap_or(Self::Plain)
    }
}
