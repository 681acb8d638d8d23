//! What to do after a failed attempt: a pure decision. Time and randomness come in as numbers.

use std::sync::Arc;
use std::time::Duration;

use super::component::Component;
use super::failure::ErrorClass;

/// How long an attempt may take, how often it is repeated, and what follows when that is over.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Longest time of one attempt, that of the fallback included; without, that which the run has
    /// for its steps.
    pub timeout: Option<Duration>,
    /// Longest wait for a place before an attempt. Then the step has failed as `timeout` of type
    /// `queue_deadline`, whatever attempts are left.
    pub queue_timeout: Option<Duration>,
    /// Longest time of all attempts and waits together, from when the step could first start. Then
    /// the step has failed as `timeout` of type `total_deadline`. A fallback comes after that and
    /// does not count.
    pub total_timeout: Option<Duration>,
    /// Repetition of failed attempts.
    pub retry: Retry,
    /// What follows the last failed attempt.
    pub on_failure: OnFailure,
}

impl Default for Policy {
    /// One attempt.
    fn default() -> Self {
        Self {
            timeout: None,
            queue_timeout: None,
            total_timeout: None,
            retry: Retry::default(),
            on_failure: OnFailure::Fail,
        }
    }
}

/// Repetition of failed attempts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// Most attempts, the first included; 0 counts as 1.
    pub attempts_max: u32,
    /// Waiting between attempts.
    pub backoff: Backoff,
    /// A `retry-after` above this ends the retries at once.
    pub retry_after_max: Duration,
}

impl Default for Retry {
    /// One attempt.
    fn default() -> Self {
        Self {
            attempts_max: 1,
            backoff: Backoff::default(),
            retry_after_max: Duration::from_secs(300),
        }
    }
}

/// Exponential back-off with full jitter: the n-th wait is uniform in
/// `[0, min(max, initial × multiplier^(n−1)))`.
///
/// Full jitter as in M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Ceiling of the first wait.
    pub initial: Duration,
    /// Ceiling of every wait.
    pub max: Duration,
    /// Growth of the ceiling; below 1 counts as 1.
    pub multiplier: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { initial: Duration::from_millis(100), max: Duration::from_secs(30), multiplier: 2.0 }
    }
}

impl Backoff {
    /// The longest wait after `attempt`, which counts from 1.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let growth = if self.multiplier > 1.0 { self.multiplier.powi(exponent) } else { 1.0 };
        Duration::try_from_secs_f64(self.initial.as_secs_f64() * growth)
            .map_or(self.max, |ceiling| ceiling.min(self.max))
    }

    /// The wait after `attempt` for a uniformly random 64-bit number.
    pub fn wait(&self, attempt: u32, random: u64) -> Duration {
        let ceiling_ns = u64::try_from(self.ceiling(attempt).as_nanos()).unwrap_or(u64::MAX);
        let wait_ns = (u128::from(ceiling_ns) * u128::from(random)) >> 64;
        Duration::from_nanos(u64::try_from(wait_ns).unwrap_or(ceiling_ns))
    }
}

/// What follows the last failed attempt of a step.
#[derive(Debug, Clone, Default)]
pub enum OnFailure {
    /// The step has failed; steps that need it are skipped, all others go on.
    #[default]
    Fail,
    /// The run goes on without the output, marked as degraded.
    Degrade,
    /// Another component tries once; its output stands in, marked as degraded. It needs no place of
    /// the step's resource, which may be what failed.
    Fallback(Arc<dyn Component>),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again after a wait.
    Retry {
        /// The wait.
        wait: Duration,
    },
    /// Let the fallback try.
    Fallback,
    /// Go on without the output.
    Degrade,
    /// Give up.
    Fail,
}

impl Decision {
    /// The name in the attributes of a failed attempt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Fallback => "fallback",
            Self::Degrade => "degrade",
            Self::Fail => "fail",
        }
    }
}

/// Why that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The error may be gone the next time.
    Transient,
    /// The attempt took too long; the next one may not.
    Timeout,
    /// The other side asked for patience.
    RateLimited,
    /// The next answer may have the agreed form.
    InvalidOutput,
    /// The resource is left alone because it keeps failing.
    CircuitOpen,
    /// No attempt is left.
    AttemptsUsedUp,
    /// The next attempt would fail the same way.
    Permanent,
    /// The wait would last beyond a deadline.
    PastDeadline,
    /// The wait that was asked for is longer than the step would wait.
    RetryAfterTooLong,
    /// No place became free in time.
    QueueDeadline,
    /// Attempts and waits together took too long.
    TotalDeadline,
    /// The step was asked to stop.
    Cancelled,
    /// The run is ending.
    Stopping,
    /// The fallback has failed, too, and has only one attempt.
    FallbackFailed,
}

impl Reason {
    /// The name in the attributes of a failed attempt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::InvalidOutput => "invalid_output",
            Self::CircuitOpen => "circuit_open",
            Self::AttemptsUsedUp => "attempts_used_up",
            Self::Permanent => "permanent",
            Self::PastDeadline => "past_deadline",
            Self::RetryAfterTooLong => "retry_after_too_long",
            Self::QueueDeadline => "queue_deadline",
            Self::TotalDeadline => "total_deadline",
            Self::Cancelled => "cancelled",
            Self::Stopping => "stopping",
            Self::FallbackFailed => "fallback_failed",
        }
    }
}

/// What to do next, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
}

impl Choice {
    pub(super) fn fail(reason: Reason) -> Self {
        Self { decision: Decision::Fail, reason }
    }
}

impl Policy {
    /// Decides after `attempt` (from 1) has failed with `class`. `left` is the time until the step
    /// or its run must end: a wait that reaches it is no use. A cancelled attempt is never made up
    /// for.
    pub fn decide(
        &self,
        class: ErrorClass,
        attempt: u32,
        random: u64,
        left: Option<Duration>,
    ) -> Choice {
        let (asked, reason) = match class {
            ErrorClass::Cancelled => return Choice::fail(Reason::Cancelled),
            ErrorClass::Permanent => return self.last(Reason::Permanent),
            ErrorClass::RateLimited { retry_after } => {
                (retry_after.unwrap_or_default(), Reason::RateLimited)
            }
            ErrorClass::Transient => (Duration::ZERO, Reason::Transient),
            ErrorClass::Timeout => (Duration::ZERO, Reason::Timeout),
            ErrorClass::InvalidOutput => (Duration::ZERO, Reason::InvalidOutput),
        };
        let wait = self.retry.backoff.wait(attempt, random).max(asked);
        if attempt >= self.retry.attempts_max {
            self.last(Reason::AttemptsUsedUp)
        } else if asked > self.retry.retry_after_max {
            self.last(Reason::RetryAfterTooLong)
        } else if left.is_some_and(|left| wait >= left) {
            self.last(Reason::PastDeadline)
        } else {
            Choice { decision: Decision::Retry { wait }, reason }
        }
    }

    /// What follows when there is no further attempt.
    pub(super) fn last(&self, reason: Reason) -> Choice {
        let decision = match self.on_failure {
            OnFailure::Fail => Decision::Fail,
            OnFailure::Degrade => Decision::Degrade,
            OnFailure::Fallback(_) => Decision::Fallback,
        };
        Choice { decision, reason }
    }
}

/// A random number that depends on nothing but its arguments, so that a run with the same seed
/// waits the same whatever the order of its steps (SplitMix64, Steele et al., OOPSLA 2014).
pub(super) fn random(seed: u64, step: usize, attempt: u32) -> u64 {
    let step = u64::try_from(step).unwrap_or(u64::MAX);
    let mut z = seed ^ (step << 32) ^ u64::from(attempt);
    for _ in 0..2 {
        z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
    }
    z
}

#[cfg(test)]
mod tests;
