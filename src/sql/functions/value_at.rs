//! One of the percentiles that were taken together. No function of SQL: plans call it.

use std::sync::Arc;

use arrow::array::{Array, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::common::cast::as_fixed_size_list_array;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// The value at a place of each list.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::sql) struct ValueAt {
    at: usize,
    name: String,
    signature: Signature,
}

impl ValueAt {
    pub(in crate::sql) fn new(at: usize) -> Self {
        Self {
            at,
            name: format!("value_at_{at}"),
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ValueAt {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let lists = ColumnarValue::values_to_arrays(&args.args)?;
        let lists = as_fixed_size_list_array(super::first(&lists)?)?;
        let values = arrow::array::AsArray::as_primitive::<Float64Type>(lists.values());
        let width = usize::try_from(lists.value_length()).unwrap_or(0);
        let places = (0..lists.len()).map(|row| row * width + self.at);
        let value =
            |at: usize| (at < values.len() && values.is_valid(at)).then(|| values.value(at));
        Ok(ColumnarValue::Array(Arc::new(places.map(value).collect::<Float64Array>())))
    }
}
