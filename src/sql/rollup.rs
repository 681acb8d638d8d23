//! Questions about `step_latency` that a roll-up can answer are put to it: an aggregate that only
//! adds sketches up, and looks at `hour` only to tell times apart by whole days or by fixed bounds,
//! gets the same answer from the sketches of days and months as from those of hours. Changes which
//! sketches are read, and nothing else of a plan.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Expr, LogicalPlan, Operator, TableScan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::provider::StoreTable;
use super::spans::Spans;
use crate::store::Span;

/// The rule.
#[derive(Debug)]
pub(super) struct UseRollups;

impl OptimizerRule for UseRollups {
    fn name(&self) -> &'static str {
        "use_rollups"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(spans) = spans_of(aggregate).filter(Spans::are_useful) else {
            return Ok(Transformed::no(plan));
        };
        plan.transform_down(|it| match it {
            LogicalPlan::TableScan(scan) => Ok(Transformed::yes(rolled(scan, &spans)?)),
            other => Ok(Transformed::no(other)),
        })
    }
}

fn rolled(mut scan: TableScan, spans: &Spans) -> Result<LogicalPlan> {
    let provider = source_as_provider(&scan.source)?;
    if let Some(table) = provider.downcast_ref::<StoreTable>() {
        scan.source = provider_as_source(Arc::new(table.rolled(spans.clone())));
    }
    Ok(LogicalPlan::TableScan(scan))
}

/// What a column is to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The same for all hours of a span.
    Steady,
    /// When the hour begins.
    Hour,
    /// One of the numbers that a sketch adds up, or a sum of them: the column of the table.
    Measure(&'static str),
    /// Anything else, which no answer may depend on.
    Other,
}

/// The measures, and the aggregates that add them up.
const SUMS: [(&str, &str); 5] = [
    ("count", "sum"),
    ("sum_ns", "sum"),
    ("min_ns", "min"),
    ("max_ns", "max"),
    ("histogram", "hdr_merge"),
];

type Roles = HashMap<Column, Role>;

/// The spans over which an aggregate can be answered, if it is about sketches.
fn spans_of(aggregate: &Aggregate) -> Option<Spans> {
    let mut spans = Spans::default();
    let roles = roles_of(&aggregate.input, &mut spans)?;
    let mut question = Question { roles: &roles, spans: &mut spans };
    let groups = aggregate.group_expr.iter().all(|it| question.is_steady(it));
    let sums = groups && aggregate.aggr_expr.iter().all(|it| question.is_sum(it));
    sums.then_some(spans)
}

/// What the columns of a plan over the sketches are; `None` of any other plan.
fn roles_of(plan: &LogicalPlan, spans: &mut Spans) -> Option<Roles> {
    match plan {
        LogicalPlan::TableScan(scan) => scanned(scan, spans),
        LogicalPlan::Filter(filter) => {
            let roles = roles_of(&filter.input, spans)?;
            Question { roles: &roles, spans }.is_steady(&filter.predicate).then_some(roles)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let roles = roles_of(&alias.input, spans)?;
            let named = alias.schema.columns().into_iter().zip(alias.input.schema().columns());
            Some(named.filter_map(|(outer, inner)| Some((outer, *roles.get(&inner)?))).collect())
        }
        LogicalPlan::Projection(projection) => {
            let roles = roles_of(&projection.input, spans)?;
            let mut question = Question { roles: &roles, spans };
            let outer = projection.schema.columns().into_iter().zip(&projection.expr);
            Some(outer.map(|(column, expr)| (column, question.role(expr))).collect())
        }
        // groups of sums are sketches as well: fewer of them where their hours are
        LogicalPlan::Aggregate(aggregate) => {
            let roles = roles_of(&aggregate.input, spans)?;
            let mut question = Question { roles: &roles, spans };
            let is_set = |it: &Expr| matches!(it, Expr::GroupingSet(_));
            if aggregate.group_expr.iter().any(is_set) {
                return None; // its columns are not those of its expressions, one by one
            }
            let groups = aggregate.group_expr.iter();
            let groups: Vec<Role> = groups.map(|it| question.role(it)).collect();
            if !groups.iter().all(|it| matches!(it, Role::Steady | Role::Hour)) {
                return None; // which groups there are depends on the sums
            }
            let sums = aggregate.aggr_expr.iter().map(|it| question.role(it));
            let roles = groups.into_iter().chain(sums);
            Some(aggregate.schema.columns().into_iter().zip(roles).collect())
        }
        _ => None,
    }
}

fn scanned(scan: &TableScan, spans: &mut Spans) -> Option<Roles> {
    let provider = source_as_provider(&scan.source).ok()?;
    if scan.fetch.is_some() || !provider.downcast_ref::<StoreTable>()?.can_be_rolled() {
        return None;
    }
    let role = |name: &str| match SUMS.iter().find(|(measure, _)| *measure == name) {
        Some((measure, _)) => Role::Measure(measure),
        None if name == "hour" => Role::Hour,
        None => Role::Steady,
    };
    let columns = scan.projected_schema.columns();
    let mut roles: Roles = columns.into_iter().map(|it| (it.clone(), role(&it.name))).collect();
    // filters may be about columns that nothing else wants
    for column in scan.filters.iter().flat_map(Expr::column_refs) {
        roles.entry(column.clone()).or_insert_with(|| role(&column.name));
    }
    let mut question = Question { roles: &roles, spans };
    scan.filters.iter().all(|it| question.is_steady(it)).then_some(roles)
}

/// Expressions of a question, and what they tell apart.
struct Question<'a> {
    roles: &'a Roles,
    spans: &'a mut Spans,
}

impl Question<'_> {
    fn role(&mut self, expr: &Expr) -> Role {
        match expr {
            Expr::Column(column) => self.roles.get(column).copied().unwrap_or(Role::Other),
            Expr::Alias(alias) => self.role(&alias.expr),
            Expr::AggregateFunction(call) => self.sum(call).map_or(Role::Other, Role::Measure),
            _ => match self.chosen(expr) {
                Some(measure) => Role::Measure(measure),
                None if self.is_steady(expr) => Role::Steady,
                None => Role::Other,
            },
        }
    }

    /// The measure of `CASE WHEN … THEN measure END`, where the conditions are the same for all
    /// hours of a span: it adds up like the measure itself.
    fn chosen(&mut self, expr: &Expr) -> Option<&'static str> {
        let Expr::Case(case) = expr else { return None };
        let conditions = case.when_then_expr.iter().map(|(when, _)| &**when);
        if !conditions.chain(case.expr.as_deref()).all(|it| self.is_steady(it)) {
            return None;
        }
        let branches = case.when_then_expr.iter().map(|(_, then)| &**then);
        let (mut measure, mut has_zeros) = (None, false);
        for branch in branches.chain(case.else_expr.as_deref()) {
            match branch {
                Expr::Literal(value, _) if value.is_null() => {}
                Expr::Literal(ScalarValue::Int64(Some(0)), _) => has_zeros = true,
                other => match self.role(other) {
                    Role::Measure(it) if *measure.get_or_insert(it) == it => {}
                    _ => return None,
                },
            }
        }
        // a zero adds nothing, but may be the smallest
        measure.filter(|it| !has_zeros || matches!(*it, "count" | "sum_ns"))
    }

    /// Whether an expression is the same for all hours of a span. Notes which spans those are.
    fn is_steady(&mut self, expr: &Expr) -> bool {
        let mut is_steady = !expr.is_volatile();
        let walked = expr.apply(|it| {
            Ok(match self.step(it) {
                Some(next) => next,
                None => {
                    is_steady = false;
                    TreeNodeRecursion::Stop
                }
            })
        });
        is_steady && walked.is_ok()
    }

    /// How to go on at a part of an expression; `None` where it is not steady.
    fn step(&mut self, expr: &Expr) -> Option<TreeNodeRecursion> {
        match expr {
            Expr::Column(column) => (self.roles.get(column) == Some(&Role::Steady))
                .then_some(TreeNodeRecursion::Continue),
            Expr::BinaryExpr(compared) => Some(match self.bounded(compared) {
                true => TreeNodeRecursion::Jump,
                false => TreeNodeRecursion::Continue,
            }),
            Expr::ScalarFunction(call) if call.name() == "date_trunc" => match &call.args[..] {
                [unit, time] if self.role(time) == Role::Hour => {
                    self.spans.at_most(unit_of(unit)?);
                    Some(TreeNodeRecursion::Jump)
                }
                _ => Some(TreeNodeRecursion::Continue),
            },
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => None,
            _ => Some(TreeNodeRecursion::Continue),
        }
    }

    /// Whether the hour is compared with a fixed time. Notes where its outcome changes.
    fn bounded(&mut self, compared: &BinaryExpr) -> bool {
        let BinaryExpr { left, op, right } = compared;
        let (hour, op, time) = match (&**left, &**right) {
            (hour, Expr::Literal(time, _)) => (hour, Some(*op), time),
            (Expr::Literal(time, _), hour) => (hour, op.swap(), time),
            _ => return false,
        };
        let ScalarValue::TimestampMicrosecond(Some(time_us), _) = time else { return false };
        if !matches!(hour, Expr::Column(it) if self.roles.get(it) == Some(&Role::Hour)) {
            return false;
        }
        let (before, after) = (*time_us, time_us.saturating_add(1));
        let bounds: &[i64] = match op {
            Some(Operator::GtEq | Operator::Lt) => &[before],
            Some(Operator::Gt | Operator::LtEq) => &[after],
            Some(Operator::Eq | Operator::NotEq) => &[before, after],
            _ => return false,
        };
        bounds.iter().for_each(|it| self.spans.bound(*it));
        true
    }

    /// Whether an aggregate gives of sums of sketches what it gives of the sketches.
    fn is_sum(&mut self, expr: &Expr) -> bool {
        let call = match expr {
            Expr::Alias(alias) => return self.is_sum(&alias.expr),
            Expr::AggregateFunction(call) => call,
            _ => return false,
        };
        self.sum(call).is_some() || self.is_of_steady(call)
    }

    /// The measure that an aggregate adds up.
    fn sum(&mut self, call: &AggregateFunction) -> Option<&'static str> {
        let AggregateFunction { func, params } = call;
        let filter = params.filter.as_deref().is_none_or(|it| self.is_steady(it));
        let [argument] = &params.args[..] else { return None };
        let Role::Measure(measure) = self.role(argument) else { return None };
        let is_plain = filter && !params.distinct && params.order_by.is_empty();
        (is_plain && SUMS.contains(&(measure, func.name()))).then_some(measure)
    }

    /// Whether it does not matter to an aggregate how often a value is there, and which values are
    /// there is the same of a span as of its hours.
    fn is_of_steady(&mut self, call: &AggregateFunction) -> bool {
        let AggregateFunction { func, params } = call;
        let is_set = params.distinct || matches!(func.name(), "min" | "max");
        let looked_at = params.args.iter().chain(params.filter.as_deref());
        is_set && params.order_by.is_empty() && looked_at.into_iter().all(|it| self.is_steady(it))
    }
}

/// The longest span of the roll-up that is within such a unit.
fn unit_of(unit: &Expr) -> Option<Span> {
    let Expr::Literal(unit, _) = unit else { return None };
    match unit.try_as_str()??.to_ascii_lowercase().as_str() {
        "day" | "week" => Some(Span::Day),
        "month" | "quarter" | "year" => Some(Span::Month),
        _ => None,
    }
}
