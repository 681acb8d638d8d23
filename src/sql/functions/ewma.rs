//! `ewma(x, alpha) OVER (… ORDER BY time)`: the exponentially weighted mean of values in their
//! order, the last with the weight `alpha`: `m = alpha * x + (1 - alpha) * m`, and the first value
//! is the first mean.
//!
//! A window function only: of a group without an order it would have no meaning. NULLs and
//! what is not finite are passed over, with the mean so far; before the first value it is NULL. A
//! frame has no part in it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::{constant, first, wrong};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Ewma {
    signature: Signature,
}

impl Default for Ewma {
    fn default() -> Self {
        let arguments = vec![DataType::Float64, DataType::Float64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Ewma {
    fn name(&self) -> &str {
        "ewma"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        let Some(value) = args.input_exprs().get(1).and_then(constant) else {
            return wrong("the second argument of ewma must be a constant, such as 0.2");
        };
        match value.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(alpha)) if alpha > 0.0 && alpha <= 1.0 => {
                Ok(Box::new(Mean { alpha }))
            }
            other => wrong(format!(
                "the second argument of ewma must be above 0 and at most 1, but is {other}"
            )),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Float64, true)))
    }
}

#[derive(Debug)]
struct Mean {
    alpha: f64,
}

impl PartitionEvaluator for Mean {
    fn evaluate_all(&mut self, values: &[ArrayRef], _num_rows: usize) -> Result<ArrayRef> {
        let mut mean: Option<f64> = None;
        let means = first(values)?.as_primitive::<Float64Type>().iter().map(|it| {
            if let Some(x) = it.filter(|it| it.is_finite()) {
                mean = Some(mean.map_or(x, |mean| self.alpha * x + (1.0 - self.alpha) * mean));
            }
            mean
        });
        Ok(Arc::new(means.collect::<Float64Array>()))
    }
}
