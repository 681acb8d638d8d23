//! Which sketches a question about `step_latency` can be answered from: the conditions under which
//! a sketch of a whole day or month stands for those of its hours. Pure; plans nothing.

use std::collections::BTreeSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::col;

use crate::store::{SPAN, Span};

/// Questions with more bounds are answered from the hours.
const BOUNDS_MAX: usize = 64;

/// The times that a question tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spans {
    /// The longest span over which it may be answered.
    longest: Span,
    /// It tells a time before one of these from one that is not. Microseconds since 1970.
    bounds: BTreeSet<i64>,
}

impl Default for Spans {
    fn default() -> Self {
        Self { longest: Span::Month, bounds: BTreeSet::new() }
    }
}

impl Spans {
    /// A span must not be longer than this.
    pub(super) fn at_most(&mut self, span: Span) {
        self.longest = self.longest.min(span);
    }

    /// A time before `bound_us` is told from others.
    pub(super) fn bound(&mut self, bound_us: i64) {
        self.bounds.insert(bound_us);
    }

    /// Whether longer sketches than those of hours are of any use.
    pub(super) fn are_useful(&self) -> bool {
        self.longest > Span::Hour && self.bounds.len() <= BOUNDS_MAX
    }

    /// The spans that a bound goes through: a sketch of all of one says too little.
    fn split(&self, span: Span) -> BTreeSet<(i64, i64)> {
        let spans = self.bounds.iter().map(|it| (*it, span.around(*it)));
        spans.filter(|(bound, (start, _))| start < bound).map(|(_, span)| span).collect()
    }

    /// Which sketches of hours are needed beside the roll-up; `None` when none are.
    pub(super) fn hours(&self) -> Option<Expr> {
        any(self.split(Span::Day).into_iter().map(within))
    }

    /// Which rows of a roll-up are needed.
    pub(super) fn rolled(&self) -> Expr {
        let not = |spans: BTreeSet<(i64, i64)>| {
            let starts = spans.into_iter().map(|(start, _)| hour().not_eq(time(start)));
            starts.reduce(Expr::and).unwrap_or_else(|| lit(true))
        };
        let is = |span: Span| col(SPAN).eq(lit(span.name()));
        let days = is(Span::Day).and(not(self.split(Span::Day)));
        if self.longest < Span::Month {
            return days;
        }
        let split = self.split(Span::Month);
        let months = is(Span::Month).and(not(split.clone()));
        match any(split.into_iter().map(within)) {
            Some(within) => months.or(days.and(within)),
            None => months,
        }
    }
}

fn any(conditions: impl Iterator<Item = Expr>) -> Option<Expr> {
    conditions.reduce(Expr::or)
}

fn within((start, end): (i64, i64)) -> Expr {
    hour().gt_eq(time(start)).and(hour().lt(time(end)))
}

fn hour() -> Expr {
    col("hour")
}

fn time(time_us: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(time_us), Some("UTC".into())))
}
