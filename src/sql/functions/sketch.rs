//! Histogram sketches in SQL: `hdr(x)` and `hdr_merge(h)` make them, `hdr_quantile(h, q)` and
//! `hdr_count(h)` read them. NULLs are ignored; no values give NULL (and a count of NULL).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::cast::as_binary_array;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};
use hdrhistogram::Histogram;

use super::rank::Rank;
use super::{first, histogram, wrong};

/// `hdr` or `hdr_merge`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sketch {
    name: &'static str,
    input: DataType,
    signature: Signature,
}

impl Sketch {
    /// `hdr(x)`.
    pub(super) fn of_values() -> Self {
        Self::new("hdr", DataType::Int64)
    }

    /// `hdr_merge(h)`.
    pub(super) fn of_sketches() -> Self {
        Self::new("hdr_merge", DataType::Binary)
    }

    fn new(name: &'static str, input: DataType) -> Self {
        Self { name, input, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Sketch {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [it] if it.is_null() => {}
            [it] if self.input == DataType::Int64 && it.is_integer() => {}
            [DataType::Binary | DataType::LargeBinary | DataType::BinaryView]
                if self.input == DataType::Binary => {}
            _ if self.input == DataType::Int64 => {
                return wrong("hdr(x) takes one whole number per row");
            }
            _ => return wrong("hdr_merge(h) takes one histogram per row"),
        }
        Ok(vec![self.input.clone()])
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "sketch");
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return wrong(format!("{}(DISTINCT …) is not supported", self.name));
        }
        Ok(Box::new(SketchOf { values: self.input == DataType::Int64, histogram: None }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct SketchOf {
    /// Whether the input is values, not sketches.
    values: bool,
    histogram: Option<Histogram<u64>>,
}

impl SketchOf {
    fn histogram(&mut self) -> Result<&mut Histogram<u64>> {
        if self.histogram.is_none() {
            self.histogram = Some(histogram::empty()?);
        }
        self.histogram
            .as_mut()
            .ok_or_else(|| DataFusionError::Internal("a histogram is not there".to_owned()))
    }
}

impl Accumulator for SketchOf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !self.values {
            return self.merge_batch(values);
        }
        for value in first(values)?.as_primitive::<Int64Type>().iter().flatten() {
            let Ok(count) = u64::try_from(value) else {
                return Err(DataFusionError::Execution(format!(
                    "hdr(x) takes non-negative numbers, and {value} is negative"
                )));
            };
            self.histogram()?.record(count).map_err(|source| {
                DataFusionError::Execution(format!("hdr(x) cannot count {value}: {source}"))
            })?;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = Self { values: self.values, histogram: None };
        gone.update_batch(values)?;
        let Some(gone) = gone.histogram else { return Ok(()) };
        self.histogram()?.subtract(&gone).map_err(|source| {
            DataFusionError::Internal(format!("a histogram left a window it was not in: {source}"))
        })?;
        self.histogram = self.histogram.take().filter(|it| !it.is_empty());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let bytes = self.histogram.as_ref().map(histogram::to_bytes).transpose()?;
        Ok(ScalarValue::Binary(bytes))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.histogram.as_ref().map_or(0, histogram::size_bytes)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in as_binary_array(first(states)?)?.iter().flatten() {
            let other = histogram::from_bytes(bytes)?;
            histogram::merge(self.histogram()?, &other)?;
        }
        Ok(())
    }
}

/// `hdr_quantile(h, q)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HdrQuantile {
    signature: Signature,
}

impl Default for HdrQuantile {
    fn default() -> Self {
        let arguments = vec![DataType::Binary, DataType::Float64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HdrQuantile {
    fn name(&self) -> &str {
        "hdr_quantile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [sketches, quantiles] = columns.as_slice() else {
            return wrong("hdr_quantile(h, q) takes a histogram and a number from 0 to 1");
        };
        let sketches = as_binary_array(sketches)?;
        let quantiles = quantiles.as_primitive::<Float64Type>();
        let answers = sketches.iter().zip(quantiles.iter()).map(|(bytes, q)| {
            let (Some(bytes), Some(q)) = (bytes, q) else { return Ok(None) };
            let Some(rank) = Rank::of(q) else {
                return Err(DataFusionError::Execution(format!(
                    "the second argument of hdr_quantile must be from 0 to 1, but is {q}"
                )));
            };
            Ok(histogram::quantile(&histogram::from_bytes(bytes)?, rank))
        });
        let answers: Float64Array = answers.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}

/// `hdr_count(h)`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HdrCount {
    signature: Signature,
}

impl Default for HdrCount {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Binary], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HdrCount {
    fn name(&self) -> &str {
        "hdr_count"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [sketches] = columns.as_slice() else {
            return wrong("hdr_count(h) takes a histogram");
        };
        let answers = as_binary_array(sketches)?.iter().map(|bytes| {
            let histogram = bytes.map(histogram::from_bytes).transpose()?;
            Ok(histogram.map(|it| i64::try_from(it.len()).unwrap_or(i64::MAX)))
        });
        let answers: Int64Array = answers.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}
