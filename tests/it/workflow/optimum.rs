//! Small plans whose best order is found by trying all: no bound above it, no run below it.

use std::sync::Arc;

use proptest::prelude::*;

use crate::shapes::{Act, MODEL, Shape, Work, analyse, model_places, run_paused};
use genstore::workflow::Strategy as Order;

use super::MS;

const PLACES: usize = 2;

fn shape() -> impl Strategy<Value = Shape> {
    let piece = (1_u64..8, prop::collection::vec(0_usize..7, 0..3), prop::bool::weighted(0.3));
    prop::collection::vec(piece, 1..=7).prop_map(|pieces| {
        let of_one = |(at, (duration_ms, mut after, asks)): (usize, (u64, Vec<usize>, bool))| {
            after.retain(|&before| before < at);
            after.sort_unstable();
            after.dedup();
            let resource = asks.then_some(MODEL);
            Work { name: format!("s{at}"), after, duration_ms, resource, act: Act::Work }
        };
        Shape { name: "small", work: pieces.into_iter().enumerate().map(of_one).collect() }
    })
}

/// Per millisecond the steps that work, and those that use the model.
type Busy = [(usize, usize); 64];

/// The shortest time over all orders in which each step starts as early as it can: one of them is
/// the best.
fn optimum(shape: &Shape, ends: &mut [Option<usize>], busy: &mut Busy) -> usize {
    if ends.iter().all(Option::is_some) {
        return ends.iter().flatten().copied().max().unwrap();
    }
    let mut best = usize::MAX;
    for (at, work) in shape.work.iter().enumerate() {
        if ends[at].is_some() || work.after.iter().any(|&before| ends[before].is_none()) {
            continue;
        }
        let duration = usize::try_from(work.duration_ms).unwrap();
        let asks = usize::from(work.resource.is_some());
        let ready = work.after.iter().filter_map(|&before| ends[before]).max().unwrap_or(0);
        let fits = |start: usize, busy: &Busy| {
            let fits = |&(all, model): &(usize, usize)| {
                all < PLACES && model + asks <= model_places(PLACES)
            };
            busy[start..start + duration].iter().all(fits)
        };
        let start = (ready..).find(|&start| fits(start, busy)).unwrap();
        let before = *busy;
        for (all, model) in &mut busy[start..start + duration] {
            (*all, *model) = (*all + 1, *model + asks);
        }
        ends[at] = Some(start + duration);
        best = best.min(optimum(shape, ends, busy));
        (ends[at], *busy) = (None, before);
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_best_order_lies_between_the_bound_and_the_run(shape in shape()) {
        let best = optimum(&shape, &mut vec![None; shape.work.len()], &mut [(0, 0); 64]);
        let best_ns = i64::try_from(best).unwrap() * MS;
        let plan = shape.plan_for(PLACES);
        let analysis = analyse(&plan, &shape.estimates(), PLACES);
        prop_assert!(analysis.lb1_ns() <= analysis.lb2_ns());
        prop_assert!(analysis.lb2_ns() <= best_ns, "{} > {}", analysis.lb2_ns(), best_ns);
        let predicted_ns = analysis.predict(Order::ReadyQueue).makespan_ns;
        let ran_ns = run_paused(&Arc::new(plan), Order::ReadyQueue, PLACES).duration_ns;
        prop_assert!(best_ns <= ran_ns, "{} > {}", best_ns, ran_ns);
        prop_assert_eq!(ran_ns, predicted_ns);
    }
}
