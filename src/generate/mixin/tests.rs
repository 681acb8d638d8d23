//! What a contract asks for, found in each of its places.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::{MixinKind, Wanted, wanted};
use crate::contract::{self, NoIncludes};
use crate::finding::Finding;

fn of(kind: &str, rest: &str) -> (Vec<Wanted>, Vec<Finding>) {
    let text = format!("name: node_x\nnode_type: {kind}\n{rest}");
    let contract = contract::parse(&text, "x.yaml", &NoIncludes).contract.unwrap();
    let mut findings = Vec::new();
    let wanted = wanted(&contract, &mut findings);
    (wanted, findings)
}

fn names(wanted: &[Wanted]) -> Vec<&'static str> {
    wanted.iter().map(|it| it.mixin.name()).collect()
}

#[test]
fn every_place_is_looked_at() {
    for (rest, name) in [
        ("retry_policy: {max_retries: 2}", "retry"),
        ("error_handling: {retry_policy: {backoff: exponential}}", "retry"),
        ("descriptor: {circuit_breaker: {enabled: true}}", "circuit_breaker"),
        ("effect_operations: {transaction: {enabled: true}}", "transaction"),
        ("supports_health_check: true", "health_check"),
        ("metrics: {prefix: x}", "metrics"),
        ("subcontracts: [{name: retry, path: a.yaml}]", "retry"),
        ("subcontracts: [circuit_breaker_subcontract]", "circuit_breaker"),
        ("mixins: [retry]", "retry"),
        ("mixins: {caching: {enabled: false}, metrics: {}}", "metrics"),
        ("annotations: {mixins: {transaction: {}}}", "transaction"),
    ] {
        assert_eq!(names(&of("EFFECT_GENERIC", rest).0), [name], "{rest}");
    }
}

#[test]
fn what_is_switched_off_is_not_wanted() {
    for rest in [
        "retry_policy: {enabled: false}",
        "health_check: null",
        "supports_health_check: false",
        "caching: {caching_enabled: false}",
    ] {
        assert_eq!(names(&of("COMPUTE_GENERIC", rest).0), [""; 0], "{rest}");
    }
}

#[test]
fn numbers_become_attributes_in_their_unit() {
    let rest = "error_handling:\n  retry_policy: {max_retries: 5, base_delay_ms: 250}\n  \
                circuit_breaker: {failure_threshold: 4, timeout_seconds: 1.5}\n";
    let (found, _) = of("EFFECT_GENERIC", rest);
    let settings: Vec<&str> = found.iter().flat_map(|it| &it.settings).map(|it| &**it).collect();
    assert_eq!(
        settings,
        [
            "breaker_failures_max = 4",
            "breaker_open_seconds = 1.5",
            "retry_max = 5",
            "retry_base_seconds = 0.25",
        ]
    );
}

#[test]
fn numbers_that_cannot_be_leave_the_mixins_own() {
    for number in ["-1", "1.5", "1e300", ".nan", "many", "0"] {
        let (found, _) = of("EFFECT_GENERIC", &format!("retry_policy: {{max_retries: {number}}}"));
        assert!(found.iter().all(|it| it.settings.is_empty()), "{number}: {found:?}");
    }
}

#[test]
fn what_makes_no_sense_is_left_out_and_said() {
    let rest = "caching: {ttl_seconds: 5}\nretry_policy: {max_retries: 5}\nmetrics: {a: b}\n";
    let (found, findings) = of("REDUCER_GENERIC", rest);
    assert_eq!(names(&found), ["metrics"]);
    let messages: Vec<&str> = findings.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.iter().all(|it| it.contains("is left out of the REDUCER node")));
    assert_eq!(names(&of("COMPUTE_GENERIC", rest).0), ["metrics", "caching"]);
}

#[test]
fn the_breaker_is_inside_the_retries() {
    let at = |mixin: MixinKind| MixinKind::ALL.iter().position(|it| *it == mixin);
    assert!(at(MixinKind::CircuitBreaker) < at(MixinKind::Retry));
    assert_eq!(at(MixinKind::Caching), Some(MixinKind::ALL.len() - 1));
}
