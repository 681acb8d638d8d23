//! Lower bounds of a run's time: no order of its steps is faster. Finds no order.
#![allow(clippy::indexing_slicing, reason = "places in a tree of known size")]

use std::cmp::Reverse;

use super::Expected;

/// As nanoseconds, at most what fits.
pub(super) fn narrow(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// Work spread evenly over places, rounded up: time comes in whole nanoseconds.
pub(super) fn spread(work: i128, places: usize) -> i64 {
    let places = i128::try_from(places.max(1)).unwrap_or(i128::MAX);
    narrow(work / places + i128::from(work % places > 0))
}

/// For any a and b, steps that cannot start before a and must end b before the end of the run have
/// only the time between for their work, so that the run takes at least a + b + their work /
/// places. The greatest over all a and b: exact, in O(n log n).
///
/// A simple case of E. Fernandez and B. Bussell, "Bounds on the number of processors and time for
/// multiprocessor optimal schedules", IEEE Transactions on Computers, 1973.
pub(super) fn between_heads_and_tails(steps: &[Expected], places: usize) -> i64 {
    let tail = |step: &Expected| step.remaining_ns.saturating_sub(step.duration_ns);
    let mut tails: Vec<i64> = steps.iter().map(tail).collect();
    tails.sort_unstable();
    tails.dedup();
    let mut late_first: Vec<&Expected> = steps.iter().collect();
    late_first.sort_unstable_by_key(|step| Reverse(step.start_ns));

    // in units of 1/places
    let scale = i128::try_from(places.max(1)).unwrap_or(i128::MAX);
    let mut tree = SuffixTree::new(tails.len());
    let mut best = 0;
    for same_head in late_first.chunk_by(|a, b| a.start_ns == b.start_ns) {
        for step in same_head {
            let tail = tail(step);
            let at = tails.partition_point(|&it| it < tail);
            tree.add(at, i128::from(tail) * scale, i128::from(step.duration_ns));
        }
        let head = same_head.first().map_or(0, |step| i128::from(step.start_ns));
        best = best.max(head * scale + tree.best().unwrap_or(0));
    }
    spread(best, places)
}

/// Per tail the work of the steps that have at least this tail, and the greatest sum of tail and
/// work over the tails that some step has.
struct SuffixTree {
    /// A heap: the root at 1, the leaves in the second half.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Default)]
struct Node {
    work: i128,
    best: Option<i128>,
}

impl SuffixTree {
    fn new(leaves: usize) -> Self {
        Self { nodes: vec![Node::default(); 2 * leaves.next_power_of_two()] }
    }

    fn add(&mut self, leaf: usize, tail: i128, work: i128) {
        let mut at = leaf + self.nodes.len() / 2;
        self.nodes[at].work += work;
        self.nodes[at].best = Some(tail + self.nodes[at].work);
        while at > 1 {
            at /= 2;
            let (low, high) = (self.nodes[2 * at], self.nodes[2 * at + 1]);
            // the steps of longer tails count for the shorter ones, too
            let best = high.best.max(low.best.map(|best| best + high.work));
            self.nodes[at] = Node { work: low.work + high.work, best };
        }
    }

    fn best(&self) -> Option<i128> {
        self.nodes.get(1).and_then(|root| root.best)
    }
}
