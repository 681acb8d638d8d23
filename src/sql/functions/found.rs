//! `the_one(kind, given, n, value)` and `found(kind, given, n, value)`: the value, where exactly
//! one thing, or at least one, has the name that a user gave; else an error that says so. Without
//! them a mistyped name would be an empty answer.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Found {
    only_one: bool,
    signature: Signature,
}

impl Found {
    pub(super) fn one() -> Self {
        Self::new(true)
    }

    pub(super) fn any() -> Self {
        Self::new(false)
    }

    fn new(only_one: bool) -> Self {
        use DataType::{Int64, Utf8};
        let arguments = vec![Utf8, Utf8, Int64, Utf8];
        Self { only_one, signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Found {
    fn name(&self) -> &str {
        if self.only_one { "the_one" } else { "found" }
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
            return wrong(format!("{}(kind, given, n, value) takes four values", self.name()));
        };
        let (kinds, given) = (kinds.as_string::<i32>(), given.as_string::<i32>());
        let counts = counts.as_primitive::<Int64Type>();
        for row in 0..counts.len() {
            let n = if counts.is_null(row) { 0 } else { counts.value(row) };
            if n == 1 || (n > 1 && !self.only_one) {
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
