//! `the_one(kind, given, n, value)`: the value, where exactly one thing has the name that a user
//! gave, or an id that begins so; else an error that says so. Without it a mistyped name would be
//! an empty answer.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct TheOne {
    signature: Signature,
}

impl Default for TheOne {
    fn default() -> Self {
        use DataType::{Int64, Utf8};
        let arguments = vec![Utf8, Utf8, Int64, Utf8];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TheOne {
    fn name(&self) -> &str {
        "the_one"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [kinds, given, counts, values] = columns.as_slice() else {
            return wrong("the_one(kind, given, n, value) takes four values");
        };
        let (kinds, given) = (kinds.as_string::<i32>(), given.as_string::<i32>());
        let counts = counts.as_primitive::<Int64Type>();
        for row in 0..counts.len() {
            let n = if counts.is_null(row) { 0 } else { counts.value(row) };
            if n == 1 {
                continue;
            }
            let kind = if kinds.is_null(row) { "thing" } else { kinds.value(row) };
            let given = if given.is_null(row) { "NULL" } else { given.value(row) };
            return Err(DataFusionError::Execution(match n {
                0 => format!("there is no {kind} '{given}'"),
                n => format!("'{given}' is the beginning of {n} {kind} ids: give more of it"),
            }));
        }
        Ok(ColumnarValue::Array(Arc::clone(values)))
    }
}
