//! Tests of the decisions after a failed attempt.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{ErrorClass, FnComponent, Output};
use super::{Backoff, Choice, Decision, OnFailure, Policy, Reason, Retry, random};

fn policy(attempts_max: u32) -> Policy {
    let retry = Retry { attempts_max, ..Retry::default() };
    Policy { retry, ..Policy::default() }
}

#[test]
fn the_ceiling_doubles_up_to_the_maximum() {
    let backoff = Backoff { max: Duration::from_millis(500), ..Backoff::default() };
    let ceilings = [1, 2, 3, 4, 5, u32::MAX].map(|attempt| backoff.ceiling(attempt).as_millis());
    assert_eq!(ceilings, [100, 200, 400, 500, 500, 500]);
}

#[test]
fn senseless_multipliers_are_harmless() {
    for multiplier in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -3.0, 0.0, f64::MAX] {
        let backoff = Backoff { multiplier, ..Backoff::default() };
        assert_eq!(backoff.ceiling(1), backoff.initial.min(backoff.max), "{multiplier}");
        assert!(backoff.ceiling(u32::MAX) <= backoff.max, "{multiplier}");
    }
    let endless = Backoff { initial: Duration::MAX, max: Duration::MAX, multiplier: 2.0 };
    assert!(endless.wait(9, u64::MAX) <= Duration::MAX);
}

fn decided(choice: Choice) -> (Decision, Reason) {
    (choice.decision, choice.reason)
}

#[test]
fn classes_decide_over_retries() {
    let choice = |class| policy(3).decide(class, 1, 7, None);
    let retried = |class| {
        let choice = choice(class);
        matches!(choice.decision, Decision::Retry { .. }).then_some(choice.reason)
    };
    assert_eq!(retried(ErrorClass::Transient), Some(Reason::Transient));
    assert_eq!(retried(ErrorClass::Timeout), Some(Reason::Timeout));
    assert_eq!(retried(ErrorClass::InvalidOutput), Some(Reason::InvalidOutput));
    let limited = ErrorClass::RateLimited { retry_after: None };
    assert_eq!(retried(limited), Some(Reason::RateLimited));
    let fail = |reason| (Decision::Fail, reason);
    assert_eq!(decided(choice(ErrorClass::Permanent)), fail(Reason::Permanent));
    assert_eq!(decided(choice(ErrorClass::Cancelled)), fail(Reason::Cancelled));
}

#[test]
fn the_last_attempt_is_followed_by_what_the_step_wants() {
    let fallback = FnComponent::new("spare", "1", |_| Ok(Output::none()));
    let cases = [
        (OnFailure::Fail, Decision::Fail),
        (OnFailure::Degrade, Decision::Degrade),
        (OnFailure::Fallback(Arc::new(fallback)), Decision::Fallback),
    ];
    for (on_failure, expected) in cases {
        let policy = Policy { on_failure, ..policy(2) };
        let choice = |class, attempt| decided(policy.decide(class, attempt, 0, None));
        assert_eq!(choice(ErrorClass::Permanent, 1), (expected, Reason::Permanent));
        assert_eq!(choice(ErrorClass::Transient, 2), (expected, Reason::AttemptsUsedUp));
        // a cancelled step is not made up for: the run is ending
        assert_eq!(choice(ErrorClass::Cancelled, 1), (Decision::Fail, Reason::Cancelled));
    }
}

#[test]
fn retry_after_is_kept_unless_it_is_too_long() {
    let asked =
        |seconds| ErrorClass::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
    let policy = policy(5);
    let wait = Duration::from_secs(40);
    let choice = policy.decide(asked(40), 1, u64::MAX, None);
    assert_eq!(decided(choice), (Decision::Retry { wait }, Reason::RateLimited));
    let choice = policy.decide(asked(301), 1, 0, None);
    assert_eq!(decided(choice), (Decision::Fail, Reason::RetryAfterTooLong));
    let choice = policy.decide(asked(40), 1, 0, Some(wait));
    assert_eq!(decided(choice), (Decision::Fail, Reason::PastDeadline));
}

#[test]
fn zero_attempts_are_one() {
    let choice = policy(0).decide(ErrorClass::Transient, 1, 0, None);
    assert_eq!(decided(choice), (Decision::Fail, Reason::AttemptsUsedUp));
}

proptest! {
    #[test]
    fn every_wait_is_below_its_ceiling(attempt in 1_u32..40, number: u64) {
        let backoff = Backoff::default();
        prop_assert!(backoff.wait(attempt, number) < backoff.ceiling(attempt));
    }

    #[test]
    fn waits_are_spread_over_the_whole_range(seed: u64) {
        let backoff = Backoff::default();
        let waits = (0..400).map(|step| backoff.wait(1, random(seed, step, 1)).as_secs_f64());
        let mean = waits.sum::<f64>() / 400.0;
        // uniform in [0, 0.1): the mean of 400 is within 6 standard deviations of 0.05
        prop_assert!((mean - 0.05).abs() < 6.0 * 0.1 / 12_f64.sqrt() / 20.0, "{}", mean);
    }
}
