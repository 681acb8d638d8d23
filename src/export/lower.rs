//! Rows in the types that a tool reads: which column becomes which, and the conversion. Pure: reads
//! and writes nothing, and knows no file.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Float64Array, RecordBatch,
    RecordBatchOptions,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit};

use super::names;
use super::profile::{Costs, Durations, Profile};
use crate::error::{Error, Result};
use crate::output::texts;
use crate::store::schema::data_type;

/// The column that holds the day of a partition.
pub(super) const DAY: &str = "dt";

/// Digits of a cost, and those after the point.
const COST: (u8, i8) = (18, 9);

const NS_PER_MS: f64 = 1e6;

/// How the values of a column are made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// As they are, or as Arrow casts them: a value that does not fit is an error.
    Cast,
    /// Nanoseconds to milliseconds.
    Milliseconds,
    /// Floats, without NaN and infinity.
    Finite,
    /// Money as a decimal.
    Cost,
    /// Exact text, JSON for lists and structs.
    Text,
}

/// One column of the file.
#[derive(Debug, Clone)]
struct Target {
    source: usize,
    rule: Rule,
    field: Field,
}

/// What becomes of the columns of a table, or of a query's result.
#[derive(Debug, Clone)]
pub(super) struct Lowering {
    targets: Vec<Target>,
    /// The columns of the file, the day excluded.
    fields: Vec<Field>,
    /// The columns of the file.
    schema: SchemaRef,
    with_day: bool,
    left_out: Vec<String>,
}

/// Rows on their way to a file.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) rows: RecordBatch,
    /// For each column but the day, how many values became NULL.
    pub(super) nulled: Vec<u64>,
}

impl Lowering {
    /// What a profile makes of these columns. With `with_day`, the day of the partition is added.
    ///
    /// # Errors
    /// `Invalid` for names that cannot be written.
    pub(super) fn new(from: &Schema, profile: &Profile, with_day: bool) -> Result<Self> {
        let (mut targets, mut left_out) = (Vec::new(), Vec::new());
        for (source, field) in from.fields().iter().enumerate() {
            if !profile.bytes && is_bytes(field.data_type()) {
                left_out.push(field.name().clone());
                continue;
            }
            for (name, rule, kind) in lowered(field, profile, from) {
                let nullable = field.is_nullable() || matches!(rule, Rule::Finite | Rule::Cost);
                let field = Field::new(name, kind, nullable);
                let metadata = from.field(source).metadata().clone();
                targets.push(Target { source, rule, field: field.with_metadata(metadata) });
            }
        }
        let all = targets.iter().map(|it| it.field.name().as_str());
        let names = names::columns(all)?;
        if with_day && names.iter().any(|it| it == DAY) {
            let message = format!("a column {DAY} is there already, which is to hold the day");
            return Err(Error::invalid(message).with_hint("Give it another name with AS."));
        }
        for (target, name) in targets.iter_mut().zip(names) {
            target.field = target.field.clone().with_name(name);
        }
        let fields: Vec<Field> = targets.iter().map(|it| it.field.clone()).collect();
        let day = with_day.then(|| Field::new(DAY, DataType::Date32, true));
        let schema = Schema::new(fields.iter().cloned().chain(day).collect::<Vec<_>>());
        Ok(Self { targets, fields, schema: Arc::new(schema), with_day, left_out })
    }

    /// The columns of the file.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns of the file, without the day.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Columns that are not written.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Rows of one day, in days since 1970, as they are written.
    ///
    /// # Errors
    /// `Invalid`, naming the column: a value does not fit.
    pub(super) fn lower(&self, rows: &RecordBatch, day: Option<i32>) -> Result<Lowered> {
        let mut nulled = Vec::with_capacity(self.targets.len());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.targets.len() + 1);
        for target in &self.targets {
            let Some(from) = rows.columns().get(target.source) else {
                return Err(Error::internal("a batch lacks a column of its result"));
            };
            let made = target.make(from)?;
            let more = made.null_count().saturating_sub(from.logical_null_count());
            nulled.push(more as u64);
            columns.push(made);
        }
        if self.with_day {
            columns.push(Arc::new(Date32Array::from(vec![day; rows.num_rows()])));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let rows =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
                .map_err(|it| Error::internal("cannot build an exported batch").with_source(it))?;
        Ok(Lowered { rows, nulled })
    }
}

impl Target {
    fn make(&self, from: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self.rule {
            Rule::Cast if from.data_type() == self.field.data_type() => Arc::clone(from),
            Rule::Cast => self.cast(from, self.field.data_type())?,
            Rule::Milliseconds => {
                let ns = self.cast(from, &DataType::Int64)?;
                let ns = ns.as_primitive::<Int64Type>();
                Arc::new(ns.unary::<_, Float64Type>(|it| it as f64 / NS_PER_MS))
            }
            Rule::Finite => {
                let floats = self.cast(from, &DataType::Float64)?;
                let floats = floats.as_primitive::<Float64Type>();
                if floats.values().iter().all(|it| it.is_finite()) {
                    return Ok(Arc::new(floats.clone()));
                }
                let finite = floats.iter().map(|it| it.filter(|it| it.is_finite()));
                Arc::new(finite.collect::<Float64Array>())
            }
            Rule::Cost => {
                let floats = self.cast(from, &DataType::Float64)?;
                let costs = floats.as_primitive::<Float64Type>().iter().map(|it| it.and_then(cost));
                let costs: Decimal128Array = costs.collect();
                let costs = costs.with_precision_and_scale(COST.0, COST.1);
                Arc::new(costs.map_err(|it| Error::internal("no such decimal").with_source(it))?)
            }
            Rule::Text => Arc::new(texts(from)),
        })
    }

    fn cast(&self, from: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
        // between a duration and nanoseconds the unit counts
        let from = match from.data_type() {
            DataType::Duration(_) => &exactly(from, &DataType::Duration(TimeUnit::Nanosecond))
                .map_err(|it| self.unfit(&it))?,
            _ => from,
        };
        exactly(from, to).map_err(|it| self.unfit(&it))
    }

    fn unfit(&self, error: &arrow::error::ArrowError) -> Error {
        let name = self.field.name();
        let message = format!("column {name} has a value that cannot be exported: {error}");
        Error::invalid(message).with_hint("Cast it in the query: CAST(… AS DOUBLE), or AS VARCHAR.")
    }
}

fn exactly(from: &ArrayRef, to: &DataType) -> arrow::error::Result<ArrayRef> {
    cast_with_options(from, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// A cost in billionths of a dollar; `None` for what is no number, or has too many digits.
fn cost(usd: f64) -> Option<i128> {
    let scaled = (usd * 10_f64.powi(i32::from(COST.1))).round();
    let limit = 10_f64.powi(i32::from(COST.0));
    (scaled.abs() < limit).then_some(scaled as i128)
}

/// What a column becomes: one column, or two.
fn lowered(field: &Field, profile: &Profile, all: &Schema) -> Vec<(String, Rule, DataType)> {
    let name = field.name().clone();
    let base = name.strip_suffix("_ns").unwrap_or(&name);
    let ms = format!("{base}_ms");
    let float = if profile.any_float { Rule::Cast } else { Rule::Finite };
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let kind = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let one = |rule, kind| vec![(name.clone(), rule, kind)];
    match kind {
        DataType::Duration(_) => vec![(ms, Rule::Milliseconds, DataType::Float64)],
        DataType::Int64 if name.ends_with("_ns") => {
            let kept = (name.clone(), Rule::Cast, DataType::Int64);
            let converted = (ms.clone(), Rule::Milliseconds, DataType::Float64);
            match profile.durations {
                Durations::Ns => vec![kept],
                // a query may have both already
                Durations::Both if all.index_of(&ms).is_ok() => vec![kept],
                Durations::Both => vec![kept, converted],
                Durations::Ms => vec![converted],
            }
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            match (profile.costs, name.ends_with("_usd")) {
                (Costs::Decimal, true) => one(Rule::Cost, DataType::Decimal128(COST.0, COST.1)),
                _ => one(float, DataType::Float64),
            }
        }
        kind if kind.is_integer() => one(Rule::Cast, DataType::Int64),
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
            if !profile.decimals =>
        {
            one(float, DataType::Float64)
        }
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal256(_, scale) => one(Rule::Cast, DataType::Decimal128(38, *scale)),
        DataType::Timestamp(..) => one(Rule::Cast, time),
        DataType::Date32 | DataType::Date64 => one(Rule::Cast, DataType::Date32),
        DataType::Boolean | DataType::Decimal128(..) => one(Rule::Cast, kind.clone()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            one(Rule::Cast, DataType::Utf8)
        }
        kind if is_bytes(kind) => one(Rule::Cast, DataType::Binary),
        // a column of nothing is one of text
        DataType::Null => one(Rule::Cast, DataType::Utf8),
        kind if kind.is_nested() && profile.nested => one(Rule::Cast, kind.clone()),
        _ => one(Rule::Text, DataType::Utf8),
    }
}

fn is_bytes(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

/// The type of a column in a word, as a manifest says it.
pub(super) fn word(kind: &DataType) -> String {
    use crate::event::ColumnType;
    let words = [
        (ColumnType::Text, "text"),
        (ColumnType::Int, "bigint"),
        (ColumnType::Float, "double"),
        (ColumnType::Bool, "boolean"),
        (ColumnType::Time, "timestamp (µs, UTC)"),
        (ColumnType::Binary, "binary"),
    ];
    match words.iter().find(|(it, _)| data_type(*it) == *kind) {
        Some((_, word)) => (*word).to_owned(),
        None => match kind {
            DataType::Date32 => "date".to_owned(),
            DataType::Decimal128(digits, scale) => format!("decimal({digits},{scale})"),
            other => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
