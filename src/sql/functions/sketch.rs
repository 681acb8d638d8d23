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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::sql) struct Sketch {
    name: &'static str,
    input: DataType,
    /// Whether the sketches that it makes never leave the query.
    inner: bool,
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
        let signature = Signature::user_defined(Volatility::Immutable);
        Self { name, input, inner: false, signature }
    }

    /// The same for sketches that nobody sees but [`reads_sketches`]; `None` if it is that already.
    pub(in crate::sql) fn inner(&self) -> Option<Self> {
        (!self.inner).then(|| Self { inner: true, ..self.clone() })
    }

    fn shape(&self) -> Shape {
        if self.inner { Shape::Packed } else { Shape::Hdr }
    }
}

/// Whether a function only reads the sketches that it is given.
pub(in crate::sql) fn reads_sketches(function: &str) -> bool {
    matches!(function, "hdr_quantile" | "hdr_count" | "hdr_verdict")
}

/// The bytes that a sketch is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// HdrHistogram's.
    Hdr,
    /// Those of the states of a query.
    Packed,
}

impl Shape {
    fn bytes(self, counts: &mut Counts) -> Vec<u8> {
        match self {
            Self::Hdr => counts.bytes(),
            Self::Packed => counts.packed(),
        }
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
        let (values, shape) = (self.input == DataType::Int64, self.shape());
        Ok(Box::new(SketchOf { values, shape, counts: None }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self.input == DataType::Int64, self.shape())))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Values, or sketches, of which a sketch is made. Sketches may come in another order: a dense one
/// is much memory, which is best touched for one group after the other.
fn add_rows(
    values: bool,
    rows: &ArrayRef,
    group_of: impl Fn(usize) -> usize,
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
    let sketches = as_binary_array(rows)?;
    let mut rows: Vec<_> = (0..sketches.len()).filter(|it| sketches.is_valid(*it)).collect();
    rows.sort_by_key(|it| group_of(*it));
    rows.into_iter().try_for_each(|row| add(row, Part::Sketch(sketches.value(row))))
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

#[derive(Debug)]
struct SketchOf {
    /// Whether the input is values, not sketches.
    values: bool,
    shape: Shape,
    /// `None` before the first; a sketch of nothing is NULL.
    counts: Option<Counts>,
}

impl Accumulator for SketchOf {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let counts = &mut self.counts;
        let add = |_, part: Part<'_>| add_part(counts.get_or_insert_default(), part);
        add_rows(self.values, first(values)?, |_| 0, add)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = Self { values: self.values, shape: self.shape, counts: None };
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
        Ok(ScalarValue::Binary(self.counts.as_mut().map(|it| self.shape.bytes(it))))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.as_ref().map_or(0, Counts::size_bytes)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(self.counts.as_mut().map(Counts::packed))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = &mut self.counts;
        let add = |_, part: Part<'_>| add_part(counts.get_or_insert_default(), part);
        add_rows(false, first(states)?, |_| 0, add)
    }
}

/// The sketches of many groups.
#[derive(Debug)]
struct Groups {
    /// Whether the input is values, not sketches.
    values: bool,
    shape: Shape,
    groups: Vec<Group>,
    /// Memory of the groups.
    size_bytes: usize,
}

/// The sketch of a group.
#[derive(Debug, Default)]
enum Group {
    /// A sketch of nothing is NULL.
    #[default]
    Empty,
    /// One state and no more, as where each group lies in one part of the rows.
    State(Vec<u8>),
    Counts(Counts),
}

impl Group {
    fn counts(&mut self) -> Result<&mut Counts> {
        match self {
            Self::Empty => *self = Self::Counts(Counts::default()),
            Self::State(bytes) => *self = Self::Counts(Counts::of(bytes)?),
            Self::Counts(_) => {}
        }
        match self {
            Self::Counts(counts) => Ok(counts),
            _ => Err(DataFusionError::Internal("a group without its counts".to_owned())),
        }
    }

    fn bytes(self, shape: Shape) -> Result<Option<Vec<u8>>> {
        Ok(match self {
            Self::Empty => None,
            Self::State(bytes) if shape == Shape::Packed => Some(bytes),
            Self::State(bytes) => Some(shape.bytes(&mut Counts::of(&bytes)?)),
            Self::Counts(mut counts) => Some(shape.bytes(&mut counts)),
        })
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::State(bytes) => bytes.capacity(),
            Self::Counts(counts) => counts.size_bytes(),
        }
    }
}

impl Groups {
    fn new(values: bool, shape: Shape) -> Self {
        Self { values, shape, groups: Vec::new(), size_bytes: 0 }
    }

    fn add(
        &mut self,
        (values, rows): (bool, &[ArrayRef]),
        group_indices: &[usize],
        total_num_groups: usize,
        add: impl Fn(usize, &mut Group, Part<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.groups.len() < total_num_groups {
            self.groups.resize_with(total_num_groups, Group::default);
        }
        let Self { groups, size_bytes, .. } = self;
        let group_of = |row| group_indices.get(row).copied().unwrap_or(usize::MAX);
        add_rows(values, first(rows)?, group_of, |row, part| {
            let Some(group) = groups.get_mut(group_of(row)) else { return Ok(()) };
            let before = group.size_bytes();
            add(row, group, part)?;
            *size_bytes = *size_bytes + group.size_bytes() - before;
            Ok(())
        })
    }

    fn emit(&mut self, emit_to: EmitTo, shape: Shape) -> Result<ArrayRef> {
        let taken = emit_to.take_needed(&mut self.groups);
        let freed: usize = taken.iter().map(Group::size_bytes).sum();
        self.size_bytes -= freed;
        let mut sketches = BinaryBuilder::with_capacity(taken.len(), freed / 2);
        for group in taken {
            sketches.append_option(group.bytes(shape)?);
        }
        Ok(Arc::new(sketches.finish()))
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
        let rows = (self.values, values);
        self.add(rows, group_indices, total_num_groups, |row, group, part| {
            if wanted(row) { add_part(group.counts()?, part) } else { Ok(()) }
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emit(emit_to, self.shape)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(emit_to, Shape::Packed)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.add((false, values), group_indices, total_num_groups, |_, group, part| {
            match (&group, part) {
                (Group::Empty, Part::Sketch(state)) => *group = Group::State(state.to_vec()),
                (_, part) => add_part(group.counts()?, part)?,
            }
            Ok(())
        })
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = first(values)?;
        let each: Vec<usize> = (0..values.len()).collect();
        let mut groups = Self::new(self.values, self.shape);
        groups.update_batch(&[Arc::clone(values)], &each, opt_filter, values.len())?;
        groups.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Group>() + self.size_bytes
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
