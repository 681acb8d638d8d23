//! The templates that are compiled into the program, from `data/templates`. Texts only.

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../data/templates/", $name, ".j2")),
        )),*]
    };
}

/// Names and texts, in the order of names.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "compute/handler.py",
    "compute/node.py",
    "compute/test.py",
    "effect/event_driven/handler.py",
    "effect/handler.py",
    "effect/io_operations/handler.py",
    "effect/node.py",
    "effect/test.py",
    "mixins/caching.py",
    "mixins/caching_test.py",
    "mixins/circuit_breaker.py",
    "mixins/circuit_breaker_test.py",
    "mixins/health_check.py",
    "mixins/health_check_test.py",
    "mixins/metrics.py",
    "mixins/metrics_test.py",
    "mixins/retry.py",
    "mixins/retry_test.py",
    "mixins/transaction.py",
    "mixins/transaction_test.py",
    "orchestrator/event_driven/handler.py",
    "orchestrator/event_driven/node.py",
    "orchestrator/fsm/handler.py",
    "orchestrator/fsm/test.py",
    "orchestrator/handler.py",
    "orchestrator/node.py",
    "orchestrator/test.py",
    "parts/cases.py",
    "parts/execute.py",
    "reducer/handler.py",
    "reducer/node.py",
    "reducer/test.py",
    "shared/enum.py",
    "shared/folder.py",
    "shared/model.py",
    "shared/package.py",
    "shared/readme.md",
    "shared/repeats.py",
];
