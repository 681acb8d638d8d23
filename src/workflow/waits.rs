//! Until when queueing steps may wait. Pure: no IO, no clock.

use std::collections::BTreeSet;

/// The steps of one plan that may not wait for ever.
#[derive(Debug, Default)]
pub(super) struct Waits {
    by_time: BTreeSet<(i64, usize)>,
    /// The earliest time at which somebody will look.
    armed_ns: Option<i64>,
}

impl Waits {
    /// A step begins to wait. Returns when to look, if nobody looks early enough.
    pub(super) fn begin(&mut self, until_ns: i64, index: usize) -> Option<i64> {
        self.by_time.insert((until_ns, index));
        self.arm()
    }

    /// The step waits no more.
    pub(super) fn end(&mut self, until_ns: i64, index: usize) {
        self.by_time.remove(&(until_ns, index));
    }

    /// Takes the steps whose time is over, the earliest first. Returns when to look again, too.
    pub(super) fn over(&mut self, now_ns: i64) -> (Vec<usize>, Option<i64>) {
        let rest = self.by_time.split_off(&(now_ns.saturating_add(1), 0));
        let over = std::mem::replace(&mut self.by_time, rest);
        self.armed_ns = None;
        (over.into_iter().map(|(_, index)| index).collect(), self.arm())
    }

    fn arm(&mut self) -> Option<i64> {
        let (first_ns, _) = *self.by_time.first()?;
        if self.armed_ns.is_some_and(|armed_ns| armed_ns <= first_ns) {
            return None;
        }
        self.armed_ns = Some(first_ns);
        self.armed_ns
    }
}

#[cfg(test)]
mod tests;
