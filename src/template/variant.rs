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
        let mut of_kind = Self::of_kind(contract.node_type).iter().copied();
        of_kind.find(|it| it.missing(contract).is_none()).unwrap_or(Self::Plain)
    }

    /// What a contract would have to declare for this variant, where it does not.
    pub fn missing(self, contract: &Contract) -> Option<&'static str> {
        let (declared, matter) = match self {
            Self::Plain => (true, "nothing"),
            Self::Fsm => (contract.state_machine.is_some(), "state machine"),
            Self::Workflow => (
                contract.workflow.as_ref().is_some_and(|it| !it.steps.is_empty()),
                "workflow with steps",
            ),
            Self::IoOperations => (!contract.io_operations.is_empty(), "IO operation"),
            Self::EventDriven => (!contract.subscribe_topics.is_empty(), "topic to listen to"),
        };
        (!declared).then_some(matter)
    }
}
