//! Keys at the top of a contract: which are known, and which are probably misspelt.

use crate::contract::document::Node;
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level};

/// Most unknown keys that are compared with the known ones.
const UNKNOWN_MAX: usize = 500;

/// Most typing mistakes in a key that is still taken for a known one: a contract may have keys of
/// its own, and a longer distance finds a namesake for most of them.
const TYPOS_MAX: usize = 2;

/// Longest key that is compared with the known ones.
const KEY_CHARS_MAX: usize = 64;

/// Warns of keys that are not known but near to one that is. Other unknown keys are nobody's
/// business: a contract may carry what its author likes.
pub(super) fn check(document: &Node, notes: &mut Notes) {
    let mut unknown = 0;
    for (key, _) in document.pairs() {
        let Some(name) = key.text() else {
            let message = format!("a key at the top must be a text, this is {}", key.what());
            notes.warning("contract.unknown-key", key.span, message);
            continue;
        };
        if KNOWN.binary_search(&name).is_ok() || name.chars().count() > KEY_CHARS_MAX {
            continue;
        }
        unknown += 1;
        if unknown > UNKNOWN_MAX {
            return;
        }
        let near = crate::error::nearest(name, KNOWN);
        let near = near.filter(|near| strsim::damerau_levenshtein(name, near) <= TYPOS_MAX);
        if let Some(near) = near {
            let message = format!("the key {} is not known", shown(name));
            notes.push(
                Finding::new("contract.unknown-key", Level::Warning, message)
                    .at(key.span)
                    .with_help(format!("did you mean `{near}`?")),
            );
        }
    }
}

/// Keys that upstream's models define or that more than one real contract has, sorted.
const KNOWN: [&str; 221] = [
    "actions",
    "activation",
    "aggregation",
    "algorithm",
    "associated_documents",
    "author",
    "base_class",
    "branching",
    "cache_key",
    "cacheable",
    "caching",
    "capabilities",
    "capability_inputs",
    "capability_outputs",
    "changelog",
    "circuit_breaker",
    "cli",
    "cli_interface",
    "compute",
    "config",
    "config_model",
    "configuration",
    "conflict_resolution",
    "constraints",
    "consumed_events",
    "contract_description",
    "contract_driven",
    "contract_id",
    "contract_name",
    "contract_type",
    "contract_version",
    "copyright",
    "created_at",
    "db_io",
    "db_repository",
    "definitions",
    "dependencies",
    "dependency_ownership",
    "deprecated",
    "deprecation_notice",
    "description",
    "descriptor",
    "deterministic",
    "documentation",
    "dod_evidence",
    "downstream_effects",
    "effect",
    "effect_operations",
    "embedding_config",
    "entrypoint",
    "env_dependencies",
    "environment",
    "error_codes",
    "error_handling",
    "error_state",
    "error_states",
    "event_bus",
    "event_coordination",
    "event_emission",
    "event_flow",
    "event_outputs",
    "event_registry",
    "event_sources",
    "event_type",
    "events",
    "examples",
    "execution",
    "execution_constraints",
    "execution_mode",
    "external_services",
    "externally_consumed_topics",
    "failure_isolation_enabled",
    "feature_flags",
    "features",
    "fingerprint",
    "fsm",
    "golden_path",
    "handler",
    "handler_class",
    "handler_config",
    "handler_id",
    "handler_kind",
    "handler_name",
    "handler_routing",
    "handler_type",
    "handlers",
    "hash",
    "health_check",
    "idempotency",
    "infrastructure",
    "initial_command",
    "input",
    "input_model",
    "input_state",
    "input_subscriptions",
    "input_validation",
    "inputs",
    "integration",
    "integration_testing",
    "intent_based_side_effects",
    "intent_consumption",
    "intent_emission",
    "intent_reception",
    "intents",
    "invariants",
    "io_operations",
    "last_modified_at",
    "lifecycle",
    "lifecycle_config",
    "load_balancing",
    "load_balancing_enabled",
    "logging",
    "mcp",
    "meta_type",
    "metadata",
    "metadata_model",
    "metadata_version",
    "metrics",
    "metrics_collection_enabled",
    "migrations",
    "model_routing",
    "models",
    "monitoring",
    "monitoring_enabled",
    "name",
    "namespace",
    "node_capabilities",
    "node_class",
    "node_classification",
    "node_id",
    "node_name",
    "node_not_implemented",
    "node_specification",
    "node_tier",
    "node_type",
    "node_version",
    "nodes",
    "onex_compliance",
    "operation_bindings",
    "operational_monitoring",
    "operations",
    "output",
    "output_model",
    "output_models",
    "output_state",
    "output_transformation",
    "outputs",
    "owner",
    "parallel_processing",
    "performance",
    "performance_benchmarks",
    "performance_constraints",
    "placement",
    "privacy",
    "produced_events",
    "profile_tags",
    "projection",
    "projection_reader",
    "protocol_based",
    "protocol_interfaces",
    "protocol_version",
    "publications",
    "publish_topics",
    "published_events",
    "pure_fsm",
    "pure_function",
    "qdrant_config",
    "quarantine",
    "rate_limiting",
    "result_model",
    "retry_policies",
    "runtime",
    "runtime_language_hint",
    "runtime_profiles",
    "schema_version",
    "security",
    "service_configuration",
    "shared_model_dependencies",
    "shared_models",
    "side_effects",
    "staleness",
    "state_contract",
    "state_machine",
    "state_model",
    "state_transitions",
    "status",
    "storage",
    "streaming",
    "strong_typing",
    "sub_handler_dependencies",
    "subcontracts",
    "subscribe_topics",
    "subscriptions",
    "supported_actions",
    "supports_health_check",
    "supports_lifecycle",
    "supports_provisioning",
    "tags",
    "terminal_event",
    "testing",
    "testing_guidance",
    "thunk_emission",
    "time_injection",
    "timestamp_policy",
    "timing_constraints",
    "tool_matching",
    "tool_specification",
    "tool_type",
    "topics",
    "transaction_management",
    "uuid",
    "validation",
    "validation_rules",
    "version",
    "wiring_config",
    "workflow",
    "workflow_coordination",
    "workflow_definition",
    "workflow_id",
    "workflows",
    "zero_any_types",
];

#[cfg(test)]
mod tests {
    use super::KNOWN;

    #[test]
    fn known_keys_are_sorted_for_the_search() {
        assert!(KNOWN.is_sorted());
    }
}
