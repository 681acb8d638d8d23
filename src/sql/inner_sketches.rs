//! Sketches that a query makes only to read a quantile of them are never written as HdrHistogram's
//! bytes: nobody sees them. Changes the shape of columns between two steps of a plan, and no
//! answer.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, LogicalPlan, Subquery};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::functions::{Sketch, reads_sketches};

/// The rule.
#[derive(Debug)]
pub(super) struct InnerSketches;

impl OptimizerRule for InnerSketches {
    fn name(&self) -> &'static str {
        "inner_sketches"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Projection(projection) = &plan else { return Ok(Transformed::no(plan)) };
        let mut seen = HashSet::new();
        projection.expr.iter().try_for_each(|it| see(it, &mut seen))?;
        match changed(&projection.input, seen)? {
            Some(input) => {
                let exprs = projection.expr.clone();
                Ok(Transformed::yes(plan.with_new_exprs(exprs, vec![input])?))
            }
            None => Ok(Transformed::no(plan)),
        }
    }
}

/// Adds the columns that an expression uses in any other way than to read a sketch.
fn see(expr: &Expr, seen: &mut HashSet<Column>) -> Result<()> {
    expr.apply(|it| {
        match it {
            Expr::ScalarFunction(call) if reads_sketches(call.name()) => {
                let mut args = call.args.iter().filter(|it| !matches!(it, Expr::Column(_)));
                args.try_for_each(|it| see(it, seen))?;
                return Ok(TreeNodeRecursion::Jump);
            }
            Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => {
                seen.insert(column.clone());
            }
            Expr::ScalarSubquery(Subquery { outer_ref_columns, .. })
            | Expr::Exists(Exists { subquery: Subquery { outer_ref_columns, .. }, .. })
            | Expr::InSubquery(InSubquery {
                subquery: Subquery { outer_ref_columns, .. }, ..
            }) => outer_ref_columns.iter().try_for_each(|it| see(it, seen))?,
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The plan with inner sketches in its columns, but for those that are `seen`; `None` where that
/// changes nothing.
fn changed(plan: &LogicalPlan, mut seen: HashSet<Column>) -> Result<Option<LogicalPlan>> {
    let input = match plan {
        LogicalPlan::Aggregate(aggregate) => return inner(aggregate, &seen),
        LogicalPlan::Projection(projection) => {
            let mut below = HashSet::new();
            for (expr, column) in projection.expr.iter().zip(projection.schema.columns()) {
                if !is_plain(expr) || seen.contains(&column) {
                    see(expr, &mut below)?;
                }
            }
            seen = below;
            &projection.input
        }
        LogicalPlan::SubqueryAlias(named) => {
            let columns = named.schema.columns().into_iter().zip(named.input.schema().columns());
            let columns = columns.filter(|(column, _)| seen.contains(column));
            seen = columns.map(|(_, source)| source).collect();
            &named.input
        }
        LogicalPlan::Filter(filter) => {
            see(&filter.predicate, &mut seen)?;
            &filter.input
        }
        LogicalPlan::Sort(sort) => {
            sort.expr.iter().try_for_each(|it| see(&it.expr, &mut seen))?;
            &sort.input
        }
        LogicalPlan::Limit(limit) => &limit.input,
        _ => return Ok(None),
    };
    let Some(input) = changed(input, seen)? else { return Ok(None) };
    Ok(Some(plan.with_new_exprs(plan.expressions(), vec![input])?))
}

/// Whether an expression is a column, whatever its name.
fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_plain(&alias.expr),
        _ => false,
    }
}

fn inner(aggregate: &Aggregate, seen: &HashSet<Column>) -> Result<Option<LogicalPlan>> {
    let mut any = false;
    let columns = aggregate.schema.columns().into_iter().skip(aggregate.group_expr_len()?);
    let exprs = aggregate.aggr_expr.iter().zip(columns).map(|(expr, column)| {
        let inner = if seen.contains(&column) { None } else { inner_call(expr) };
        any |= inner.is_some();
        inner.unwrap_or_else(|| expr.clone())
    });
    let exprs = exprs.collect();
    if !any {
        return Ok(None);
    }
    let (input, groups) = (Arc::clone(&aggregate.input), aggregate.group_expr.clone());
    Ok(Some(LogicalPlan::Aggregate(Aggregate::try_new(input, groups, exprs)?)))
}

fn inner_call(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            let func = func.inner().downcast_ref::<Sketch>()?.inner()?;
            let func = Arc::new(AggregateUDF::from(func));
            Some(Expr::AggregateFunction(AggregateFunction { func, params: params.clone() }))
        }
        Expr::Alias(alias) => {
            let call = inner_call(&alias.expr)?;
            Some(call.alias_qualified(alias.relation.clone(), alias.name.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
