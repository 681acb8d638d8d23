//! `date_trunc` of the engine, made quick where the time zone is UTC. The engine asks a calendar
//! about each value that has a time zone, which takes longer than all the rest of a query; in UTC
//! an hour or a day is as long as any other, and of weeks and more each day is asked about once.
//! Everything else is the engine's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::datetime::date_trunc::DateTruncFunc;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::store::Span;

/// The function.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct DateTrunc {
    engine: DateTruncFunc,
}

impl ScalarUDFImpl for DateTrunc {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn aliases(&self) -> &[String] {
        self.engine.aliases()
    }

    fn signature(&self) -> &Signature {
        self.engine.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.engine.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.engine.return_field_from_args(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let kind = args.return_field.data_type().clone();
        if !is_utc(&kind) {
            return self.engine.invoke_with_args(args);
        }
        let Some((unit, times)) = args.args.split_first_mut() else {
            return self.engine.invoke_with_args(args);
        };
        let mut rows = None;
        for times in times {
            *times = in_zone(times, None);
            if let ColumnarValue::Array(array) = times
                && has_whole_days(unit)
            {
                let days = Days::of(array.as_primitive::<TimestampMicrosecondType>());
                args.number_rows = days.starts_us.len();
                *times = ColumnarValue::Array(Arc::new(days.starts_us));
                rows = Some(days.places);
            }
        }
        let mut truncated = self.engine.invoke_with_args(args)?;
        if let (Some(rows), ColumnarValue::Array(days)) = (rows, &truncated) {
            truncated = ColumnarValue::Array(take(days, &rows, None)?);
        }
        Ok(in_zone(&truncated, Some("UTC".into())))
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.engine.output_ordering(input)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine.documentation()
    }
}

/// Whether the unit is one that no day has a border of within.
fn has_whole_days(unit: &ColumnarValue) -> bool {
    let ColumnarValue::Scalar(unit) = unit else { return false };
    let unit = unit.try_as_str().flatten().unwrap_or_default().to_lowercase();
    matches!(unit.as_str(), "week" | "month" | "quarter" | "year")
}

/// The days of times.
struct Days {
    /// When each begins.
    starts_us: TimestampMicrosecondArray,
    /// Per time, which of them it is in.
    places: UInt32Array,
}

impl Days {
    fn of(times: &TimestampMicrosecondArray) -> Self {
        let (mut starts_us, mut known) = (Vec::new(), HashMap::new());
        // most times are of the same day as the one before
        let mut last = (0..0, 0);
        let places = times.iter().map(|time_us| {
            let time_us = time_us?;
            if !last.0.contains(&time_us) {
                let (start_us, end_us) = Span::Day.around(time_us);
                let place = *known.entry(start_us).or_insert_with(|| {
                    starts_us.push(start_us);
                    (starts_us.len() - 1) as u32
                });
                last = (start_us..end_us, place);
            }
            Some(last.1)
        });
        let places = places.collect();
        Self { starts_us: starts_us.into(), places }
    }
}

/// The type of all times of a store.
fn is_utc(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC")
}

/// The same microseconds in a zone, or in none.
fn in_zone(times: &ColumnarValue, zone: Option<Arc<str>>) -> ColumnarValue {
    match times {
        ColumnarValue::Scalar(ScalarValue::TimestampMicrosecond(value, _)) => {
            ColumnarValue::Scalar(ScalarValue::TimestampMicrosecond(*value, zone))
        }
        ColumnarValue::Array(array) => match array.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(values) => {
                let values: ArrayRef = Arc::new(values.clone().with_timezone_opt(zone));
                ColumnarValue::Array(values)
            }
            None => times.clone(),
        },
        ColumnarValue::Scalar(_) => times.clone(),
    }
}
