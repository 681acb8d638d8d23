//! Whether a resource that keeps failing is left alone: the circuit breaker. Pure: time comes in as
//! a number.
//!
//! Closed, everything goes through. After enough failures in a row it opens: nothing goes through
//! for a while. Then it is half open: one step goes through as a trial, and how that ends decides.
//! M. Nygard, "Release It!", 2007.

use std::time::Duration;

/// When a resource is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Failures in a row that open it; 0 counts as 1. Errors that are transient, timeouts and
    /// limits of a rate count; an answer that is a verdict or of a wrong form is no failure of the
    /// resource, and a permanent error says nothing about it.
    pub failures_max: u32,
    /// How long it stays open.
    pub cooldown: Duration,
}

/// The state of one breaker.
#[derive(Debug)]
pub(super) struct Circuit {
    failures_max: u32,
    cooldown_ns: i64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until_ns: i64 },
    HalfOpen { trial: bool },
}

/// What the end of a step says about the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    Bad,
    /// Nothing.
    Unknown,
}

/// Whether a step may go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Free,
    /// When a trial has ended.
    AfterTrial,
    /// Not before this time.
    Shut {
        until_ns: i64,
    },
}

impl Circuit {
    pub(super) fn new(breaker: CircuitBreaker) -> Self {
        Self {
            failures_max: breaker.failures_max.max(1),
            cooldown_ns: i64::try_from(breaker.cooldown.as_nanos()).unwrap_or(i64::MAX),
            state: State::Closed { failures: 0 },
        }
    }

    pub(super) fn passage(&self, now_ns: i64) -> Passage {
        match self.state {
            State::Open { until_ns } if until_ns > now_ns => Passage::Shut { until_ns },
            State::HalfOpen { trial: true } => Passage::AfterTrial,
            State::Closed { .. } | State::Open { .. } | State::HalfOpen { .. } => Passage::Free,
        }
    }

    /// A step goes through, where it may. Returns whether it is the trial.
    pub(super) fn pass(&mut self) -> bool {
        let trial = !matches!(self.state, State::Closed { .. });
        if trial {
            self.state = State::HalfOpen { trial };
        }
        trial
    }

    /// A step has ended. What one says that began before the circuit opened changes nothing any
    /// more. Returns whether the passage is another now.
    pub(super) fn ended(&mut self, trial: bool, health: Health, now_ns: i64) -> bool {
        let open = State::Open { until_ns: now_ns.saturating_add(self.cooldown_ns) };
        let after = match (self.state, health) {
            (State::Closed { failures }, Health::Bad) if failures + 1 >= self.failures_max => open,
            (State::Closed { failures }, Health::Bad) => State::Closed { failures: failures + 1 },
            (State::Closed { .. }, Health::Good) => State::Closed { failures: 0 },
            (State::HalfOpen { .. }, Health::Good) if trial => State::Closed { failures: 0 },
            (State::HalfOpen { .. }, Health::Bad) if trial => open,
            (State::HalfOpen { .. }, Health::Unknown) if trial => State::HalfOpen { trial: false },
            (state, _) => state,
        };
        let before = std::mem::replace(&mut self.state, after);
        std::mem::discriminant(&before) != std::mem::discriminant(&after)
            || before != after && trial
    }

    pub(super) fn failures_max(&self) -> u32 {
        self.failures_max
    }
}

#[cfg(test)]
mod tests;
