//! How often a resource may be used: a token bucket, kept as the time at which it would be full
//! again. Pure: time comes in as a number.
//!
//! The generic cell rate algorithm of ITU-T I.371 in its virtual scheduling form: exact in whole
//! nanoseconds, and nothing has to be refilled.

use std::time::Duration;

/// At most `count` starts per time, after a pause up to `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Starts in the time; 0 counts as 1.
    pub count: u32,
    /// The time.
    pub per: Duration,
    /// Most starts at once; 0 counts as 1.
    pub burst: u32,
}

/// The tokens that are left.
#[derive(Debug)]
pub(super) struct Bucket {
    interval_ns: i64,
    /// How far ahead of its time a start may be.
    ahead_ns: i64,
    full_ns: i64,
}

impl Bucket {
    pub(super) fn new(rate: Rate) -> Self {
        let per_ns = u64::try_from(rate.per.as_nanos()).unwrap_or(u64::MAX);
        // rounded up: never more often than wanted
        let interval_ns = per_ns.div_ceil(u64::from(rate.count.max(1)));
        let interval_ns = i64::try_from(interval_ns).unwrap_or(i64::MAX);
        let ahead_ns = interval_ns.saturating_mul(i64::from(rate.burst.max(1)) - 1);
        Self { interval_ns, ahead_ns, full_ns: i64::MIN }
    }

    /// When the next token is there; in the past, if one is.
    pub(super) fn free_ns(&self) -> i64 {
        self.full_ns.saturating_sub(self.ahead_ns)
    }

    /// Takes a token that is there.
    pub(super) fn take(&mut self, now_ns: i64) {
        self.full_ns = self.full_ns.max(now_ns).saturating_add(self.interval_ns);
    }
}

#[cfg(test)]
mod tests;
