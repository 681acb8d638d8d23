//! A text that a plan holds is copied for each row of a batch: a long one that was made of a short
//! call, `repeat('x', 1000000)`, beside the rows of a table would take eight gigabytes. Refuses
//! these, and changes no plan.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use super::functions::makes_long_values;

/// The rule.
#[derive(Debug)]
pub(super) struct BoundedLiterals {
    bytes_max: usize,
}

impl BoundedLiterals {
    /// Texts of which a batch of so many rows fits into so much memory.
    pub(super) fn new(memory_bytes_max: usize, batch_rows: usize) -> Self {
        Self { bytes_max: memory_bytes_max / batch_rows.max(1) }
    }
}

impl BoundedLiterals {
    fn check(&self, expr: &Expr) -> Result<TreeNodeRecursion> {
        expr.apply(|it| match it {
            Expr::Literal(value, _) if bytes(value) > self.bytes_max => {
                let message = format!("a constant of {} bytes for LongValues", bytes(value));
                Err(DataFusionError::ResourcesExhausted(message))
            }
            // these ask themselves, and copy none of their arguments
            Expr::ScalarFunction(call) if makes_long_values(call.name()) => {
                let mut args = call.args.iter().filter(|it| !matches!(it, Expr::Literal(..)));
                args.try_for_each(|it| self.check(it).map(drop))?;
                Ok(TreeNodeRecursion::Jump)
            }
            _ => Ok(TreeNodeRecursion::Continue),
        })
    }
}

impl OptimizerRule for BoundedLiterals {
    fn name(&self) -> &'static str {
        "bounded_literals"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let is_of_rows = |it: &&LogicalPlan| !matches!(it, LogicalPlan::EmptyRelation(_));
        if plan.inputs().iter().any(is_of_rows) {
            plan.apply_expressions(|it| self.check(it))?;
        }
        Ok(Transformed::no(plan))
    }
}

fn bytes(value: &ScalarValue) -> usize {
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => text.len(),
        ScalarValue::Binary(Some(bytes))
        | ScalarValue::LargeBinary(Some(bytes))
        | ScalarValue::BinaryView(Some(bytes)) => bytes.len(),
        _ => 0,
    }
}
