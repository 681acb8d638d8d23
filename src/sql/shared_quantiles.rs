//! Percentiles of one column are taken together: for `p50(x), p95(x), p99(x)` the values of a group
//! are kept once and not three times. Changes how often values are kept, and no answer.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::{Aggregate, AggregateUDF, Expr, LogicalPlan, Projection, ScalarUDF};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::functions::{Quantile, ValueAt};
use crate::histogram::Rank;

/// The rule.
#[derive(Debug)]
pub(super) struct ShareQuantiles;

impl OptimizerRule for ShareQuantiles {
    fn name(&self) -> &'static str {
        "share_quantiles"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        match &plan {
            LogicalPlan::Aggregate(aggregate) => match shared(aggregate)? {
                Some(shared) => Ok(Transformed::yes(shared)),
                None => Ok(Transformed::no(plan)),
            },
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// Quantiles of the same values.
struct Shared {
    value: Expr,
    filter: Option<Box<Expr>>,
    ranks: Vec<Rank>,
}

/// The same aggregate with each set of values kept once; `None` where all are already.
fn shared(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    if aggregate.group_expr.iter().any(|it| matches!(it, Expr::GroupingSet(_))) {
        return Ok(None);
    }
    let mut sets: Vec<Shared> = Vec::new();
    // per aggregate the set and the place in it
    let mut places = Vec::new();
    for expr in &aggregate.aggr_expr {
        places.push(quantile(expr).map(|(call, rank)| {
            let (value, filter) = (call.params.args.first(), &call.params.filter);
            let known = sets.iter().position(|it| Some(&it.value) == value && it.filter == *filter);
            let set = known.unwrap_or(sets.len());
            match (sets.get_mut(set), value) {
                (Some(shared), _) => shared.ranks.push(rank),
                (None, Some(value)) => {
                    let (value, filter) = (value.clone(), filter.clone());
                    sets.push(Shared { value, filter, ranks: vec![rank] });
                }
                (None, None) => {}
            }
            (set, sets.get(set).map_or(0, |it| it.ranks.len() - 1))
        }));
    }
    if sets.iter().all(|it| it.ranks.len() < 2) {
        return Ok(None);
    }
    let is_shared = |set: usize| sets.get(set).is_some_and(|it| it.ranks.len() > 1);
    let places: Vec<_> =
        places.into_iter().map(|it| it.filter(|(set, _)| is_shared(*set))).collect();
    let together: Vec<Option<Expr>> =
        sets.into_iter().map(|it| (it.ranks.len() > 1).then(|| it.together())).collect();
    let alone = aggregate.aggr_expr.iter().zip(&places).filter(|(_, place)| place.is_none());
    let calls = alone.map(|(expr, _)| expr.clone()).chain(together.iter().flatten().cloned());
    let (input, groups) = (Arc::clone(&aggregate.input), aggregate.group_expr.clone());
    let new = Aggregate::try_new(input, groups, calls.collect())?;

    let columns = aggregate.schema.columns();
    let (groups, named) = columns.split_at(aggregate.group_expr.len().min(columns.len()));
    let mut exprs: Vec<Expr> = groups.iter().cloned().map(Expr::Column).collect();
    for (column, place) in named.iter().zip(places) {
        exprs.push(match place.and_then(|(set, at)| Some((together.get(set)?.as_ref()?, at))) {
            Some((call, at)) => {
                let values = Expr::Column(Column::new_unqualified(call.schema_name().to_string()));
                let at = Arc::new(ScalarUDF::from(ValueAt::new(at)));
                let value = ScalarFunction::new_udf(at, vec![values]);
                Expr::ScalarFunction(value)
                    .alias_qualified(column.relation.clone(), column.name.clone())
            }
            None => Expr::Column(column.clone()),
        });
    }
    let projection = Projection::try_new(exprs, Arc::new(LogicalPlan::Aggregate(new)))?;
    Ok(Some(LogicalPlan::Projection(projection)))
}

impl Shared {
    fn together(self) -> Expr {
        let function = Arc::new(AggregateUDF::from(Quantile::together(self.ranks)));
        let (args, filter) = (vec![self.value], self.filter);
        let call = AggregateFunction::new_udf(function, args, false, filter, Vec::new(), None);
        Expr::AggregateFunction(call)
    }
}

/// A call of a quantile that can be taken with others.
fn quantile(expr: &Expr) -> Option<(&AggregateFunction, Rank)> {
    let call = match expr {
        Expr::AggregateFunction(call) => call,
        Expr::Alias(alias) => return quantile(&alias.expr),
        _ => return None,
    };
    let params = &call.params;
    if params.distinct || !params.order_by.is_empty() || params.null_treatment.is_some() {
        return None;
    }
    let rank = call.func.inner().downcast_ref::<Quantile>()?.rank_of(&params.args)?;
    Some((call, rank))
}
