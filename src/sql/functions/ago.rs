//! `ago('7d')`: a moment before the query, as a constant of the plan. Reads no clock: the engine
//! knows when the query started.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::wrong;
use crate::clock::duration_us;

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
