//! What a contract asks for around the node's work, each with the numbers that it sets. Pure data.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::finding::Span;

/// Something around the node's work. In the order in which they are put around it, the innermost
/// first: what is taken back is not tried again by itself, what is refused by the breaker may be
/// tried again, and an answer from the cache is no call at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MixinKind {
    /// Taking back what was done where the rest fails.
    Transaction,
    /// No calls for a while after too many failures.
    CircuitBreaker,
    /// Trying again.
    Retry,
    /// Counting calls and measuring times.
    Metrics,
    /// Saying whether the node works.
    HealthCheck,
    /// Keeping answers.
    Caching,
}

/// A number that a mixin can be given, under the attribute that holds it.
#[derive(Debug)]
pub struct Value {
    /// Attribute of the class.
    pub attribute: &'static str,
    /// Keys that may hold it, with the factor that makes it the attribute's unit; the first is the
    /// one that is written.
    pub keys: &'static [(&'static str, f64)],
    /// Whether it is a whole number, of one at least.
    pub whole: bool,
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

impl MixinKind {
    /// All six, the innermost first.
    pub const ALL: [Self; 6] = [
        Self::Transaction,
        Self::CircuitBreaker,
        Self::Retry,
        Self::Metrics,
        Self::HealthCheck,
        Self::Caching,
    ];

    /// Its name, in files and in contracts: `circuit_breaker`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::CircuitBreaker => "circuit_breaker",
            Self::Retry => "retry",
            Self::Metrics => "metrics",
            Self::HealthCheck => "health_check",
            Self::Caching => "caching",
        }
    }

    /// Its class in a package.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Transaction => "MixinTransaction",
            Self::CircuitBreaker => "MixinCircuitBreaker",
            Self::Retry => "MixinRetry",
            Self::Metrics => "MixinMetrics",
            Self::HealthCheck => "MixinHealthCheck",
            Self::Caching => "MixinCaching",
        }
    }

    /// The key at the top of a contract that asks for it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Transaction => "transaction_management",
            Self::Retry => "retry_policy",
            other => other.name(),
        }
    }

    /// The numbers that it can be given.
    pub fn values(self) -> &'static [Value] {
        match self {
            Self::Transaction | Self::Metrics => &[],
            Self::CircuitBreaker => &CIRCUIT_BREAKER,
            Self::Retry => &RETRY,
            Self::HealthCheck => &HEALTH_CHECK,
            Self::Caching => &CACHING,
        }
    }
}

/// A mixin that a contract asks for.
#[derive(Debug, Clone, Serialize)]
pub struct Mixin {
    /// Which one.
    pub kind: MixinKind,
    /// Numbers by attribute, in the order of [`MixinKind::values`].
    pub settings: Map<String, Json>,
    /// Where it is asked for.
    #[serde(skip)]
    pub span: Option<Span>,
}
