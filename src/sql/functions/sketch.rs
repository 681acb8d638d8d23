//! Histogram sketches in SQL: `hdr(x)` and `hdr_merge(h)` make them, `hdr_quantile(h, q)` and
//! `hdr_count(h)` read them. NULLs are ignored; no values give NULL (and a count of NULL).

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Float64Array, Int64Array,
};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::cast::as_binary_array;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator, ScalarFunctionArgs,
    ScalarUDFImpl, Signature, Volatility,
};

use super::{first, wrong};
use crate::histogram::{Counts, Rank, quantile_of};

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
        Ok(Box::new(SketchOf { values: self.input == DataType::Int64, counts: None }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let values = self.input == DataType::Int64;
        Ok(Box::new(Groups { values, groups: Vec::new(), size_bytes: 0 }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Values, or sketches, of which a sketch is made.
fn add_rows(
    values: bool,
    rows: &ArrayRef,
    mut add: impl FnMut(usize, Part<'_>) -> Result<()>,
) -> Result<()> {
    if values {
        let rows = rows.as_primitive::<Int64Type>().iter().enumerate();
        return rows.filter_map(|(row, it)| Some((row, it?))).try_for_each(|(row, value)| {
            let Ok(count) = u64::try_from(value) else {
                return Err(DataFusionError::Execution(format!(
                    "hdr(x) takes non-negative numbers, and {value} is negative"
                )));
            };
            add(row, Part::Value(count))
        });
    }
    let rows = as_binary_array(rows)?.iter().enumerate();
    let mut rows = rows.filter_map(|(row, it)| Some((row, it?)));
    rows.try_for_each(|(row, bytes)| add(row, Part::Sketch(bytes)))
}

/// What is added to a sketch.
enum Part<'a> {
    Value(u64),
    Sketch(&'a [u8]),
}

fn add_part(counts: &mut Counts, part: Part<'_>) -> Result<()> {
    match part {
        Part::Value(value) => {
            counts.record(value);
            Ok(())
        }
        Part::Sketch(bytes) => Ok(counts.merge_bytes(bytes)?),
    }
}

/// The state of a sketch; one of nothing is NULL.
fn state_of(counts: &mut Option<Counts>) -> Option<Vec<u8>> {
    counts.as_mut().map(Counts::packed)
}

/// The bytes of a sketch; a sketch of nothing is NULL.
fn bytes_of(counts: &mut Option<Counts>) -> Option<Vec<u8>> {
    counts.as_mut().map(Counts::bytes)
}

#[derive(Debug)]
struct SketchOf {
    /// Whether the input is values, not sketches.
    values: bool,
    /// `None` before the first.
    counts: Option<Counts>,
}

impl Accumulator for SketchOf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let counts = &mut self.counts;
        add_rows(self.values, first(values)?, |_, part| {
            add_part(counts.get_or_insert_default(), part)
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = Self { values: self.values, counts: None };
        gone.update_batch(values)?;
        let Some(gone) = gone.counts else { return Ok(()) };
        self.counts.get_or_insert_default().subtract(&gone).ok_or_else(|| {
            DataFusionError::Internal("a histogram left a window it was not in".to_owned())
        })?;
        self.counts = self.counts.take().filter(|it| !it.is_empty());
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(bytes_of(&mut self.counts)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.as_ref().map_or(0, Counts::size_bytes)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(state_of(&mut self.counts))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = &mut self.counts;
        add_rows(false, first(states)?, |_, part| add_part(counts.get_or_insert_default(), part))
    }
}

/// The sketches of many groups.
#[derive(Debug)]
struct Groups {
    /// Whether the input is values, not sketches.
    values: bool,
    groups: Vec<Option<Counts>>,
    /// Memory of the groups.
    size_bytes: usize,
}

impl Groups {
    fn add(
        &mut self,
        (values, rows): (bool, &[ArrayRef]),
        group_indices: &[usize],
        wanted: impl Fn(usize) -> bool,
        total_num_groups: usize,
    ) -> Result<()> {
        if self.groups.len() < total_num_groups {
            self.groups.resize_with(total_num_groups, || None);
        }
        let Self { groups, size_bytes, .. } = self;
        add_rows(values, first(rows)?, |row, part| {
            let group = group_indices.get(row).and_then(|it| groups.get_mut(*it));
            let Some(group) = group.filter(|_| wanted(row)) else { return Ok(()) };
            let counts = group.get_or_insert_default();
            let before = counts.size_bytes();
            add_part(counts, part)?;
            *size_bytes = *size_bytes + counts.size_bytes() - before;
            Ok(())
        })
    }
}

impl Groups {
    fn emit(
        &mut self,
        emit_to: EmitTo,
        bytes: fn(&mut Option<Counts>) -> Option<Vec<u8>>,
    ) -> ArrayRef {
        let mut taken = emit_to.take_needed(&mut self.groups);
        let freed: usize = taken.iter().flatten().map(Counts::size_bytes).sum();
        self.size_bytes -= freed;
        let mut sketches = BinaryBuilder::new();
        taken.iter_mut().for_each(|it| sketches.append_option(bytes(it)));
        Arc::new(sketches.finish())
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let wanted = |row| opt_filter.is_none_or(|it| it.is_valid(row) && it.value(row));
        self.add((self.values, values), group_indices, wanted, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.emit(emit_to, bytes_of))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(emit_to, state_of)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.add((false, values), group_indices, |_| true, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = first(values)?;
        let each: Vec<usize> = (0..values.len()).collect();
        let mut groups = Self { values: self.values, groups: Vec::new(), size_bytes: 0 };
        groups.update_batch(&[Arc::clone(values)], &each, opt_filter, values.len())?;
        groups.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Option<Counts>>() + self.size_bytes
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
            Ok(quantile_of(bytes, rank)?)
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
            let counts = bytes.map(Counts::of).transpose()?;
            Ok(counts.map(|it| i64::try_from(it.len()).unwrap_or(i64::MAX)))
        });
        let answers: Int64Array = answers.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(ColumnarValue::Array(Arc::new(answers)))
    }
}
