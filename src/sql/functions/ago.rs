//! `ago('7d')`: a moment before the query, as a constant of the plan. Reads no clock: the engine
//! knows when the query started.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;

/// Units and their microseconds, the longer names first.
const UNITS: &[(&str, i64)] = &[
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
];

/// The microseconds of `7d`, `90m` or `1.5h`; `None` when it is no duration.
pub(in crate::sql) fn duration_us(text: &str) -> Option<i64> {
    let (unit, factor) = UNITS.iter().find(|(unit, _)| {
        text.strip_suffix(unit).is_some_and(|it| it.ends_with(|it: char| it.is_ascii_digit()))
    })?;
    let number = text.strip_suffix(unit)?;
    if !number.chars().all(|it| it.is_ascii_digit() || it == '.') {
        return None;
    }
    let us = number.parse::<f64>().ok()? * *factor as f64;
    // A century is enough, and far from where times overflow.
    (us <= 3.2e15).then_some(us as i64)
}

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Ago {
    signature: Signature,
}

impl Default for Ago {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8], Volatility::Stable) }
    }
}

impl ScalarUDFImpl for Ago {
    fn name(&self) -> &str {
        "ago"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        wrong("the argument of ago must be a constant, such as '7d'")
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let [Expr::Literal(value, _)] = args.as_slice() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let Some(text) = value.try_as_str().flatten() else {
            return wrong("the argument of ago must be a text, such as '7d'");
        };
        let Some(us) = duration_us(text) else {
            return wrong(format!("ago({text:?}) is no duration\nwrite 30m, 24h, 7d or 4w"));
        };
        let Some(start) = info.query_execution_start_time() else {
            return Err(DataFusionError::Internal("the query has no start time".to_owned()));
        };
        let moment = Some(start.timestamp_micros() - us);
        let moment = ScalarValue::TimestampMicrosecond(moment, Some("UTC".into()));
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(moment, None)))
    }
}

#[cfg(test)]
mod tests {
    use super::duration_us;

    #[test]
    fn durations() {
        assert_eq!(duration_us("7d"), Some(604_800_000_000));
        assert_eq!(duration_us("1.5h"), Some(5_400_000_000));
        assert_eq!(duration_us("250ms"), Some(250_000));
        assert_eq!(duration_us("3m"), Some(180_000_000));
        for wrong in ["", "d", "7", "-7d", "7 d", "1e9d", "99999999w", "2026-11-22", "7dd"] {
            assert_eq!(duration_us(wrong), None, "{wrong}");
        }
    }
}
