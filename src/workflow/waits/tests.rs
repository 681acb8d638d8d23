//! Tests of the waits.

use super::Waits;

#[test]
fn somebody_looks_when_the_first_is_over() {
    let mut waits = Waits::default();
    assert_eq!(waits.begin(50, 1), Some(50));
    assert_eq!(waits.begin(70, 2), None, "who looks at 50 looks again");
    assert_eq!(waits.begin(30, 3), Some(30));
    assert_eq!(waits.over(29), (vec![], Some(30)));
    assert_eq!(waits.over(50), (vec![3, 1], Some(70)));
    assert_eq!(waits.over(70), (vec![2], None));
}

#[test]
fn a_step_that_started_is_forgotten() {
    let mut waits = Waits::default();
    assert_eq!(waits.begin(50, 1), Some(50));
    assert_eq!(waits.begin(50, 2), None);
    waits.end(50, 1);
    waits.end(50, 1);
    assert_eq!(waits.over(i64::MAX), (vec![2], None));
    assert_eq!(waits.begin(60, 1), Some(60));
}
