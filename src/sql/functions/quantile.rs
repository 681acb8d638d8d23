//! `p50 p90 p95 p99 p999(x)` and `quantile(x, q)` as aggregate functions.
//!
//! NULLs are ignored, no values give NULL, NaN counts as larger than every number. See `samples`
//! for what is exact. A window frame that moves is exact, within a bound on its rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, FixedSizeListArray, Float64Builder,
    ListArray, PrimitiveArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::cast::{as_binary_array, as_list_array};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature, Volatility,
};

use super::samples::{Sample, Samples, SortedSamples};
use super::{constant, first, wrong};
use crate::histogram::Rank;

/// The functions with a fixed quantile, and `quantile` itself.
pub(super) fn all() -> Vec<Quantile> {
    let fixed = |name, numerator, denominator| {
        Quantile::new(name, Asked::One(Rank::new(numerator, denominator)))
    };
    vec![
        fixed("p50", 1, 2),
        fixed("p90", 9, 10),
        fixed("p95", 95, 100),
        fixed("p99", 99, 100),
        fixed("p999", 999, 1000),
        Quantile::new("quantile", Asked::Argument),
    ]
}

/// One function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::sql) struct Quantile {
    name: &'static str,
    asked: Asked,
    signature: Signature,
}

/// Which quantiles a function gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    One(Rank),
    /// The second argument says which.
    Argument,
    /// A list of them.
    Several(Vec<Rank>),
}

impl Quantile {
    fn new(name: &'static str, asked: Asked) -> Self {
        Self { name, asked, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// A function that gives several quantiles of its argument as a list. No function of SQL.
    pub(in crate::sql) fn together(ranks: Vec<Rank>) -> Self {
        Self::new("quantiles", Asked::Several(ranks))
    }

    /// The one quantile that a call with these arguments gives, if that is known and fine.
    pub(in crate::sql) fn rank_of(&self, args: &[Expr]) -> Option<Rank> {
        match (&self.asked, args) {
            (Asked::One(rank), _) => Some(*rank),
            (Asked::Argument, [_, Expr::Literal(ScalarValue::Float64(Some(q)), _)]) => Rank::of(*q),
            _ => None,
        }
    }

    fn ranks(&self, args: &AccumulatorArgs<'_>) -> Result<Ranks> {
        if args.is_distinct {
            return wrong(format!("{}(DISTINCT …) is not supported", self.name));
        }
        match &self.asked {
            Asked::One(rank) => return Ok(Ranks::One(*rank)),
            Asked::Several(ranks) => return Ok(Ranks::Several(ranks.clone())),
            Asked::Argument => {}
        }
        let Some(value) = args.exprs.get(1).and_then(constant) else {
            return wrong("the second argument of quantile must be a constant, such as 0.95");
        };
        let ScalarValue::Float64(Some(q)) = value.cast_to(&DataType::Float64)? else {
            return wrong("the second argument of quantile must not be NULL");
        };
        match Rank::of(q) {
            Some(rank) => Ok(Ranks::One(rank)),
            None => wrong(format!(
                "the second argument of quantile must be from 0 to 1, but is {q}\n\
                 write 0.95 for the 95th percentile"
            )),
        }
    }

    fn samples_type(args: &AccumulatorArgs<'_>) -> Option<DataType> {
        args.expr_fields.first().map(|it| it.data_type().clone())
    }
}

impl AggregateUDFImpl for Quantile {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match &self.asked {
            Asked::Several(ranks) => list_type(ranks.len()),
            Asked::One(_) | Asked::Argument => DataType::Float64,
        })
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let (x, q) = match (&self.asked, arg_types) {
            (Asked::Argument, [x, q]) if q.is_numeric() => (x, Some(DataType::Float64)),
            (Asked::Argument, _) => {
                return wrong("quantile(x, q) takes a value and a number from 0 to 1");
            }
            (_, [x]) => (x, None),
            _ => return wrong(format!("{}(x) takes one argument", self.name)),
        };
        let x = match x {
            DataType::UInt64 => DataType::Float64,
            it if it.is_integer() => DataType::Int64,
            it if it.is_numeric() || it.is_null() => DataType::Float64,
            DataType::Duration(_) | DataType::Interval(_) => {
                return wrong(format!(
                    "{} takes numbers, and a time span is none\n\
                     write extract(epoch FROM x) for its seconds",
                    self.name
                ));
            }
            other => {
                return wrong(format!("{} takes numbers, and {other} is none", self.name));
            }
        };
        Ok([Some(x), q].into_iter().flatten().collect())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let kind = args.input_fields.first().map_or(DataType::Float64, |it| it.data_type().clone());
        let values = format_state_name(args.name, "values");
        let sketch = format_state_name(args.name, "sketch");
        Ok(vec![
            Arc::new(Field::new(values, DataType::List(item(kind)), false)),
            Arc::new(Field::new(sketch, DataType::Binary, true)),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let ranks = self.ranks(&args)?;
        Ok(match Self::samples_type(&args) {
            Some(DataType::Int64) => Box::new(One::<Int64Type>::new(ranks)),
            _ => Box::new(One::<Float64Type>::new(ranks)),
        })
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        let ranks = self.ranks(&args)?;
        Ok(match Self::samples_type(&args) {
            Some(DataType::Int64) => Box::new(Sliding::<Int64Type>::new(ranks)),
            _ => Box::new(Sliding::<Float64Type>::new(ranks)),
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let ranks = self.ranks(&args)?;
        Ok(match Self::samples_type(&args) {
            Some(DataType::Int64) => Box::new(Groups::<Int64Type>::new(ranks)),
            _ => Box::new(Groups::<Float64Type>::new(ranks)),
        })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The type of some quantiles together.
fn list_type(ranks: usize) -> DataType {
    DataType::FixedSizeList(item(DataType::Float64), i32::try_from(ranks).unwrap_or(i32::MAX))
}

/// The quantiles that are wanted of each group.
#[derive(Debug)]
enum Ranks {
    One(Rank),
    Several(Vec<Rank>),
}

impl Ranks {
    /// Those of one group.
    fn value(&self, mut quantile: impl FnMut(Rank) -> Option<f64>) -> Result<ScalarValue> {
        match self {
            Self::One(rank) => Ok(ScalarValue::Float64(quantile(*rank))),
            Self::Several(_) => {
                let list = self.array([()], |(), rank| quantile(rank))?;
                ScalarValue::try_from_array(&list, 0)
            }
        }
    }

    /// Those of many groups.
    fn array<G>(
        &self,
        groups: impl IntoIterator<Item = G>,
        mut quantile: impl FnMut(&mut G, Rank) -> Option<f64>,
    ) -> Result<ArrayRef> {
        let ranks = match self {
            Self::One(rank) => std::slice::from_ref(rank),
            Self::Several(ranks) => ranks,
        };
        let mut values = Float64Builder::new();
        for mut group in groups {
            ranks.iter().for_each(|it| values.append_option(quantile(&mut group, *it)));
        }
        let values = Arc::new(values.finish());
        let DataType::FixedSizeList(field, width) = list_type(ranks.len()) else {
            return wrong("quantiles are no list");
        };
        Ok(match self {
            Self::One(_) => values,
            Self::Several(_) => Arc::new(FixedSizeListArray::try_new(field, width, values, None)?),
        })
    }
}

fn item(kind: DataType) -> FieldRef {
    Arc::new(Field::new_list_field(kind, true))
}

/// The two columns of a state.
fn state_columns(values: &[ArrayRef]) -> Result<(&ListArray, &arrow::array::BinaryArray)> {
    match values {
        [values, sketches] => Ok((as_list_array(values)?, as_binary_array(sketches)?)),
        _ => Err(DataFusionError::Internal("a quantile's state has two columns".to_owned())),
    }
}

/// Values of row `row` of a state.
fn merge_row<T: Sample>(
    samples: &mut Samples<T>,
    lists: &ListArray,
    sketches: &arrow::array::BinaryArray,
    row: usize,
) -> Result<()> {
    let list = lists.value(row);
    let values = list.as_primitive::<T>();
    let sketch = sketches.is_valid(row).then(|| sketches.value(row));
    if values.null_count() == 0 {
        return samples.merge(values.values(), sketch);
    }
    let present: Vec<_> = values.iter().flatten().collect();
    samples.merge(&present, sketch)
}

/// The quantile of all rows.
#[derive(Debug)]
struct One<T: Sample> {
    ranks: Ranks,
    samples: Samples<T>,
}

impl<T: Sample> One<T> {
    fn new(ranks: Ranks) -> Self {
        Self { ranks, samples: Samples::default() }
    }
}

impl<T: Sample> Accumulator for One<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = first(values)?.as_primitive::<T>();
        values.iter().flatten().for_each(|it| {
            self.samples.push(it);
        });
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Self { ranks, samples } = self;
        ranks.value(|rank| samples.quantile(rank))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.samples.size_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, sketch) = std::mem::take(&mut self.samples).into_state();
        let values = PrimitiveArray::<T>::from_iter_values(values);
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::try_new(item(T::DATA_TYPE), offsets, Arc::new(values), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list)), ScalarValue::Binary(sketch)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (lists, sketches) = state_columns(states)?;
        (0..lists.len()).try_for_each(|row| merge_row(&mut self.samples, lists, sketches, row))
    }
}

/// The quantile of the rows in a moving window.
#[derive(Debug)]
struct Sliding<T: Sample> {
    ranks: Ranks,
    samples: SortedSamples<T>,
}

impl<T: Sample> Sliding<T> {
    fn new(ranks: Ranks) -> Self {
        Self { ranks, samples: SortedSamples::default() }
    }
}

impl<T: Sample> Accumulator for Sliding<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = first(values)?.as_primitive::<T>();
        values.iter().flatten().try_for_each(|it| self.samples.insert(it))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = first(values)?.as_primitive::<T>();
        values.iter().flatten().for_each(|it| self.samples.remove(it));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Self { ranks, samples } = self;
        ranks.value(|rank| samples.quantile(rank))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.samples.size_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.samples.values().iter().copied();
        let values = PrimitiveArray::<T>::from_iter_values(values);
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::try_new(item(T::DATA_TYPE), offsets, Arc::new(values), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list)), ScalarValue::Binary(None)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (lists, _) = state_columns(states)?;
        for row in 0..lists.len() {
            let list = lists.value(row);
            let values = list.as_primitive::<T>();
            values.iter().flatten().try_for_each(|it| self.samples.insert(it))?;
        }
        Ok(())
    }
}

/// The quantiles of many groups.
#[derive(Debug)]
struct Groups<T: Sample> {
    ranks: Ranks,
    groups: Vec<Samples<T>>,
    /// Memory of the groups, kept up to date: asking each of a million would cost more than it
    /// tells.
    size_bytes: usize,
}

impl<T: Sample> Groups<T> {
    fn new(ranks: Ranks) -> Self {
        Self { ranks, groups: Vec::new(), size_bytes: 0 }
    }

    fn grow(&mut self, total: usize) {
        if self.groups.len() < total {
            self.groups.resize_with(total, Samples::default);
        }
    }

    fn group(&mut self, group: usize) -> Result<&mut Samples<T>> {
        self.groups.get_mut(group).ok_or_else(|| {
            DataFusionError::Internal(format!("group {group} of a quantile is not there"))
        })
    }

    /// Adds a value to a group and accounts for its memory, which it rarely changes.
    #[inline]
    fn push(&mut self, group: usize, value: T::Native) -> Result<()> {
        let samples = self.group(group)?;
        if samples.push(value) {
            let (told, now) = samples.tell_bytes();
            self.size_bytes = self.size_bytes + now - told;
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Samples<T>> {
        let taken = emit_to.take_needed(&mut self.groups);
        let freed: usize = taken.iter().map(|it| it.told_bytes).sum();
        self.size_bytes -= freed;
        taken
    }
}

impl<T: Sample> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let values = first(values)?.as_primitive::<T>();
        if opt_filter.is_none() && values.null_count() == 0 {
            let mut rows = group_indices.iter().zip(values.values());
            return rows.try_for_each(|(group, value)| self.push(*group, *value));
        }
        for (row, group) in group_indices.iter().enumerate() {
            let wanted = opt_filter.is_none_or(|it| it.is_valid(row) && it.value(row));
            if wanted && values.is_valid(row) {
                self.push(*group, values.value(row))?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        self.ranks.array(groups, |samples, rank| samples.quantile(rank))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.take(emit_to);
        let mut values = Vec::new();
        let mut lengths = Vec::with_capacity(groups.len());
        let mut sketches = BinaryBuilder::new();
        for group in groups {
            let (exact, sketch) = group.into_state();
            lengths.push(exact.len());
            values.extend(exact);
            sketches.append_option(sketch);
        }
        let values = PrimitiveArray::<T>::from_iter_values(values);
        let offsets = OffsetBuffer::from_lengths(lengths);
        let lists = ListArray::try_new(item(T::DATA_TYPE), offsets, Arc::new(values), None)?;
        Ok(vec![Arc::new(lists), Arc::new(sketches.finish())])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let (lists, sketches) = state_columns(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            let samples = self.group(*group)?;
            merge_row(samples, lists, sketches, row)?;
            let (told, now) = samples.tell_bytes();
            self.size_bytes = self.size_bytes + now - told;
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = first(values)?.as_primitive::<T>();
        let rows = values.len();
        let present: PrimitiveArray<T> = match opt_filter {
            None => values.clone(),
            Some(filter) => (0..rows)
                .map(|row| {
                    let wanted = filter.is_valid(row) && filter.value(row);
                    (wanted && values.is_valid(row)).then(|| values.value(row))
                })
                .collect(),
        };
        // One list of one value per row; a NULL in it is no value.
        let offsets: ScalarBuffer<i32> = (0..=i32::try_from(rows).unwrap_or(i32::MAX)).collect();
        let offsets = OffsetBuffer::new(offsets);
        let present = present.with_data_type(T::DATA_TYPE);
        let lists = ListArray::try_new(item(T::DATA_TYPE), offsets, Arc::new(present), None)?;
        let mut sketches = BinaryBuilder::new();
        (0..rows).for_each(|_| sketches.append_null());
        Ok(vec![Arc::new(lists), Arc::new(sketches.finish())])
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Samples<T>>() + self.size_bytes
    }
}
