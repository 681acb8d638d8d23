//! The functions that genstore adds to the engine: exact percentiles, histogram sketches, `ago`
//! and `bar`. Each is pure: same arguments, same answer.

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

mod ago;
mod bar;
mod histogram;
mod quantile;
mod rank;
mod samples;
mod sketch;

/// A function of genstore for help texts: how it is called, and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Name and arguments.
    pub call: &'static str,
    /// What it gives, a sentence.
    pub doc: &'static str,
}

/// The functions that genstore adds.
pub fn function_docs() -> &'static [FunctionDoc] {
    &[
        FunctionDoc {
            call: "p50(x), p90(x), p95(x), p99(x), p999(x)",
            doc: "The percentile of the values, linearly interpolated between neighbouring ranks.",
        },
        FunctionDoc {
            call: "quantile(x, q)",
            doc: "The same for any q from 0 to 1; q is a constant.",
        },
        FunctionDoc {
            call: "hdr(x)",
            doc: "A histogram of non-negative whole numbers, three significant digits.",
        },
        FunctionDoc { call: "hdr_merge(h)", doc: "The sum of histograms." },
        FunctionDoc {
            call: "hdr_quantile(h, q)",
            doc: "A quantile of a histogram, in the unit of its values (step_latency: µs).",
        },
        FunctionDoc { call: "hdr_count(h)", doc: "The number of values in a histogram." },
        FunctionDoc {
            call: "ago('7d')",
            doc: "The moment that long before the query; units us ms s m h d w.",
        },
        FunctionDoc {
            call: "bar(x, max, width)",
            doc: "A bar of x, full at max, at most width characters long.",
        },
    ]
}

/// Makes the functions known to a session.
pub(super) fn register(context: &SessionContext) {
    for quantile in quantile::all() {
        context.register_udaf(AggregateUDF::from(quantile));
    }
    context.register_udaf(AggregateUDF::from(sketch::Sketch::of_values()));
    context.register_udaf(AggregateUDF::from(sketch::Sketch::of_sketches()));
    for scalar in [
        ScalarUDF::from(sketch::HdrQuantile::default()),
        ScalarUDF::from(sketch::HdrCount::default()),
        ScalarUDF::from(ago::Ago::default()),
        ScalarUDF::from(bar::Bar::default()),
    ] {
        context.register_udf(scalar);
    }
}

/// The engine's error for a wrong call.
fn wrong<T>(message: impl Into<String>) -> datafusion::common::Result<T> {
    Err(datafusion::common::DataFusionError::Plan(message.into()))
}

/// A constant argument as a number.
fn constant(
    expr: &Arc<dyn datafusion::physical_expr::PhysicalExpr>,
) -> Option<datafusion::common::ScalarValue> {
    use datafusion::physical_expr::expressions::Literal;
    expr.downcast_ref::<Literal>().map(|it| it.value().clone())
}
