//! `date_trunc` of the engine, by arithmetic where the time zone is UTC. The engine asks a calendar
//! about each value that has a time zone, which takes longer than all the rest of a query; in UTC
//! an hour or a day is as long as any other. Everything else is the engine's.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::datetime::date_trunc::DateTruncFunc;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

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
        if let Some(times) = args.args.get_mut(1) {
            *times = in_zone(times, None);
        }
        let truncated = self.engine.invoke_with_args(args)?;
        Ok(in_zone(&truncated, Some("UTC".into())))
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.engine.output_ordering(input)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.engine.documentation()
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
