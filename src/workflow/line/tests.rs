//! Tests of the line.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::join_all;

use super::Line;

/// Lets so many wait, with their priorities, and gives each its place for a moment; the order in
/// which they got it.
async fn order(line: &Arc<Line>, priorities: &[i32]) -> Vec<usize> {
    let order = Mutex::new(Vec::new());
    let held = line.try_take().unwrap();
    let waiters = priorities.iter().enumerate().map(|(at, priority)| {
        let (line, order) = (Arc::clone(line), &order);
        async move {
            let permit = line.take(*priority).await.unwrap();
            order.lock().unwrap().push(at);
            tokio::task::yield_now().await;
            drop(permit);
        }
    });
    let release = async {
        tokio::task::yield_now().await;
        drop(held);
    };
    tokio::join!(biased; join_all(waiters), release);
    order.into_inner().unwrap()
}

#[tokio::test]
async fn the_most_urgent_is_next_and_the_first_among_equals() {
    let line = Arc::new(Line::new(1));
    assert_eq!(order(&line, &[0, 5, 0, -1, 5]).await, [1, 4, 0, 2, 3]);
    assert_eq!(order(&line, &[7, 7, 7, 7]).await, [0, 1, 2, 3]);
    assert_eq!(order(&line, &[i32::MIN, i32::MAX]).await, [1, 0]);
    assert!(line.try_take().is_some(), "every place came back");
}

#[tokio::test]
async fn nobody_slips_in() {
    let line = Arc::new(Line::new(1));
    let held = line.try_take().unwrap();
    let mut waiter = Box::pin(Arc::clone(&line).take(0));
    assert!(waiter.as_mut().now_or_never().is_none());
    drop(held);
    assert!(line.try_take().is_none(), "the place is for the one who waits");
    let permit = waiter.now_or_never().flatten().unwrap();
    assert!(line.try_take().is_none());
    drop(permit);
    assert!(line.try_take().is_some());
}

#[tokio::test]
async fn who_goes_away_takes_no_place_along() {
    let line = Arc::new(Line::new(1));
    let held = line.try_take().unwrap();
    let mut waiters: Vec<_> =
        [1, 9, 5, 3].map(|priority| Some(Box::pin(Arc::clone(&line).take(priority)))).into();
    for waiter in waiters.iter_mut().flatten() {
        assert!(waiter.as_mut().now_or_never().is_none());
    }
    waiters[2] = None; // before there is a place
    drop(held);
    // the first in tokio's line hands the place to the most urgent, who goes away with it
    assert!(waiters[0].as_mut().unwrap().as_mut().now_or_never().is_none());
    waiters[1] = None;
    let next = waiters[3].as_mut().unwrap().as_mut().now_or_never().flatten();
    assert!(next.is_some(), "then it is the next most urgent one's");
    assert!(waiters[0].as_mut().unwrap().as_mut().now_or_never().is_none());
    drop(next);
    assert!(waiters[0].take().unwrap().now_or_never().flatten().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_place_is_lost_between_threads() {
    let line = Arc::new(Line::new(3));
    let working = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let waiters = (0..64).map(|n| {
        let (line, working) = (Arc::clone(&line), Arc::clone(&working));
        tokio::spawn(async move {
            for round in 0..50 {
                let permit = Arc::clone(&line).take((n + round) % 3).await.unwrap();
                let now = working.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                assert!(now <= 3);
                tokio::task::yield_now().await;
                working.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                drop(permit);
            }
        })
    });
    for ended in join_all(waiters).await {
        ended.unwrap();
    }
    let all: Vec<_> = std::iter::from_fn(|| line.try_take()).collect();
    assert_eq!(all.len(), 3);
}
