//! The subcontracts of the typed models that occur in real contracts. Pure data.

use super::super::shape::Kind::{Flag, List, Map, Model, Number, OneOf, Open, Word};
use super::super::shape::{ANY, FILLED, Shape, TEXT, TEXTS, from, may, must, null, within};
use super::{VERSION, relations};

pub(super) static EXECUTION: Shape = Shape::closed(&[&[
    may(TEXTS, &["phases", "nondeterministic_allowed_phases"]),
    may(Model(&ORDERING_POLICY), &["ordering_policy"]),
]]);

static ORDERING_POLICY: Shape = Shape::closed(&[&[
    may(OneOf(&["topological_sort"]), &["strategy"]),
    may(List(&OneOf(&["priority", "alphabetical"]), 0), &["tie_breakers"]),
    may(Flag, &["deterministic_seed", "strict_mode"]),
]]);

pub(super) static EVENT_BUS: Shape = Shape::closed(&[&[
    must(Model(&VERSION), &["version"]),
    may(OneOf(&["memory", "hybrid", "distributed"]), &["event_bus_type"]),
    may(
        Flag,
        &[
            "enable_event_logging",
            "log_event_payloads",
            "correlation_tracking",
            "correlation_id_propagation",
            "enable_lifecycle_events",
            "enable_introspection_events",
            "enable_event_retry",
            "enable_event_validation",
            "fail_fast_on_validation_errors",
            "enable_event_caching",
            "metrics_enabled",
            "detailed_metrics",
            "performance_monitoring",
            "use_contract_event_patterns",
            "fallback_to_node_name_patterns",
            "plugin_managed",
        ],
    ),
    may(within(100, 50_000), &["max_queue_size"]),
    may(OneOf(&["block", "drop_oldest", "drop_newest"]), &["queue_overflow_strategy"]),
    may(within(1, 500), &["batch_size"]),
    may(within(100, 60_000), &["batch_timeout_ms"]),
    may(within(1, 10), &["max_retry_attempts"]),
    may(within(100, 30_000), &["retry_delay_ms"]),
    may(within(10, 1000), &["cache_max_size"]),
    may(TEXTS, &["default_event_patterns", "signed_ingress_topics", "dlq_topics"]),
    may(
        List(&Word(relations::is_topic, "a topic such as onex.evt.producer.event-name.v1"), 0),
        &["publish_topics", "subscribe_topics"],
    ),
    null(Map(&Model(&TOPIC), 0), &["publish_topic_metadata", "subscribe_topic_metadata"]),
    null(Map(&Open("two real contracts have one"), 0), &["request_response"]),
]])
.with(relations::event_bus);

static TOPIC: Shape = Shape::closed(&[&[
    null(TEXT, &["schema_ref", "description"]),
    null(Model(&TOPIC_CONFIG), &["topic_config"]),
]]);

static TOPIC_CONFIG: Shape = Shape::closed(&[&[
    null(from(1), &["partitions", "replication_factor"]),
    null(Map(&TEXT, 0), &["kafka_config"]),
]]);

pub(super) static HANDLER_ROUTING: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    may(OneOf(&["payload_type_match", "operation_match", "topic_pattern"]), &["routing_strategy"]),
    may(List(&Model(&HANDLER), 0), &["handlers"]),
    null(TEXT, &["default_handler"]),
]]);

static HANDLER: Shape = Shape::open(&[&[
    must(Model(&CLASS), &["handler"]),
    null(Model(&CLASS), &["event_model"]),
    null(TEXT, &["operation", "event_type", "message_category", "topic"]),
]]);

static CLASS: Shape = Shape::closed(&[&[must(TEXT, &["name", "module"])]]);

pub(super) static ALGORITHM: Shape = Shape::open(&[&[
    must(FILLED, &["algorithm_type"]),
    must(Map(&Model(&FACTOR), 1), &["factors"]),
    may(TEXT, &["normalization_method"]),
    may(within(1, 15), &["precision_digits"]),
]])
.with(relations::algorithm);

static FACTOR: Shape = Shape::open(&[&[
    must(Number(0.0, 1.0), &["weight"]),
    must(FILLED, &["calculation_method"]),
    may(Map(&Number(f64::NEG_INFINITY, f64::INFINITY), 0), &["parameters"]),
    may(Flag, &["normalization_enabled", "caching_enabled"]),
]]);

pub(super) static EVENT_TYPE: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    must(List(&TEXT, 1), &["primary_events", "event_categories"]),
    must(TEXT, &["event_routing"]),
    may(Flag, &["publish_events", "subscribe_events", "batch_processing", "ordering_required"]),
    may(Flag, &["deduplication_enabled", "async_processing"]),
    may(from(1), &["max_concurrent_events"]),
    may(from(100), &["batch_timeout_ms"]),
    may(List(&Open("three real contracts have one"), 0), &["event_definitions"]),
    may(List(&Open("no real contract has one"), 0), &["transformations"]),
    null(Map(&Open("no real contract has one"), 0), &["routing_config", "persistence_config"]),
]]);

pub(super) static CACHING: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    may(Flag, &["caching_enabled", "warm_up_enabled", "metrics_enabled", "detailed_metrics"]),
    may(TEXT, &["cache_strategy", "cache_backend"]),
    may(from(1), &["max_entries", "max_memory_mb", "entry_size_limit_kb", "warm_up_batch_size"]),
    may(Number(0.0, 1.0), &["hit_ratio_threshold"]),
    may(Map(&Open("four real contracts have one"), 0), &["key_strategy", "invalidation_policy"]),
    may(Map(&Open("four real contracts have one"), 0), &["performance_config"]),
]]);

pub(super) static FSM: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version", "state_machine_version"]),
    must(FILLED, &["state_machine_name", "description", "initial_state"]),
    must(List(&Model(&STATE), 1), &["states"]),
    must(List(&Model(&TRANSITION), 1), &["transitions"]),
    may(TEXTS, &["terminal_states", "error_states"]),
    may(List(&Model(&FSM_OPERATION), 0), &["operations"]),
    may(
        Flag,
        &[
            "persistence_enabled",
            "recovery_enabled",
            "rollback_enabled",
            "concurrent_transitions_allowed",
            "strict_validation_enabled",
            "state_monitoring_enabled",
            "event_logging_enabled",
        ],
    ),
    may(from(1000), &["checkpoint_interval_ms"]),
    may(from(1), &["max_checkpoints", "transition_timeout_ms"]),
    may(TEXT, &["conflict_resolution_strategy"]),
]])
.with(relations::machine);

static STATE: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    must(FILLED, &["state_name", "state_type", "description"]),
    may(Flag, &["is_terminal", "is_recoverable"]),
    null(from(1), &["timeout_ms"]),
    may(TEXTS, &["entry_actions", "exit_actions", "required_data", "optional_data"]),
    may(TEXTS, &["validation_rules"]),
    null(TEXT, &["semantic_intent"]),
]]);

static TRANSITION: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    must(FILLED, &["transition_name", "from_state", "to_state", "trigger"]),
    may(from(0), &["priority", "max_retries", "retry_delay_ms"]),
    may(List(&Model(&CONDITION), 0), &["conditions"]),
    may(List(&Model(&ACTION), 0), &["actions"]),
    may(TEXTS, &["rollback_transitions"]),
    may(Flag, &["is_atomic", "retry_enabled"]),
]]);

static CONDITION: Shape = Shape::open(&[&[
    must(TEXT, &["condition_name", "condition_type"]),
    must(Word(relations::is_expression, "`field operator value`"), &["expression"]),
    may(Flag, &["required"]),
    null(TEXT, &["error_message"]),
    null(from(0), &["retry_count"]),
    null(from(1), &["timeout_ms"]),
]]);

static ACTION: Shape = Shape::open(&[&[
    must(FILLED, &["action_name", "action_type"]),
    may(ANY, &["action_config"]),
    may(from(0), &["execution_order"]),
    may(Flag, &["is_critical"]),
    null(TEXT, &["rollback_action"]),
    null(from(1), &["timeout_ms"]),
]]);

static FSM_OPERATION: Shape = Shape::open(&[&[
    must(FILLED, &["operation_name", "operation_type"]),
    null(TEXT, &["description"]),
    may(Flag, &["requires_atomic_execution", "supports_rollback"]),
]]);

pub(super) static AGGREGATION: Shape = Shape::open(&[&[
    must(Model(&VERSION), &["version"]),
    must(List(&TEXT, 1), &["aggregation_functions"]),
    may(Flag, &["aggregation_enabled", "result_caching", "incremental_updates"]),
    may(TEXT, &["aggregation_mode", "null_handling_strategy", "duplicate_handling"]),
    may(from(1), &["result_ttl_seconds"]),
    may(from(0), &["max_retries"]),
    may(List(&Open("two real contracts have one"), 0), &["function_definitions"]),
    may(Map(&Open("two real contracts have one"), 0), &["grouping"]),
    may(Map(&Open("two real contracts have one"), 0), &["performance"]),
    null(Map(&Open("two real contracts have one"), 0), &["windowing", "statistical"]),
]]);

/// What a REDUCER may say under `workflow_coordination`: bounds, no steps.
pub(super) static WORKFLOW_SUBCONTRACT: Shape = Shape::closed(&[&[
    must(Model(&VERSION), &["version", "subcontract_version"]),
    may(TEXT, &["subcontract_name"]),
    may(TEXTS, &["applicable_node_types"]),
    may(within(1, 100), &["max_concurrent_workflows"]),
    may(within(60_000, 3_600_000), &["default_workflow_timeout_ms"]),
    may(within(5000, 300_000), &["node_coordination_timeout_ms"]),
    may(within(10_000, 600_000), &["checkpoint_interval_ms"]),
    may(Flag, &["auto_retry_enabled", "parallel_execution_enabled", "exponential_backoff"]),
    may(Flag, &["workflow_persistence_enabled"]),
    may(within(0, 10), &["max_retries"]),
    may(within(1000, 60_000), &["retry_delay_ms"]),
]]);

pub(super) static WORKFLOW: Shape = Shape::open(&[&[
    may(TEXT, &["execution_mode"]),
    may(from(1), &["max_parallel_branches"]),
    may(Flag, &["checkpoint_enabled", "state_persistence_enabled", "rollback_enabled"]),
    may(Flag, &["recovery_enabled"]),
    may(from(100), &["checkpoint_interval_ms"]),
    null(from(1), &["timeout_ms"]),
    null(Model(&WORKFLOW_DEFINITION), &["workflow_definition"]),
]]);

static WORKFLOW_DEFINITION: Shape = Shape::open(&[&[
    must(Model(&WORKFLOW_METADATA), &["workflow_metadata"]),
    must(Model(&GRAPH), &["execution_graph"]),
    null(Map(&ANY, 0), &["coordination_rules"]),
]]);

static WORKFLOW_METADATA: Shape =
    Shape::open(&[&[must(TEXT, &["workflow_name"]), null(TEXT, &["description"])]]);

static GRAPH: Shape =
    Shape::open(&[&[may(List(&Model(&GRAPH_NODE), 0), &["nodes"])]]).with(relations::graph);

static GRAPH_NODE: Shape =
    Shape::open(&[&[must(TEXT, &["node_id", "node_type"]), may(TEXTS, &["depends_on"])]]);

/// Upstream means a description of a service's announcement here, which no real contract gives.
pub(super) static PUBLISHED_EVENT: Shape = Shape::closed(&[&[
    must(Word(relations::is_uuid, "a UUID"), &["event_id", "service_id"]),
    must(OneOf(&["system", "user", "workflow", "error"]), &["event_type"]),
    must(TEXT, &["event_name", "service_name", "discovery_phase", "container_status"]),
    must(Model(&VERSION), &["service_version", "event_schema_version"]),
    null(Word(relations::is_uuid, "a UUID"), &["correlation_id", "node_id"]),
    may(Flag, &["container_adapter_enabled", "hub_registration_required", "validation_required"]),
    null(TEXT, &["health_check_endpoint", "hub_domain"]),
    may(Map(&TEXT, 0), &["event_data", "event_context", "service_endpoints"]),
    may(Map(&TEXT, 0), &["mesh_coordination_data"]),
    null(Map(&TEXT, 0), &["auto_provisioning_config"]),
    may(ANY, &["event_timestamp", "trust_level"]),
]]);

pub(in super::super) static SUBSCRIPTION: Shape = Shape::open(&[&[
    must(FILLED, &["event_pattern", "handler_function"]),
    may(Map(&ANY, 0), &["filter_conditions"]),
    may(Flag, &["batch_processing", "retry_enabled", "dead_letter_enabled"]),
    may(from(1), &["batch_size", "timeout_ms"]),
]]);
