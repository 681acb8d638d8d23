//! The four typed contract models of upstream as tables: one per kind of node, on a common base.
//! Pure data; the relations between values are in [`relations`].
//!
//! A row says `Kind::Open("why")` where a model of upstream that hardly occurs in real contracts is
//! left open: a wrong value inside it is not seen here.

use super::shape::Kind::{Flag, List, Map, Model, Number, Open, Word};
use super::shape::{
    ANY, FILLED, Kind, Need, Row, Shape, TEXT, TEXTS, from, may, must, null, within,
};
use crate::contract::NodeType;

mod relations;
mod subcontracts;

use subcontracts::{
    AGGREGATION, ALGORITHM, CACHING, EVENT_BUS, EVENT_TYPE, EXECUTION, FSM, HANDLER_ROUTING,
    PUBLISHED_EVENT, SUBSCRIPTION, WORKFLOW, WORKFLOW_SUBCONTRACT,
};

/// A semantic version as a mapping.
pub(super) static VERSION: Shape = Shape::open(&[&[
    must(from(0), &["major", "minor", "patch"]),
    null(List(&ANY, 0), &["prerelease", "build"]),
]]);

/// The model of a kind of node.
pub(super) fn of(node_type: NodeType) -> &'static Shape {
    match node_type {
        NodeType::Compute => &COMPUTE,
        NodeType::Effect => &EFFECT,
        NodeType::Reducer => &REDUCER,
        NodeType::Orchestrator => &ORCHESTRATOR,
    }
}

/// Whether a key is one of any of the four models.
pub(super) fn knows(key: &str) -> bool {
    NodeType::ALL.into_iter().any(|it| of(it).rows().any(|row| row.keys.contains(&key)))
}

/// Values of upstream's enum of node types; the typed models take them in any case.
pub(super) const NODE_TYPES: [&str; 19] = [
    "COMPUTE_GENERIC",
    "EFFECT_GENERIC",
    "REDUCER_GENERIC",
    "ORCHESTRATOR_GENERIC",
    "RUNTIME_HOST_GENERIC",
    "GATEWAY",
    "VALIDATOR",
    "TRANSFORMER",
    "AGGREGATOR",
    "FUNCTION",
    "TOOL",
    "AGENT",
    "MODEL",
    "PLUGIN",
    "SCHEMA",
    "NODE",
    "WORKFLOW",
    "SERVICE",
    "UNKNOWN",
];

/// Whether the minimal model takes a kind: by value, in any case.
fn is_minimal_type(text: &str) -> bool {
    NODE_TYPES.contains(&text.to_uppercase().as_str())
}

/// The small model behind `onex validate`; what else a contract says does not matter to it.
pub(super) static MINIMAL: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["contract_version"]),
    must(Word(is_minimal_type, "one of upstream's kinds, such as COMPUTE_GENERIC"), &["node_type"]),
    null(TEXT, &["description"]),
    null(List(&Model(&SUBSCRIPTION), 0), &["event_subscriptions"]),
    may(Model(&CONFIG), &["config"]),
    null(TEXTS, &["golden_path"]),
    null(List(&Map(&TEXT, 0), 0), &["dod_evidence"]),
]])
.with(relations::no_version_key);

/// The form of the original system: a bare kind in upper case, four markers that are true, and
/// actions as a map.
pub(super) static ORIGINAL: Shape = Shape::open(&[&[
    must(Kind::OneOf(&["COMPUTE", "EFFECT", "REDUCER", "ORCHESTRATOR"]), &["node_type"]),
    must(ANY, &["contract_version"]),
    must(FILLED, &["description"]),
    must(Flag, &["contract_driven", "strong_typing", "zero_any_types", "protocol_based"]),
    may(Map(&ANY, 0), &["actions", "definitions", "input_state", "output_state"]),
]])
.with(relations::original);

fn is_node_type(text: &str) -> bool {
    let upper = text.to_uppercase();
    NodeType::ALL.iter().any(|it| it.as_str() == upper) || NODE_TYPES.contains(&upper.as_str())
}

static BASE: [Row; 27] = [
    must(FILLED, &["name", "description", "input_model", "output_model"]),
    must(Model(&VERSION), &["contract_version"]),
    null(Model(&VERSION), &["node_version"]),
    must(Word(is_node_type, "a kind of node"), &["node_type"]),
    may(Model(&PLACEMENT), &["placement"]),
    may(List(&Model(&LEASE), 0), &["leases"]),
    may(Model(&PERFORMANCE), &["performance"]),
    may(Model(&LIFECYCLE), &["lifecycle"]),
    Row { keys: &["dependencies"], need: Need::Empty, kind: List(&Model(&DEPENDENCY), 0) },
    may(TEXTS, &["protocol_interfaces", "tags", "golden_path"]),
    may(List(&Model(&PROTOCOL), 0), &["protocol_dependencies"]),
    null(TEXT, &["author", "documentation_url"]),
    null(Map(&ANY, 0), &["annotations"]),
    may(List(&Model(&FEATURE_FLAG), 0), &["feature_flags"]),
    may(List(&Model(&DOD_EVIDENCE), 0), &["dod_evidence"]),
    may(Model(&CONFIG), &["config"]),
    null(Model(&EXECUTION), &["execution"]),
    null(Model(&BEHAVIOR), &["behavior"]),
    null(Model(&CONCURRENCY), &["concurrency"]),
    may(Model(&BEHAVIOR_SPEC), &["behavior_spec"]),
    null(Model(&EVENT_BUS), &["event_bus"]),
    null(Model(&MCP), &["mcp"]),
    null(Map(&Open("no real contract has one"), 0), &["skill_surface"]),
    null(Model(&INTENT_CONSUMPTION), &["intent_consumption"]),
    null(Model(&HANDLER_ROUTING), &["handler_routing"]),
    Row { keys: &["yaml_consumed_events"], need: Need::Empty, kind: List(&ANY, 0) },
    Row { keys: &["yaml_published_events"], need: Need::Empty, kind: List(&ANY, 0) },
];

static COMPUTE: Shape = Shape::closed(&[&BASE, &COMPUTE_ROWS]).with(relations::compute);
static COMPUTE_ROWS: [Row; 12] = [
    may(Open("upstream makes rules of almost anything here"), &["validation_rules"]),
    null(TEXT, &["node_name"]),
    null(Map(&Model(&SCHEMA_VALUE), 0), &["tool_specification", "service_configuration"]),
    null(Map(&Model(&SCHEMA_VALUE), 0), &["input_state", "output_state"]),
    null(Map(&Model(&SCHEMA_VALUE), 0), &["infrastructure", "infrastructure_services"]),
    null(List(&Map(&Model(&SCHEMA_VALUE), 0), 0), &["actions"]),
    null(Model(&ALGORITHM), &["algorithm"]),
    may(Model(&PARALLEL), &["parallel_processing"]),
    may(Map(&ANY, 0), &["input_validation", "output_transformation"]),
    may(
        Flag,
        &["deterministic_execution", "memory_optimization_enabled", "intermediate_result_caching"],
    ),
    null(Model(&EVENT_TYPE), &["event_type"]),
    null(Model(&CACHING), &["caching"]),
];

static NODE_ROWS: [Row; 4] = [
    null(TEXT, &["node_name"]),
    null(Map(&ANY, 0), &["tool_specification", "service_configuration", "infrastructure"]),
    null(Map(&ANY, 0), &["infrastructure_services", "input_state", "output_state"]),
    null(List(&Map(&ANY, 0), 0), &["actions"]),
];

static EFFECT: Shape = Shape::closed(&[&BASE, &NODE_ROWS, &EFFECT_ROWS]).with(relations::effect);
static EFFECT_ROWS: [Row; 12] = [
    may(Open("upstream makes rules of almost anything here"), &["validation_rules"]),
    null(List(&Model(&IO_OPERATION), 1), &["io_operations"]),
    may(Model(&TRANSACTION), &["transaction_management"]),
    may(Model(&RETRY), &["retry_policies"]),
    may(List(&Open("two real contracts have one"), 0), &["external_services"]),
    may(Model(&BACKUP), &["backup_config"]),
    may(Flag, &["idempotent_operations", "side_effect_logging_enabled", "audit_trail_enabled"]),
    may(Flag, &["consistency_validation_enabled"]),
    may(Word(relations::is_uuid, "a UUID"), &["correlation_id", "execution_id"]),
    null(Model(&EVENT_TYPE), &["event_type"]),
    null(Model(&CACHING), &["caching"]),
    null(Map(&Open("no real contract has one"), 0), &["routing"]),
];

static REDUCER: Shape = Shape::closed(&[&BASE, &NODE_ROWS, &REDUCER_ROWS]).with(relations::reducer);
static REDUCER_ROWS: [Row; 15] = [
    may(Map(&ANY, 0), &["validation_rules"]),
    null(Word(relations::is_fingerprint, "a version, `:` and 12 hex digits"), &["fingerprint"]),
    null(List(&Model(&REDUCTION), 0), &["reduction_operations"]),
    null(Model(&STREAMING), &["streaming"]),
    null(Model(&CONFLICT_RESOLUTION), &["conflict_resolution"]),
    null(Model(&MEMORY), &["memory_management"]),
    may(Flag, &["order_preserving", "incremental_processing", "result_caching_enabled"]),
    may(Flag, &["partial_results_enabled"]),
    may(Word(relations::is_uuid, "a UUID"), &["correlation_id"]),
    null(Model(&FSM), &["state_machine", "state_transitions"]),
    null(Model(&EVENT_TYPE), &["event_type"]),
    null(Model(&CACHING), &["caching"]),
    null(Model(&AGGREGATION), &["aggregation"]),
    null(Map(&Open("no real contract has one"), 0), &["state_management"]),
    null(Model(&WORKFLOW_SUBCONTRACT), &["workflow_coordination"]),
];

static ORCHESTRATOR: Shape =
    Shape::closed(&[&BASE, &ORCHESTRATOR_ROWS]).with(relations::orchestrator);
static ORCHESTRATOR_ROWS: [Row; 10] = [
    may(Map(&ANY, 0), &["validation_rules"]),
    may(Model(&ACTION_EMISSION), &["action_emission"]),
    may(Model(&WORKFLOW), &["workflow_coordination"]),
    may(Model(&BRANCHING), &["conditional_branching"]),
    may(Map(&Open("no real contract has one"), 0), &["event_registry"]),
    may(List(&Model(&PUBLISHED_EVENT), 0), &["published_events"]),
    may(List(&Model(&SUBSCRIPTION), 0), &["consumed_events"]),
    may(Model(&EVENT_COORDINATION), &["event_coordination"]),
    may(Word(relations::is_uuid, "a UUID"), &["correlation_id"]),
    may(
        Flag,
        &[
            "load_balancing_enabled",
            "failure_isolation_enabled",
            "monitoring_enabled",
            "metrics_collection_enabled",
        ],
    ),
];

static PLACEMENT: Shape = Shape::closed(&[&[
    must(Kind::OneOf(&["any", "primary"]), &["mode"]),
    null(Number(f64::MIN_POSITIVE, f64::MAX), &["failover_target_s"]),
    null(Model(&PLACEMENT_STATE), &["state"]),
]]);

static PLACEMENT_STATE: Shape = Shape::closed(&[&[
    may(Kind::OneOf(&["projection", "none", "lease_store"]), &["store"]),
    null(FILLED, &["table"]),
    may(TEXTS, &["replay_topics"]),
]]);

static LEASE: Shape = Shape::closed(&[&[
    must(FILLED, &["kind"]),
    must(from(1), &["max_ttl_s"]),
    null(from(1), &["capacity"]),
    null(Flag, &["renewable"]),
]]);

static PERFORMANCE: Shape = Shape::open(&[&[
    null(from(1), &["single_operation_max_ms", "batch_operation_max_s", "memory_limit_mb"]),
    null(within(1, 100), &["cpu_limit_percent"]),
    null(Number(0.0, f64::INFINITY), &["throughput_min_ops_per_second"]),
    null(from(100), &["database_query_timeout_ms", "external_service_timeout_ms"]),
    null(from(100), &["projection_reader_timeout_ms"]),
    null(from(1), &["circuit_breaker_recovery_timeout_s"]),
]])
.with(relations::performance);

static LIFECYCLE: Shape = Shape::open(&[&[
    may(from(1), &["initialization_timeout_s", "cleanup_timeout_s", "health_check_interval_s"]),
    may(Flag, &["error_recovery_enabled", "state_persistence_enabled"]),
]]);

/// Upstream makes texts of name and module, whatever they are.
static DEPENDENCY: Shape = Shape::open(&[]).with(relations::dependency);

static PROTOCOL: Shape = Shape::closed(&[&[
    must(FILLED, &["name", "protocol"]),
    may(Flag, &["required", "lazy_import"]),
    null(FILLED, &["bind_as"]),
]]);

static FEATURE_FLAG: Shape = Shape::closed(&[&[
    must(Word(relations::is_snake_case, "snake_case"), &["name"]),
    may(TEXT, &["description"]),
    may(Flag, &["default_value"]),
    null(Word(relations::is_upper_case, "an upper-case name"), &["env_var"]),
    may(
        Kind::OneOf(&[
            "runtime",
            "intelligence",
            "observability",
            "infrastructure",
            "dashboard",
            "general",
        ]),
        &["category"],
    ),
    null(TEXT, &["owner"]),
]]);

static DOD_EVIDENCE: Shape = Shape::closed(&[&[
    must(Kind::Text(1, 64), &["type"]),
    must(Kind::Text(1, 500), &["description"]),
    null(Kind::Text(0, 500), &["check"]),
]]);

static CONFIG: Shape = Shape::open(&[&[may(
    Map(&Open("addresses and keys, each a text or null"), 0),
    &["llm", "storage", "operational"],
)]]);

static BEHAVIOR: Shape = Shape::closed(&[&[
    must(Kind::OneOf(&["compute", "effect", "reducer", "orchestrator"]), &["node_archetype"]),
    may(Kind::OneOf(&["pure", "side_effecting"]), &["purity"]),
    may(Flag, &["idempotent"]),
    null(from(0), &["timeout_ms"]),
    null(Map(&Open("no real contract has one"), 0), &["retry_policy", "circuit_breaker"]),
    may(Kind::OneOf(&["parallel_ok", "serialized", "singleflight"]), &["concurrency_policy"]),
    may(Kind::OneOf(&["none", "process", "container", "vm"]), &["isolation_policy"]),
    may(Kind::OneOf(&["minimal", "standard", "verbose"]), &["observability_level"]),
    may(TEXTS, &["capability_inputs", "capability_outputs"]),
]]);

static CONCURRENCY: Shape =
    Shape::open(&[&[may(from(1), &["max_parallel"]), may(Flag, &["model_concurrency_aware"])]]);

static BEHAVIOR_SPEC: Shape = Shape::closed(&[&[
    null(from(1), &["max_concurrency", "execution_timeout_ms"]),
    may(from(0), &["retry_attempts"]),
    may(Flag, &["idempotent"]),
]]);

static MCP: Shape = Shape::closed(&[&[
    must(Flag, &["expose"]),
    must(Word(relations::is_snake_case, "snake_case"), &["tool_name"]),
    must(FILLED, &["description"]),
    must(from(1), &["timeout_seconds"]),
]]);

static INTENT_CONSUMPTION: Shape =
    Shape::closed(&[&[must(Map(&TEXT, 1), &["intent_routing_table"])]]);

static SCHEMA_VALUE: Shape = Shape::open(&[&[must(TEXT, &["value_type"])]]);

static PARALLEL: Shape = Shape::open(&[&[
    may(Flag, &["enabled", "async_enabled"]),
    may(within(1, 32), &["max_workers"]),
    may(from(1), &["batch_size", "queue_size"]),
    may(TEXT, &["thread_pool_type"]),
]]);

static IO_OPERATION: Shape = Shape::open(&[&[
    must(FILLED, &["operation_type"]),
    may(Flag, &["atomic", "backup_enabled", "recursive", "validation_enabled"]),
    null(TEXT, &["permissions"]),
    may(from(1024), &["buffer_size"]),
    may(from(1), &["timeout_seconds"]),
]]);

static TRANSACTION: Shape = Shape::open(&[&[
    may(Flag, &["enabled", "rollback_on_error", "consistency_check_enabled"]),
    may(TEXT, &["isolation_level"]),
    may(from(1), &["timeout_seconds", "lock_timeout_seconds"]),
    may(from(0), &["deadlock_retry_count"]),
]]);

static RETRY: Shape = Shape::open(&[&[
    may(from(1), &["max_attempts", "base_delay_ms", "max_delay_ms"]),
    may(Flag, &["jitter_enabled", "circuit_breaker_enabled"]),
    may(from(1), &["circuit_breaker_threshold", "circuit_breaker_timeout_s"]),
]]);

static BACKUP: Shape = Shape::open(&[&[
    may(Flag, &["enabled", "compression_enabled", "verification_enabled"]),
    may(TEXT, &["backup_location"]),
    may(from(1), &["retention_days", "rollback_timeout_s"]),
]]);

static REDUCTION: Shape = Shape::open(&[&[
    must(FILLED, &["operation_type", "reduction_function"]),
    may(Flag, &["associative", "commutative", "parallel_enabled", "intermediate_results_caching"]),
    null(TEXT, &["identity_element"]),
    may(from(1), &["chunk_size"]),
]]);

static STREAMING: Shape = Shape::open(&[&[
    may(Flag, &["enabled", "backpressure_enabled"]),
    may(from(1024), &["buffer_size"]),
    may(from(1), &["window_size", "memory_threshold_mb"]),
]]);

static CONFLICT_RESOLUTION: Shape = Shape::open(&[&[
    may(TEXT, &["strategy"]),
    may(Flag, &["detection_enabled", "timestamp_based_resolution", "conflict_logging_enabled"]),
]]);

static MEMORY: Shape = Shape::open(&[&[
    may(from(1), &["max_memory_mb"]),
    may(Number(0.0, 1.0), &["gc_threshold"]),
    may(Flag, &["lazy_loading_enabled", "spill_to_disk_enabled"]),
]]);

static ACTION_EMISSION: Shape = Shape::open(&[&[
    may(TEXT, &["emission_strategy"]),
    may(from(1), &["batch_size", "max_deferred_thunks"]),
    may(from(0), &["execution_delay_ms"]),
    may(Flag, &["priority_based_emission", "dependency_aware_emission", "retry_failed_thunks"]),
]]);

static BRANCHING: Shape = Shape::open(&[&[
    may(TEXTS, &["decision_points"]),
    may(TEXT, &["condition_evaluation_strategy", "branch_merge_strategy"]),
    may(Flag, &["default_branch_enabled", "nested_branching_enabled"]),
    may(from(1), &["condition_timeout_ms", "max_branch_depth"]),
]]);

static EVENT_COORDINATION: Shape = Shape::open(&[&[
    may(Map(&TEXT, 0), &["trigger_mappings"]),
    may(TEXT, &["coordination_strategy"]),
    may(from(1), &["buffer_size", "correlation_timeout_ms"]),
    may(Flag, &["correlation_enabled", "ordering_guaranteed", "duplicate_detection_enabled"]),
]]);
