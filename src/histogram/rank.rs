//! A quantile as an exact fraction, so that the p90 of ten values is not a rounding error away
//! from what it is. Pure arithmetic.

/// Digits after the point up to which a quantile counts as the decimal it was written as.
const DECIMALS_MAX: u32 = 15;

/// A quantile from 0 to 1 as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct Rank {
    numerator: u64,
    denominator: u64,
}

impl Rank {
    /// `numerator / denominator`, which must be from 0 to 1.
    pub(crate) const fn new(numerator: u64, denominator: u64) -> Self {
        Self { numerator, denominator }
    }

    /// The fraction that `q` was written as; `None` when it is not from 0 to 1.
    pub(crate) fn of(q: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&q) {
            return None;
        }
        for decimals in 0..=DECIMALS_MAX {
            let denominator = 10_u64.pow(decimals);
            let numerator = (q * denominator as f64).round();
            #[expect(clippy::float_cmp, reason = "asks whether the decimal is this very number")]
            if numerator / denominator as f64 == q {
                return Some(Self { numerator: numerator as u64, denominator });
            }
        }
        // Below 2^-53 nothing differs from 0 at any number of values that fits in memory.
        let denominator = 1_u64 << 53;
        Some(Self { numerator: (q * denominator as f64) as u64, denominator })
    }

    /// The place of the quantile among `count` sorted values, by linear interpolation (R type 7,
    /// numpy's `linear`): the index before it, and how far it is on the way to the next, 0 to 1.
    /// `None` when there are no values.
    pub(crate) fn place(self, count: u64) -> Option<(u64, f64)> {
        let span = u128::from(count.checked_sub(1)?) * u128::from(self.numerator);
        let denominator = u128::from(self.denominator);
        let index = u64::try_from(span / denominator).ok()?;
        Some((index, (span % denominator) as f64 / self.denominator as f64))
    }
}

/// The point between two values.
pub(crate) fn interpolate(low: f64, high: f64, fraction: f64) -> f64 {
    // Equal values need no arithmetic, which for infinite ones would give NaN.
    if fraction == 0.0 || low.total_cmp(&high).is_eq() {
        return low;
    }
    low + (high - low) * fraction
}
