//! `mad(x)`: the median of how far the values are from their median, a measure of spread that a few
//! outliers do not move. Exact; no factor is applied.
//!
//! NULLs and NaN are ignored; no values give NULL. Keeps all values of a group in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::cast::as_list_array;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::{first, wrong};
use crate::histogram::{Rank, interpolate};

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Mad {
    signature: Signature,
}

impl Default for Mad {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Float64], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Mad {
    fn name(&self) -> &str {
        "mad"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "values");
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        Ok(vec![Arc::new(Field::new(name, DataType::List(item), false))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return wrong("mad(DISTINCT …) is not supported");
        }
        Ok(Box::new(Spread::default()))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The values of one group, or of a window that moves.
#[derive(Debug, Default)]
struct Spread {
    values: VecDeque<f64>,
}

impl Spread {
    fn add(&mut self, values: &Float64Array) {
        self.values.extend(values.iter().flatten().filter(|it| !it.is_nan()));
    }
}

impl Accumulator for Spread {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(first(values)?.as_primitive::<Float64Type>());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in first(values)?.as_primitive::<Float64Type>().iter().flatten() {
            // rows leave a window in the order in which they entered it
            if !value.is_nan() {
                self.values.pop_front();
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut values: Vec<f64> = self.values.iter().copied().collect();
        let spread = median(&mut values).and_then(|middle| {
            values.iter_mut().for_each(|it| *it = (*it - middle).abs());
            median(&mut values)
        });
        Ok(ScalarValue::Float64(spread))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = Float64Array::from_iter_values(std::mem::take(&mut self.values));
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::try_new(item, offsets, Arc::new(values), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in as_list_array(first(states)?)?.iter().flatten() {
            self.add(values.as_primitive::<Float64Type>());
        }
        Ok(())
    }
}

/// The middle value, or the point between the middle two; the values change their order.
fn median(values: &mut [f64]) -> Option<f64> {
    let (index, fraction) = Rank::new(1, 2).place(values.len() as u64)?;
    let index = usize::try_from(index).ok()?;
    let (_, low, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*low);
    Some(interpolate(*low, high, fraction))
}
