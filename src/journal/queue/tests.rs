//! The bound on rows that no table holds yet.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::event::{MetricRow, Row};

fn rows() -> Vec<Event> {
    vec![Event::Row(Row::Metrics(MetricRow::default())); 10]
}

#[test]
fn at_the_bound_events_are_given_back_until_there_is_room() {
    let queue = Queue::new(1_000);
    let mut accepted: u64 = 0;
    while queue.try_append(rows()).unwrap().is_none() {
        accepted += 1;
    }
    assert!(accepted > 0 && queue.held_bytes() <= 1_000);
    assert_eq!(queue.try_append(rows()).unwrap(), Some(rows()));
    assert!(queue.take(Duration::ZERO, None).seal, "the wait would end");
    queue.release(queue.held_bytes() / accepted);
    assert_eq!(queue.try_append(rows()).unwrap(), None);
    queue.set_stall(Some("no disk".to_owned()));
    let kept = (0..=accepted).find_map(|_| queue.try_append(rows()).unwrap());
    assert_eq!(kept, Some(rows()), "a stall may pass");
    let error = queue.append(rows()).unwrap_err();
    assert!(error.message().contains("no disk"), "{error}");
    queue.close();
    assert!(queue.try_append(rows()).unwrap_err().hint().is_some());
}
