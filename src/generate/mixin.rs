//! Mixins of a package: how each is put around the node's work, and with which values. What makes
//! no sense for the kind of node is left out, with a finding.

use super::remark;
use crate::contract::model::mixins::{Mixin, MixinKind};
use crate::contract::{Contract, NodeType};
use crate::finding::Finding;

impl MixinKind {
    /// The method that puts it around a call.
    pub(super) fn wrapper(self) -> &'static str {
        match self {
            Self::Transaction => "transacted",
            Self::CircuitBreaker => "guarded",
            Self::Retry => "retried",
            Self::Metrics => "measured",
            Self::HealthCheck => "watched",
            Self::Caching => "cached",
        }
    }

    /// What it is, for the title of its file: `Retries of the price node.`
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Transaction => "Transactions",
            Self::CircuitBreaker => "Circuit breaker",
            Self::Retry => "Retries",
            Self::Metrics => "Metrics",
            Self::HealthCheck => "Health check",
            Self::Caching => "Cache",
        }
    }

    /// Why it makes no sense for a kind of node.
    fn misfit(self, node_type: NodeType) -> Option<&'static str> {
        match (self, node_type) {
            (Self::Caching, NodeType::Compute) | (Self::Metrics | Self::HealthCheck, _) => None,
            (Self::Caching, _) => Some("the same request need not come to the same answer"),
            (_, NodeType::Compute) => Some("a pure function has nothing to try again"),
            (_, NodeType::Reducer) => Some("an event that was folded in must not be repeated"),
            (Self::Transaction, NodeType::Orchestrator) => {
                Some("taking back is the work of the nodes that it coordinates")
            }
            _ => None,
        }
    }
}

/// A mixin that a node has.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) mixin: MixinKind,
    /// The numbers that the contract sets.
    pub(super) asked: Mixin,
    /// Class attributes that they become, as Python.
    pub(super) settings: Vec<String>,
}

/// The mixins that a contract asks for, the innermost first.
pub(super) fn wanted(contract: &Contract, findings: &mut Vec<Finding>) -> Vec<Wanted> {
    let mut all = Vec::new();
    for asked in &contract.sections.mixins {
        let mixin = asked.kind;
        if let Some(why) = mixin.misfit(contract.node_type) {
            let kind = contract.node_type.as_str();
            let message = format!("{} is left out of the {kind} node: {why}", mixin.name());
            findings.push(remark("completeness.mixin", message));
            continue;
        }
        let setting = |value: &crate::contract::model::mixins::Value| {
            let number = asked.settings.get(value.attribute)?.as_f64()?;
            let number = if value.whole { format!("{number:.0}") } else { format!("{number:?}") };
            Some(format!("{} = {number}", value.attribute))
        };
        let settings = mixin.values().iter().filter_map(setting).collect();
        all.push(Wanted { mixin, asked: asked.clone(), settings });
    }
    all
}

#[cfg(test)]
mod tests;
