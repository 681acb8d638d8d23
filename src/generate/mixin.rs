//! Mixins: what a contract asks for around the node's work, from whichever place it asks, with the
//! values it gives. What makes no sense for the kind of node is left out, with a finding.

use super::remark;
use crate::contract::document::Node;
use crate::contract::{Contract, NodeType};
use crate::finding::Finding;

/// The longest time and the largest number that a contract may ask for: above it the mixin's own
/// value stays.
const VALUE_MAX: f64 = 1e6;

/// Something around the node's work. In the order in which they are put around it, the innermost
/// first: what is taken back is not tried again by itself, what is refused by the breaker may be
/// tried again, and an answer from the cache is no call at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mixin {
    Transaction,
    CircuitBreaker,
    Retry,
    Metrics,
    HealthCheck,
    Caching,
}

/// A number in a contract, and the attribute of the mixin that it sets.
struct Value {
    /// Attribute of the class.
    attribute: &'static str,
    /// Keys that may hold it, with the factor that makes it the attribute's unit.
    keys: &'static [(&'static str, f64)],
    /// Whether it is a whole number, of one at least.
    whole: bool,
}

const fn count(attribute: &'static str, keys: &'static [(&'static str, f64)]) -> Value {
    Value { attribute, keys, whole: true }
}

const fn seconds(attribute: &'static str, keys: &'static [(&'static str, f64)]) -> Value {
    Value { attribute, keys, whole: false }
}

const CIRCUIT_BREAKER: [Value; 2] = [
    count("breaker_failures_max", &[("failure_threshold", 1.0)]),
    seconds(
        "breaker_open_seconds",
        &[
            ("timeout_ms", 1e-3),
            ("reset_timeout_ms", 1e-3),
            ("recovery_timeout_seconds", 1.0),
            ("timeout_seconds", 1.0),
        ],
    ),
];

const RETRY: [Value; 3] = [
    count("retry_max", &[("max_retries", 1.0), ("max_attempts", 1.0)]),
    seconds(
        "retry_base_seconds",
        &[
            ("base_delay_ms", 1e-3),
            ("initial_delay_ms", 1e-3),
            ("base_delay_seconds", 1.0),
            ("initial_delay_seconds", 1.0),
        ],
    ),
    seconds("retry_cap_seconds", &[("max_delay_ms", 1e-3), ("max_delay_seconds", 1.0)]),
];

const HEALTH_CHECK: [Value; 1] = [count("health_failures_max", &[("failure_threshold", 1.0)])];

const CACHING: [Value; 2] = [
    count("cache_size_max", &[("max_entries", 1.0), ("max_size", 1.0), ("max_cache_size", 1.0)]),
    seconds("cache_seconds", &[("ttl_seconds", 1.0), ("cache_ttl_seconds", 1.0), ("ttl_ms", 1e-3)]),
];

impl Mixin {
    const ALL: [Self; 6] = [
        Self::Transaction,
        Self::CircuitBreaker,
        Self::Retry,
        Self::Metrics,
        Self::HealthCheck,
        Self::Caching,
    ];

    /// Its name, in files and in contracts: `circuit_breaker`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Retry => "retry",
            Self::Metrics => "metrics",
            Self::HealthCheck => "health_check",
            Self::Caching => "caching",
        }
    }

    /// Its class.
    pub(super) fn class_name(self) -> &'static str {
        match self {
            Self::Transaction => "MixinTransaction",
            Self::CircuitBreaker => "MixinCircuitBreaker",
            Self::Retry => "MixinRetry",
            Self::Metrics => "MixinMetrics",
            Self::HealthCheck => "MixinHealthCheck",
            Self::Caching => "MixinCaching",
        }
    }

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

    /// Paths at which contracts ask for it.
    fn places(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Transaction => {
                &[&["transaction_management"], &["effect_operations", "transaction"]]
            }
            Self::CircuitBreaker => &[
                &["circuit_breaker"],
                &["error_handling", "circuit_breaker"],
                &["descriptor", "circuit_breaker"],
                &["effect_operations", "default_circuit_breaker"],
            ],
            Self::Retry => &[
                &["retry_policy"],
                &["retry_policies"],
                &["error_handling", "retry_policy"],
                &["descriptor", "retry_policy"],
                &["effect_operations", "default_retry_policy"],
            ],
            Self::Metrics => &[&["metrics"], &["metrics_collection_enabled"]],
            Self::HealthCheck => &[&["health_check"], &["supports_health_check"]],
            Self::Caching => &[&["caching"], &["performance", "caching"]],
        }
    }

    /// The numbers that a contract may give.
    fn values(self) -> &'static [Value] {
        match self {
            Self::Transaction | Self::Metrics => &[],
            Self::CircuitBreaker => &CIRCUIT_BREAKER,
            Self::Retry => &RETRY,
            Self::HealthCheck => &HEALTH_CHECK,
            Self::Caching => &CACHING,
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
    pub(super) mixin: Mixin,
    /// Class attributes that the contract sets, as Python.
    pub(super) settings: Vec<String>,
}

/// The mixins that a contract asks for, the innermost first.
pub(super) fn wanted(contract: &Contract, findings: &mut Vec<Finding>) -> Vec<Wanted> {
    let mut all = Vec::new();
    for mixin in Mixin::ALL {
        let Some(asked) = asked(contract, mixin) else { continue };
        if let Some(why) = mixin.misfit(contract.node_type) {
            let kind = contract.node_type.as_str();
            let message = format!("{} is left out of the {kind} node: {why}", mixin.name());
            findings.push(remark("completeness.mixin", message));
            continue;
        }
        let settings = mixin.values().iter().filter_map(|it| setting(asked, it)).collect();
        all.push(Wanted { mixin, settings });
    }
    all
}

/// Where a contract asks for a mixin: at one of its places, or by name under `subcontracts`.
fn asked(contract: &Contract, mixin: Mixin) -> Option<&Node> {
    let document = &contract.document;
    let at_places = mixin.places().iter().find_map(|path| document.at(path).filter(|it| on(it)));
    at_places.or_else(|| {
        let listed = document.get("subcontracts")?;
        let named = |it: &&Node| {
            let name = it.text().or_else(|| it.first_text(&["name", "subcontract_name", "type"]));
            name.is_some_and(|name| name.trim_end_matches("_subcontract") == mixin.name())
        };
        listed.items().iter().find(named).filter(|it| on(it))
    })
}

/// Whether what stands there says yes: `true`, or something that is not switched off.
fn on(node: &Node) -> bool {
    match node.as_bool() {
        Some(answer) => answer,
        None => {
            let off = ["enabled", "caching_enabled"]
                .iter()
                .any(|key| node.get(key).and_then(Node::as_bool) == Some(false));
            !node.is_null() && !off
        }
    }
}

/// `attribute = value`, where the contract gives a usable one.
fn setting(asked: &Node, value: &Value) -> Option<String> {
    let attribute = value.attribute;
    value.keys.iter().find_map(|(key, factor)| {
        let number = asked.get(key)?.as_f64()? * factor;
        if value.whole {
            let usable = (1.0..=VALUE_MAX).contains(&number) && number.fract() == 0.0;
            usable.then(|| format!("{attribute} = {number:.0}"))
        } else {
            let usable = (0.0..=VALUE_MAX).contains(&number);
            // as many digits as milliseconds need
            let rounded = (number * 1e3).round() / 1e3;
            usable.then(|| format!("{attribute} = {rounded:?}"))
        }
    })
}

#[cfg(test)]
mod tests;
