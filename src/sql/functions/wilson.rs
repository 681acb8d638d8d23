//! `wilson_lower(k, n)` and `wilson_upper(k, n)`: how low, and how high, a rate may really be of
//! which `k` successes in `n` trials were seen, with 95 % confidence.
//!
//! The score interval of E. B. Wilson (1927). It stays within 0 and 1, and is wide where there is
//! little to go by: two successes of two are at least 34 %, not 100 %.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;

/// The 97.5th percentile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// One end of the interval.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Wilson {
    is_upper: bool,
    signature: Signature,
}

impl Wilson {
    pub(super) fn lower() -> Self {
        Self::new(false)
    }

    pub(super) fn upper() -> Self {
        Self::new(true)
    }

    fn new(is_upper: bool) -> Self {
        let arguments = vec![DataType::Float64, DataType::Float64];
        Self { is_upper, signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Wilson {
    fn name(&self) -> &str {
        if self.is_upper { "wilson_upper" } else { "wilson_lower" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [successes, trials] = columns.as_slice() else {
            return wrong(format!("{}(k, n) takes two numbers", self.name()));
        };
        let successes = successes.as_primitive::<Float64Type>().iter();
        let trials = trials.as_primitive::<Float64Type>().iter();
        let ends = successes.zip(trials).map(|(k, n)| {
            let (Some(k), Some(n)) = (k, n) else { return Ok(None) };
            if !(k >= 0.0 && k <= n && n.is_finite()) {
                return Err(DataFusionError::Execution(format!(
                    "{}(k, n) takes a part and a whole, and {k} is no part of {n}",
                    self.name()
                )));
            }
            Ok(interval(k, n).map(|(lower, upper)| if self.is_upper { upper } else { lower }))
        });
        let ends: Float64Array = ends.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(ColumnarValue::Array(Arc::new(ends)))
    }
}

/// The interval; `None` without a trial.
pub(in crate::sql) fn interval(k: f64, n: f64) -> Option<(f64, f64)> {
    if n == 0.0 {
        return None;
    }
    let (rate, z2) = (k / n, Z * Z);
    let middle = rate + z2 / (2.0 * n);
    let spread = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    let end = |at: f64| (at / (1.0 + z2 / n)).clamp(0.0, 1.0);
    Some((end(middle - spread), end(middle + spread)))
}
