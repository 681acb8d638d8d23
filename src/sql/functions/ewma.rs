//! `ewma(x, alpha)`: the exponentially weighted mean of values in their order, the last with the
//! weight `alpha`: `m = alpha * x + (1 - alpha) * m`, and the first value is the first mean.
//!
//! As a window, `ewma(x, 0.2) OVER (ORDER BY time)`, or of a group, `ewma(x, 0.2 ORDER BY time)`.
//! NULLs are ignored; no values give NULL. A frame that moves has no meaning for it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

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

impl AggregateUDFImpl for Ewma {
    fn name(&self) -> &str {
        "ewma"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "mean");
        let mut fields = vec![Arc::new(Field::new(name, DataType::Float64, true))];
        fields.extend(args.ordering_fields.iter().cloned());
        Ok(fields)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return wrong("ewma(DISTINCT …) is not supported");
        }
        let Some(value) = args.exprs.get(1).and_then(constant) else {
            return wrong("the second argument of ewma must be a constant, such as 0.2");
        };
        match value.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(alpha)) if alpha > 0.0 && alpha <= 1.0 => {
                Ok(Box::new(Mean { alpha, mean: None }))
            }
            other => wrong(format!(
                "the second argument of ewma must be above 0 and at most 1, but is {other}"
            )),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::HardRequirement
    }
}

#[derive(Debug)]
struct Mean {
    alpha: f64,
    mean: Option<f64>,
}

impl Accumulator for Mean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for x in first(values)?.as_primitive::<Float64Type>().iter().flatten() {
            self.mean =
                Some(self.mean.map_or(x, |mean| self.alpha * x + (1.0 - self.alpha) * mean));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.mean))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        wrong("ewma cannot be taken of parts")
    }
}
