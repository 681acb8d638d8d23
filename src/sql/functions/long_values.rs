//! Functions that make long texts and lists of short ones, `repeat('x', 2000000000)`: how much they
//! would make is asked of the memory of queries before it is made, since the engine takes it
//! unasked and the process ends where there is none. What they give is the engine's.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

/// The functions.
pub(super) const NAMES: [&str; 13] = [
    "array_repeat",
    "array_resize",
    "array_to_string",
    "concat",
    "concat_ws",
    "generate_series",
    "lpad",
    "overlay",
    "range",
    "regexp_replace",
    "repeat",
    "replace",
    "rpad",
];

/// Whether a function is one of these.
pub(in crate::sql) fn makes_long_values(function: &str) -> bool {
    NAMES.contains(&function)
}

/// So much of a batch is made without asking.
const FREE_BYTES: u64 = 4 << 20;

/// One of the functions.
#[derive(Debug)]
pub(super) struct LongValues {
    engine: ScalarUDF,
    pool: Arc<dyn MemoryPool>,
}

impl LongValues {
    pub(super) fn new(engine: ScalarUDF, pool: Arc<dyn MemoryPool>) -> Self {
        Self { engine, pool }
    }

    fn engine(&self) -> &dyn ScalarUDFImpl {
        self.engine.inner().as_ref()
    }

    /// The same in pieces: how much they make is known of each before the next, and may be far
    /// less than it could be.
    fn in_pieces(&self, args: &ScalarFunctionArgs, bounds: &[u64]) -> Result<ColumnarValue> {
        let consumer = MemoryConsumer::new(format!("LongValues({})", self.name()));
        let reservation = consumer.register(&self.pool);
        let (mut made, mut made_bytes, mut start) = (Vec::new(), 0, 0);
        while start < bounds.len() {
            let (mut rows, mut bound) = (0, 0_u64);
            for more in bounds.iter().skip(start) {
                if rows > 0 && bound.saturating_add(*more) > FREE_BYTES {
                    break;
                }
                (rows, bound) = (rows + 1, bound.saturating_add(*more));
            }
            let bound = usize::try_from(bound).unwrap_or(usize::MAX);
            reservation.try_resize(made_bytes + bound)?;
            let piece = self.engine().invoke_with_args(slice(args, start, rows))?;
            let piece = piece.into_array(rows)?;
            made_bytes += piece.get_array_memory_size();
            made.push(piece);
            start += rows;
        }
        reservation.try_resize(2 * made_bytes)?;
        let made: Vec<&dyn Array> = made.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&made)?))
    }
}

impl PartialEq for LongValues {
    fn eq(&self, other: &Self) -> bool {
        self.engine == other.engine
    }
}

impl Eq for LongValues {}

impl Hash for LongValues {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.engine.hash(state);
    }
}

impl ScalarUDFImpl for LongValues {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn aliases(&self) -> &[String] {
        self.engine().aliases()
    }

    fn signature(&self) -> &Signature {
        self.engine().signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.engine().return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.engine().return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.engine().coerce_types(arg_types)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.engine().output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine().documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = args.args.iter().all(|it| matches!(it, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { args.number_rows };
        let bounds = bounds(self.name(), &args.args, rows)?;
        let bound = bounds.iter().fold(0, |sum: u64, it| sum.saturating_add(*it));
        if bound <= FREE_BYTES {
            return self.engine().invoke_with_args(args);
        }
        let consumer = MemoryConsumer::new(format!("LongValues({})", self.name()));
        let reservation = consumer.register(&self.pool);
        match reservation.try_grow(usize::try_from(bound).unwrap_or(usize::MAX)) {
            Err(error) if is_one => Err(error),
            Err(_) => self.in_pieces(&args, &bounds),
            Ok(()) => self.engine().invoke_with_args(args),
        }
    }
}

fn slice(args: &ScalarFunctionArgs, start: usize, rows: usize) -> ScalarFunctionArgs {
    let part = |it: &ColumnarValue| match it {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(start, rows)),
        scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
    };
    ScalarFunctionArgs {
        args: args.args.iter().map(part).collect(),
        arg_fields: args.arg_fields.clone(),
        number_rows: rows,
        return_field: Arc::clone(&args.return_field),
        config_options: Arc::clone(&args.config_options),
    }
}

/// Per row, how many bytes a function makes of it at most.
fn bounds(name: &str, args: &[ColumnarValue], rows: usize) -> Result<Vec<u64>> {
    let args = args.iter().map(Arg::of).collect::<Result<Vec<_>>>()?;
    let of = |at: usize, row: usize, ask: fn(&Arg, usize) -> u64| {
        args.get(at).map_or(0, |it| ask(it, row))
    };
    let bytes = |at, row| of(at, row, Arg::bytes);
    let signed = |at: usize, row| args.get(at).map_or(0, |it| it.number(row));
    // as many as a negative number says are none
    let number = |at, row| u64::try_from(signed(at, row)).unwrap_or(0);
    let all = |row| (0..args.len()).map(|at| bytes(at, row)).sum::<u64>();
    let bound = |row: usize| match name {
        "repeat" => bytes(0, row).saturating_mul(number(1, row)),
        // of a character
        "lpad" | "rpad" => number(1, row).saturating_mul(4),
        "replace" => {
            let places = bytes(0, row) / bytes(1, row).max(1) + 1;
            places.saturating_mul(bytes(2, row)).saturating_add(bytes(0, row))
        }
        "regexp_replace" => {
            (bytes(0, row) + 1).saturating_mul(bytes(2, row)).saturating_add(bytes(0, row))
        }
        "concat_ws" => all(row).saturating_add(bytes(0, row).saturating_mul(args.len() as u64)),
        "array_to_string" => {
            of(0, row, Arg::items).saturating_mul(bytes(1, row)).saturating_add(bytes(0, row))
        }
        "array_repeat" => number(1, row).saturating_mul(bytes(0, row).max(16)),
        "array_resize" => number(1, row).saturating_mul(bytes(2, row).max(16)),
        "range" | "generate_series" => {
            let [start, end] =
                if args.len() > 1 { [signed(0, row), signed(1, row)] } else { [0, signed(0, row)] };
            end.abs_diff(start).saturating_mul(8) / signed(2, row).unsigned_abs().max(1)
        }
        _ => all(row),
    };
    Ok((0..rows).map(bound).collect())
}

/// An argument.
struct Arg {
    values: ArrayRef,
    /// The values as whole numbers, if they are.
    numbers: Option<ArrayRef>,
    is_scalar: bool,
}

impl Arg {
    fn of(arg: &ColumnarValue) -> Result<Self> {
        let (values, is_scalar) = match arg {
            ColumnarValue::Array(array) => (Arc::clone(array), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
        };
        let is_number = values.data_type().is_integer();
        let numbers = is_number.then(|| cast(&values, &DataType::Int64)).transpose()?;
        Ok(Self { values, numbers, is_scalar })
    }

    /// The place of a row's value; `None` for NULL.
    fn place(&self, row: usize) -> Option<usize> {
        let row = if self.is_scalar { 0 } else { row };
        (row < self.values.len() && self.values.is_valid(row)).then_some(row)
    }

    /// Bytes of a text, or of a list.
    fn bytes(&self, row: usize) -> u64 {
        let Some(row) = self.place(row) else { return 0 };
        let length = match self.values.data_type() {
            DataType::Utf8 => self.values.as_string::<i32>().value(row).len(),
            DataType::LargeUtf8 => self.values.as_string::<i64>().value(row).len(),
            DataType::Utf8View => self.values.as_string_view().value(row).len(),
            DataType::Binary => self.values.as_binary::<i32>().value(row).len(),
            DataType::LargeBinary => self.values.as_binary::<i64>().value(row).len(),
            DataType::BinaryView => self.values.as_binary_view().value(row).len(),
            DataType::List(_) | DataType::LargeList(_) => {
                return self.items(row).saturating_mul(self.item_bytes());
            }
            // a number or a time as text, or what others take on average
            _ => average_bytes(&self.values).max(32),
        };
        length as u64
    }

    /// A whole number.
    fn number(&self, row: usize) -> i64 {
        let (Some(row), Some(numbers)) = (self.place(row), &self.numbers) else { return 0 };
        numbers.as_primitive::<Int64Type>().value(row)
    }

    /// Items of a list.
    fn items(&self, row: usize) -> u64 {
        let Some(row) = self.place(row) else { return 0 };
        match self.values.data_type() {
            DataType::List(_) => {
                self.values.as_list::<i32>().value_length(row).unsigned_abs().into()
            }
            DataType::LargeList(_) => self.values.as_list::<i64>().value_length(row).unsigned_abs(),
            _ => 0,
        }
    }

    /// Bytes of an item of a list as text, by what they take on average.
    fn item_bytes(&self) -> u64 {
        let items = match self.values.data_type() {
            DataType::List(_) => self.values.as_list::<i32>().values(),
            DataType::LargeList(_) => self.values.as_list::<i64>().values(),
            _ => return 0,
        };
        average_bytes(items) as u64 + 16
    }
}

fn average_bytes(values: &ArrayRef) -> usize {
    values.to_data().get_slice_memory_size().unwrap_or_default() / values.len().max(1)
}
