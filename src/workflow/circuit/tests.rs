//! Tests of the circuit breaker.

use std::time::Duration;

use super::{Circuit, CircuitBreaker, Health, Passage};

const FREE: Passage = Passage::Free;

fn circuit(failures_max: u32) -> Circuit {
    Circuit::new(CircuitBreaker { failures_max, cooldown: Duration::from_nanos(100) })
}

/// A circuit that opened at 0.
fn open() -> Circuit {
    let mut circuit = circuit(1);
    assert!(!circuit.pass());
    assert!(circuit.ended(false, Health::Bad, 0));
    circuit
}

#[test]
fn failures_in_a_row_open_it() {
    let mut circuit = circuit(3);
    for health in
        [Health::Bad, Health::Bad, Health::Good, Health::Bad, Health::Unknown, Health::Bad]
    {
        assert!(!circuit.pass());
        assert!(!circuit.ended(false, health, 10));
        assert_eq!(circuit.passage(10), FREE);
    }
    assert!(circuit.ended(false, Health::Bad, 10), "two before and this one are three in a row");
    assert_eq!(circuit.passage(10), Passage::Shut { until_ns: 110 });
    assert_eq!(circuit.passage(109), Passage::Shut { until_ns: 110 });
    assert_eq!(circuit.passage(110), FREE, "for a trial");
}

#[test]
fn one_trial_at_a_time_decides() {
    let mut circuit = open();
    assert!(circuit.pass(), "the trial");
    assert_eq!(circuit.passage(150), Passage::AfterTrial);
    assert!(circuit.ended(true, Health::Bad, 160));
    assert_eq!(circuit.passage(160), Passage::Shut { until_ns: 260 });
    assert!(circuit.pass());
    assert!(circuit.ended(true, Health::Good, 270));
    assert_eq!(circuit.passage(270), FREE);
    assert!(!circuit.pass(), "closed: no trial any more");
}

#[test]
fn a_trial_that_says_nothing_is_followed_by_another() {
    let mut circuit = open();
    assert!(circuit.pass());
    assert!(circuit.ended(true, Health::Unknown, 150));
    assert_eq!(circuit.passage(150), FREE);
    assert!(circuit.pass());
    assert_eq!(circuit.passage(150), Passage::AfterTrial);
}

#[test]
fn late_news_from_before_change_nothing() {
    let mut circuit = open();
    for health in [Health::Good, Health::Bad, Health::Unknown] {
        assert!(!circuit.ended(false, health, 50));
        assert_eq!(circuit.passage(50), Passage::Shut { until_ns: 100 });
    }
    assert!(circuit.pass());
    for health in [Health::Good, Health::Bad, Health::Unknown] {
        assert!(!circuit.ended(false, health, 150));
        assert_eq!(circuit.passage(150), Passage::AfterTrial);
    }
}

#[test]
fn zero_failures_are_one() {
    let mut circuit = circuit(0);
    assert!(circuit.ended(false, Health::Bad, 0));
    let long = CircuitBreaker { failures_max: 1, cooldown: Duration::MAX };
    let mut endless = Circuit::new(long);
    assert!(endless.ended(false, Health::Bad, 5));
    assert_eq!(endless.passage(i64::MAX - 1), Passage::Shut { until_ns: i64::MAX });
}
