//! The functions that genstore adds to the engine: exact percentiles, histogram sketches, rates,
//! trends, `ago` and `bar`. Each is pure: same arguments, same answer.

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::prelude::SessionContext;

use crate::histogram::NoHistogram;
use long_values::LongValues;
pub(super) use long_values::makes_long_values;
pub(super) use quantile::Quantile;
pub(super) use sketch::{Sketch, reads_sketches};
pub(super) use value_at::ValueAt;

mod ago;
mod bar;
mod date_trunc;
mod ewma;
mod long_values;
mod mad;
mod quantile;
mod samples;
mod sketch;
mod slope;
mod the_one;
mod value_at;
mod verdict;
mod wilson;

/// A function of genstore for help texts: how it is called, and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Name and arguments.
    pub call: &'static str,
    /// What it gives, a sentence.
    pub doc: &'static str,
    /// A call that runs as it stands, behind SELECT.
    pub example: &'static str,
    /// What the example gives: cells with a bar between them.
    pub gives: &'static str,
}

/// The functions that genstore adds.
const FUNCTIONS: &[FunctionDoc] = &[
    FunctionDoc {
        call: "p50(x), p90(x), p95(x), p99(x), p999(x)",
        doc: "The percentile of numbers, linearly interpolated between neighbouring ranks; \
               also of a window.",
        example: "p90(x) FROM (VALUES (1), (2), (3), (4), (5), (10), (20), (50), (100), (1000)) \
               t(x)",
        gives: "190.0",
    },
    FunctionDoc {
        call: "quantile(x, q)",
        doc: "The same for any q from 0 to 1; q is a constant.",
        example: "quantile(x, 0.5) FROM (VALUES (1), (2), (4)) t(x)",
        gives: "2.0",
    },
    FunctionDoc {
        call: "hdr(x)",
        doc: "A histogram of non-negative whole numbers, three significant digits.",
        example: "hdr_count(hdr(value)) FROM generate_series(1, 9)",
        gives: "9",
    },
    FunctionDoc {
        call: "hdr_merge(h)",
        doc: "The sum of histograms.",
        example: "hdr_quantile(hdr_merge(h), 1) FROM (SELECT hdr(value) AS h FROM \
               generate_series(1, 9) GROUP BY value % 2)",
        gives: "9.0",
    },
    FunctionDoc {
        call: "hdr_quantile(h, q)",
        doc: "A quantile of a histogram, in the unit of its values (step_latency: µs).",
        example: "hdr_quantile(hdr(value), 0.5) FROM generate_series(1, 9)",
        gives: "5.0",
    },
    FunctionDoc {
        call: "hdr_count(h)",
        doc: "The number of values in a histogram.",
        example: "hdr_count(hdr(value)) FROM generate_series(1, 9)",
        gives: "9",
    },
    FunctionDoc {
        call: "hdr_verdict(before, after, q)",
        doc: "Whether a quantile differs by more than chance and 5 %: higher, lower, same or too \
               few (Mood's test, p < 0.001).",
        example: "hdr_verdict(hdr(value), hdr(value * 2), 0.5) FROM generate_series(1, 99)",
        gives: "higher",
    },
    FunctionDoc {
        call: "wilson_lower(k, n), wilson_upper(k, n)",
        doc: "How low, and how high, a rate may really be of which k in n were seen (95 %).",
        example: "round(wilson_lower(9, 10), 4), round(wilson_upper(9, 10), 4)",
        gives: "0.5958|0.9821",
    },
    FunctionDoc {
        call: "ewma(x, alpha)",
        doc: "The mean of values in the order of a window, the last with the weight alpha.",
        example: "max(m) FROM (SELECT ewma(x, 0.5) OVER (ORDER BY t) AS m FROM \
               (VALUES (1, 10), (2, 20), (3, 40)) v(t, x))",
        gives: "27.5",
    },
    FunctionDoc {
        call: "mad(x)",
        doc: "The median distance from the median: a spread that outliers do not move.",
        example: "mad(x) FROM (VALUES (1), (2), (3), (4), (1000)) t(x)",
        gives: "1.0",
    },
    FunctionDoc {
        call: "slope(y, x)",
        doc: "By how much y grows with x, by least squares; with a moment as x, per day.",
        example: "slope(y, x) FROM (VALUES (1, 3), (2, 5), (3, 7)) t(x, y)",
        gives: "2.0",
    },
    FunctionDoc {
        call: "ago('7d')",
        doc: "The moment that long before the query; units us ms s m h d w.",
        example: "ago('7d') < ago('6d')",
        gives: "true",
    },
    FunctionDoc {
        call: "the_one(kind, given, n, value)",
        doc: "The value where n is 1; else an error that names what was given.",
        example: "the_one('run', '0199', count(*), max('0199f3c2')) FROM (VALUES (1)) t(x)",
        gives: "0199f3c2",
    },
    FunctionDoc {
        call: "bar(x, max, width)",
        doc: "A bar of x, full at max, at most width characters long.",
        example: "bar(5, 10, 4)",
        gives: "██",
    },
];

/// The functions that genstore adds, with an example of each.
pub fn function_docs() -> &'static [FunctionDoc] {
    FUNCTIONS
}

/// Makes the functions known to a session.
pub(super) fn register(context: &SessionContext) {
    let pool = &context.runtime_env().memory_pool;
    for name in long_values::NAMES {
        if let Ok(engine) = context.udf(name) {
            let function = LongValues::new(engine.as_ref().clone(), Arc::clone(pool));
            context.register_udf(ScalarUDF::from(function));
        }
    }
    for quantile in quantile::all() {
        context.register_udaf(AggregateUDF::from(quantile));
    }
    for aggregate in [
        AggregateUDF::from(Sketch::of_values()),
        AggregateUDF::from(Sketch::of_sketches()),
        AggregateUDF::from(mad::Mad::default()),
        AggregateUDF::from(slope::Slope::default()),
    ] {
        context.register_udaf(aggregate);
    }
    context.register_udwf(WindowUDF::from(ewma::Ewma::default()));
    for scalar in [
        ScalarUDF::from(sketch::HdrQuantile::default()),
        ScalarUDF::from(sketch::HdrCount::default()),
        ScalarUDF::from(ago::Ago::default()),
        ScalarUDF::from(bar::Bar::default()),
        ScalarUDF::from(date_trunc::DateTrunc::default()),
        ScalarUDF::from(wilson::Wilson::lower()),
        ScalarUDF::from(wilson::Wilson::upper()),
        ScalarUDF::from(verdict::HdrVerdict::default()),
        ScalarUDF::from(the_one::TheOne::default()),
    ] {
        context.register_udf(scalar);
    }
}

/// The engine's error for a wrong call.
fn wrong<T>(message: impl Into<String>) -> Result<T> {
    Err(DataFusionError::Plan(message.into()))
}

impl From<NoHistogram> for DataFusionError {
    fn from(no_histogram: NoHistogram) -> Self {
        Self::Execution(no_histogram.to_string())
    }
}

/// A constant argument.
fn constant(expr: &Arc<dyn PhysicalExpr>) -> Option<ScalarValue> {
    expr.downcast_ref::<Literal>().map(|it| it.value().clone())
}

/// The first input of an aggregate.
fn first(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values.first().ok_or_else(|| DataFusionError::Internal("an aggregate without input".to_owned()))
}
