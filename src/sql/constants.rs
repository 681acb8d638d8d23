//! A constant goes along the keys of a join: of `r.run_id = s.run_id` and `r.run_id = 'x'` follows
//! `s.run_id = 'x'`, by which the files of `s` are pruned. The engine knows that of two tables, not
//! of a third, nor of one that is joined outwards. Adds filters to the inputs of joins, and nothing
//! else.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rule.
#[derive(Debug)]
pub(super) struct SpreadConstants;

impl OptimizerRule for SpreadConstants {
    fn name(&self) -> &'static str {
        "spread_constants"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Join(mut join) = plan else { return Ok(Transformed::no(plan)) };
        let (left, right) = (constants(&join.left), constants(&join.right));
        let mut of_left = Vec::new();
        let mut of_right = Vec::new();
        for (l, r) in &join.on {
            let (Expr::Column(l), Expr::Column(r)) = (l, r) else { continue };
            match (value(&left, l), value(&right, r)) {
                // a row that has no partner stays where the join is outward to the other side
                (Some(known), None)
                    if matches!(join.join_type, JoinType::Inner | JoinType::Left) =>
                {
                    of_right.push(Expr::Column(r.clone()).eq(known.clone()));
                }
                (None, Some(known))
                    if matches!(join.join_type, JoinType::Inner | JoinType::Right) =>
                {
                    of_left.push(Expr::Column(l.clone()).eq(known.clone()));
                }
                _ => {}
            }
        }
        if of_left.is_empty() && of_right.is_empty() {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        }
        join.left = filtered(join.left, of_left)?;
        join.right = filtered(join.right, of_right)?;
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    }
}

fn filtered(input: Arc<LogicalPlan>, filters: Vec<Expr>) -> Result<Arc<LogicalPlan>> {
    Ok(match conjunction(filters) {
        Some(filter) => Arc::new(LogicalPlan::Filter(Filter::try_new(filter, input)?)),
        None => input,
    })
}

/// Columns that have one value in all rows, and the value.
type Constants = Vec<(Column, Expr)>;

fn value<'a>(constants: &'a Constants, column: &Column) -> Option<&'a Expr> {
    constants.iter().find(|(it, _)| it == column).map(|(_, value)| value)
}

/// What filters say of the rows of a plan.
fn constants(plan: &LogicalPlan) -> Constants {
    match plan {
        LogicalPlan::Filter(filter) => {
            let mut found = constants(&filter.input);
            found.extend(split_conjunction(&filter.predicate).into_iter().filter_map(equality));
            found
        }
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::Inner => [constants(&join.left), constants(&join.right)].concat(),
            JoinType::Left => constants(&join.left),
            JoinType::Right => constants(&join.right),
            _ => Constants::new(),
        },
        LogicalPlan::SubqueryAlias(named) => {
            let rename = |(column, value): (Column, Expr)| {
                (Column::new(Some(named.alias.clone()), column.name), value)
            };
            constants(&named.input).into_iter().map(rename).collect()
        }
        LogicalPlan::Projection(projection) => {
            let known = constants(&projection.input);
            let columns = projection.expr.iter().filter_map(|it| match it {
                Expr::Column(column) => Some(column),
                _ => None,
            });
            columns.filter_map(|it| Some((it.clone(), value(&known, it)?.clone()))).collect()
        }
        LogicalPlan::Sort(sort) => constants(&sort.input),
        _ => Constants::new(),
    }
}

fn equality(filter: &Expr) -> Option<(Column, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else {
        return None;
    };
    match (&**left, &**right) {
        (Expr::Column(column), value @ Expr::Literal(..))
        | (value @ Expr::Literal(..), Expr::Column(column)) => {
            Some((column.clone(), value.clone()))
        }
        _ => None,
    }
}
