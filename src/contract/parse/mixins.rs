//! Mixins: what a contract asks for around the node's work, from whichever place it asks, with the
//! numbers it gives.

use serde_json::{Map, Value as Json};

use crate::contract::document::Node;
use crate::contract::model::limits::number;
use crate::contract::model::mixins::{Mixin, MixinKind, Value};

/// The longest time and the largest number that a contract may ask for: above it the mixin's own
/// value stays.
const VALUE_MAX: f64 = 1e6;

/// The mixins that a contract asks for, the innermost first.
pub(super) fn mixins(document: &Node) -> Vec<Mixin> {
    let mixin = |kind: MixinKind| {
        let asked = asked(document, kind)?;
        let mut settings = Map::new();
        for value in kind.values() {
            if let Some(number) = setting(asked, value) {
                settings.insert(value.attribute.to_owned(), number);
            }
        }
        Some(Mixin { kind, settings, span: Some(asked.span) })
    };
    MixinKind::ALL.into_iter().filter_map(mixin).collect()
}

/// Paths at which contracts ask for it.
fn places(kind: MixinKind) -> &'static [&'static [&'static str]] {
    match kind {
        MixinKind::Transaction => {
            &[&["transaction_management"], &["effect_operations", "transaction"]]
        }
        MixinKind::CircuitBreaker => &[
            &["circuit_breaker"],
            &["error_handling", "circuit_breaker"],
            &["descriptor", "circuit_breaker"],
            &["effect_operations", "default_circuit_breaker"],
        ],
        MixinKind::Retry => &[
            &["retry_policy"],
            &["retry_policies"],
            &["error_handling", "retry_policy"],
            &["descriptor", "retry_policy"],
            &["effect_operations", "default_retry_policy"],
        ],
        MixinKind::Metrics => &[&["metrics"], &["metrics_collection_enabled"]],
        MixinKind::HealthCheck => &[&["health_check"], &["supports_health_check"]],
        MixinKind::Caching => &[&["caching"], &["performance", "caching"]],
    }
}

/// Where a contract asks for a mixin: at one of its places, or by name under `mixins` or
/// `subcontracts`.
fn asked(document: &Node, kind: MixinKind) -> Option<&Node> {
    let at_places = places(kind).iter().find_map(|path| document.at(path).filter(|it| on(it)));
    let by_key = || document.at(&["mixins", kind.name()]).filter(|it| on(it));
    let listed = |key: &str| {
        let named = |it: &&Node| {
            let name = it.text().or_else(|| it.first_text(&["name", "subcontract_name", "type"]));
            name.is_some_and(|name| name.trim_end_matches("_subcontract") == kind.name())
        };
        document.get(key)?.items().iter().find(named).filter(|it| on(it))
    };
    at_places.or_else(by_key).or_else(|| listed("mixins")).or_else(|| listed("subcontracts"))
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

/// The number that a contract gives, where it is usable.
fn setting(asked: &Node, value: &Value) -> Option<Json> {
    value.keys.iter().find_map(|(key, factor)| {
        let given = asked.get(key)?.as_f64()? * factor;
        if value.whole {
            let usable = (1.0..=VALUE_MAX).contains(&given) && given.fract() == 0.0;
            usable.then(|| number(given))
        } else {
            let usable = (0.0..=VALUE_MAX).contains(&given);
            // as many digits as milliseconds need
            usable.then(|| number((given * 1e3).round() / 1e3))
        }
    })
}
