//! `slope(y, x)`: by how much y grows with x, as the straight line of least squares has it. Of a
//! moment as x it is the growth per day.
//!
//! Rows with a NULL or a number that is not finite are ignored; fewer than two different x give
//! NULL. The sums are kept around the means, so that large x (moments are) lose no digits.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::wrong;

const DAY_US: f64 = 86_400e6;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Slope {
    signature: Signature,
}

impl Default for Slope {
    fn default() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Slope {
    fn name(&self) -> &str {
        "slope"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let is_number = |it: &DataType| it.is_numeric() || it.is_null();
        match arg_types {
            [y, x] if is_number(y) && is_number(x) => Ok(vec![DataType::Float64; 2]),
            [y, DataType::Timestamp(_, zone)] if is_number(y) => {
                let x = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
                Ok(vec![DataType::Float64, x])
            }
            [y, DataType::Date32 | DataType::Date64] if is_number(y) => {
                Ok(vec![DataType::Float64, DataType::Timestamp(TimeUnit::Microsecond, None)])
            }
            _ => wrong("slope(y, x) takes a number, and a number or a moment"),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str| {
            Arc::new(Field::new(format_state_name(args.name, part), DataType::Float64, false))
        };
        Ok(["count", "mean_x", "mean_y", "sum_xx", "sum_xy"].map(field).to_vec())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return wrong("slope(DISTINCT …) is not supported");
        }
        Ok(Box::new(Line::default()))
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        drop(self.accumulator(args)?);
        Ok(Box::new(Sliding::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// What is known of a cloud of points (B. P. Welford 1962; merged as T. F. Chan and others 1979).
#[derive(Debug, Default, Clone, Copy)]
struct Line {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    /// Sum of the squared distances from the mean.
    sum_xx: f64,
    sum_xy: f64,
}

impl Line {
    fn merge(&mut self, other: Self) {
        let count = self.count + other.count;
        if other.count == 0.0 || count == 0.0 {
            return;
        }
        let (x, y) = (other.mean_x - self.mean_x, other.mean_y - self.mean_y);
        let weight = self.count * other.count / count;
        self.sum_xx += other.sum_xx + x * x * weight;
        self.sum_xy += other.sum_xy + x * y * weight;
        self.mean_x += x * other.count / count;
        self.mean_y += y * other.count / count;
        self.count = count;
    }

    fn each(values: &[ArrayRef], mut take: impl FnMut(Self)) -> Result<()> {
        let [y, x] = values else { return wrong("slope(y, x) takes two arguments") };
        let x: ArrayRef = match x.data_type() {
            DataType::Timestamp(..) => {
                let x = cast(x, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                let days = x.as_primitive::<TimestampMicrosecondType>().iter();
                Arc::new(days.map(|it| it.map(|us| us as f64 / DAY_US)).collect::<Float64Array>())
            }
            _ => Arc::clone(x),
        };
        let (x, y) = (x.as_primitive::<Float64Type>(), y.as_primitive::<Float64Type>());
        for (x, y) in x.iter().zip(y) {
            let (Some(x), Some(y)) = (x, y) else { continue };
            if x.is_finite() && y.is_finite() {
                take(Self { count: 1.0, mean_x: x, mean_y: y, ..Self::default() });
            }
        }
        Ok(())
    }
}

impl Accumulator for Line {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Self::each(values, |point| self.merge(point))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let has_slope = self.count >= 2.0 && self.sum_xx > 0.0;
        Ok(ScalarValue::Float64(has_slope.then(|| self.sum_xy / self.sum_xx)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = [self.count, self.mean_x, self.mean_y, self.sum_xx, self.sum_xy];
        Ok(parts.map(|it| ScalarValue::Float64(Some(it))).to_vec())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [count, mean_x, mean_y, sum_xx, sum_xy] = states else {
            return wrong("the state of a slope has five columns");
        };
        let part = |of: &ArrayRef, row: usize| of.as_primitive::<Float64Type>().value(row);
        for row in 0..count.len() {
            self.merge(Self {
                count: part(count, row),
                mean_x: part(mean_x, row),
                mean_y: part(mean_y, row),
                sum_xx: part(sum_xx, row),
                sum_xy: part(sum_xy, row),
            });
        }
        Ok(())
    }
}

/// The points in a window that moves. To take one out of the sums would leave its rounding behind,
/// which shows where all x are the same.
#[derive(Debug, Default)]
struct Sliding {
    points: VecDeque<Line>,
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Line::each(values, |point| self.points.push_back(point))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Line::each(values, |_| {
            self.points.pop_front();
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut line = Line::default();
        self.points.iter().for_each(|it| line.merge(*it));
        line.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.points.capacity() * size_of::<Line>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut line = Line::default();
        self.points.iter().for_each(|it| line.merge(*it));
        line.state()
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        wrong("a window is not made of parts")
    }
}
