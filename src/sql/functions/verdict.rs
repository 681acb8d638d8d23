//! `hdr_verdict(before, after, q)`: whether the quantile `q` of two samples differs by more than
//! chance: `higher`, `lower`, `same` or `too few`. Whoever says that a latency has changed asks
//! here, so that the shell, a report and a gate never disagree.
//!
//! The test is Mood's median test, taken to any quantile: how many values of each sample are above
//! the quantile of both together, held against each other as two proportions (pooled variance,
//! two-sided). It asks nothing of the shape of the distribution. They differ where
//!
//! - |z| is at least 3.29 (p < 0.001: of 1,000 comparisons of equals one is wrong),
//! - and the quantile itself has moved by at least 5 % in the same direction, since a difference
//!   that nobody would feel is none.
//!
//! Too few are samples of which fewer than five values are expected on either side of the quantile:
//! 10 for the median, 100 for P95, 500 for P99. (A. M. Mood, Introduction to the Theory of
//! Statistics, 1950, section 16.3.)

use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::cast::as_binary_array;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;
use crate::histogram::{Counts, Rank};

/// Standard deviations that a difference must be from none: p = 0.001, two-sided.
const Z_MIN: f64 = 3.290_527;

/// By how much the quantile must have moved, relative to before.
const CHANGE_MIN: f64 = 0.05;

/// Values expected on either side of the quantile.
const EXPECTED_MIN: f64 = 5.0;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HdrVerdict {
    signature: Signature,
}

impl Default for HdrVerdict {
    fn default() -> Self {
        let arguments = vec![DataType::Binary, DataType::Binary, DataType::Float64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HdrVerdict {
    fn name(&self) -> &str {
        "hdr_verdict"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [before, after, quantiles] = columns.as_slice() else {
            return wrong("hdr_verdict(before, after, q) takes two histograms and a number");
        };
        let sides = as_binary_array(before)?.iter().zip(as_binary_array(after)?.iter());
        let quantiles = quantiles.as_primitive::<Float64Type>().iter();
        let verdicts = sides.zip(quantiles).map(|((before, after), q)| {
            let Some(q) = q else { return Ok(None) };
            if !(q > 0.0 && q < 1.0) {
                return Err(DataFusionError::Execution(format!(
                    "the third argument of hdr_verdict must be between 0 and 1, but is {q}"
                )));
            }
            let (Some(before), Some(after)) = (before, after) else { return Ok(Some(TOO_FEW)) };
            Ok(Some(verdict(&Counts::of(before)?, &Counts::of(after)?, q)))
        });
        let verdicts: StringArray = verdicts.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(ColumnarValue::Array(Arc::new(verdicts)))
    }
}

const TOO_FEW: &str = "too few";

/// What is to be said of two samples.
fn verdict(before: &Counts, after: &Counts, q: f64) -> &'static str {
    let (n, m) = (before.len() as f64, after.len() as f64);
    if n.min(m) * q.min(1.0 - q) < EXPECTED_MIN {
        return TOO_FEW;
    }
    let mut both = before.clone();
    both.merge(after);
    let middle = both.place_at(q);
    let (a, b) = (before.above(middle) as f64, after.above(middle) as f64);
    let rate = (a + b) / (n + m);
    let deviation = (rate * (1.0 - rate) * (1.0 / n + 1.0 / m)).sqrt();
    if deviation == 0.0 {
        return "same"; // all values are one
    }
    let z = (b / m - a / n) / deviation;
    let Some(rank) = Rank::of(q) else { return "same" };
    let at = |of: &Counts| of.quantile(rank).unwrap_or_default();
    let (old, new) = (at(before), at(after));
    let moved = (new - old).abs() >= CHANGE_MIN * old;
    match () {
        () if z >= Z_MIN && moved && new > old => "higher",
        () if z <= -Z_MIN && moved && new < old => "lower",
        () => "same",
    }
}
