//! `bar(x, max, width)`: a number as a bar of text, in eighths of a character.

use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;

/// A bar is never longer, whatever is asked for.
const WIDTH_MAX: i64 = 200;

/// The last character of a bar, by eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Bar {
    signature: Signature,
}

impl Default for Bar {
    fn default() -> Self {
        let arguments = vec![DataType::Float64, DataType::Float64, DataType::Int64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Bar {
    fn name(&self) -> &str {
        "bar"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [values, maxima, widths] = columns.as_slice() else {
            return wrong("bar(x, max, width) takes three numbers");
        };
        let values = values.as_primitive::<Float64Type>().iter();
        let maxima = maxima.as_primitive::<Float64Type>().iter();
        let widths = widths.as_primitive::<Int64Type>().iter();
        let bars = values.zip(maxima).zip(widths).map(|((x, max), width)| bar(x?, max?, width?));
        Ok(ColumnarValue::Array(Arc::new(bars.collect::<StringArray>())))
    }
}

/// The bar; `None` where the numbers make none (a NaN, or no maximum above zero).
fn bar(x: f64, max: f64, width: i64) -> Option<String> {
    let share = x / max;
    if share.is_nan() || max <= 0.0 {
        return None;
    }
    let width = usize::try_from(width.clamp(0, WIDTH_MAX)).unwrap_or(0);
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let end = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    Some("█".repeat(eighths / 8) + end)
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars() {
        assert_eq!(bar(5.0, 10.0, 4).as_deref(), Some("██"));
        assert_eq!(bar(1.0, 16.0, 2).as_deref(), Some("▏"));
        assert_eq!(bar(99.0, 10.0, 3).as_deref(), Some("███"));
        assert_eq!(bar(-1.0, 10.0, 3).as_deref(), Some(""));
        assert_eq!(bar(f64::NAN, 10.0, 3), None);
        assert_eq!(bar(1.0, 0.0, 3), None);
        assert_eq!(bar(1.0, 1.0, i64::MAX).map(|it| it.chars().count()), Some(200));
    }
}
