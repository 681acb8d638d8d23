//! Which sketches stay inside a query.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

use super::*;
use crate::sql::functions;

/// Whether each sketch that a query makes is an inner one.
async fn are_inner(sql: &str) -> Vec<bool> {
    let builder = SessionStateBuilder::new().with_default_features();
    let state = builder.with_optimizer_rule(Arc::new(InnerSketches)).build();
    let context = SessionContext::new_with_state(state);
    functions::register(&context);
    context.sql("CREATE TABLE t(g INT, x INT) AS VALUES (1, 2)").await.unwrap();
    let plan = context.sql(sql).await.unwrap().into_optimized_plan().unwrap();
    let mut found = Vec::new();
    plan.apply(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            for expr in &aggregate.aggr_expr {
                expr.apply(|it| {
                    if let Expr::AggregateFunction(call) = it {
                        let sketch = call.func.inner().downcast_ref::<Sketch>();
                        found.extend(sketch.map(|it| it.inner().is_none()));
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    found
}

#[tokio::test]
async fn what_is_only_read_stays_inside() {
    for sql in [
        "SELECT g, hdr_quantile(hdr(x), 0.5) + 1 FROM t GROUP BY g",
        "SELECT hdr_quantile(h, 0.5), hdr_count(h) FROM (SELECT g, hdr(x) h FROM t GROUP BY g) s",
        "SELECT g FROM t GROUP BY g HAVING hdr_count(hdr(x)) > 1 ORDER BY hdr_quantile(hdr(x), 1)",
        "SELECT hdr_quantile(k, 0.5) FROM (SELECT h AS k FROM (SELECT g, hdr(x) AS h FROM t \
         GROUP BY g) a WHERE hdr_count(h) > 1 ORDER BY g LIMIT 3) b ORDER BY 1",
    ] {
        assert_eq!(are_inner(sql).await, [true], "{sql}");
    }
    let verdict = "SELECT hdr_verdict(hdr(x) FILTER (WHERE g > 1), hdr(x), 0.5) FROM t";
    assert_eq!(are_inner(verdict).await, [true, true]);
}

#[tokio::test]
async fn what_is_seen_does_not() {
    for sql in [
        "SELECT g, hdr(x) FROM t GROUP BY g",
        "SELECT hdr(x), hdr_count(hdr(x)) FROM t",
        "SELECT h, hdr_count(h) FROM (SELECT g, hdr(x) h FROM t GROUP BY g) s",
        "SELECT hdr_count(h) FROM (SELECT g, hdr(x) h FROM t GROUP BY g) s ORDER BY h",
        "SELECT hdr_count(h) FROM (SELECT g, hdr(x) h FROM t GROUP BY g) s WHERE h IS NOT NULL",
        "SELECT hdr_count(CASE WHEN g > 1 THEN h END) FROM (SELECT g, hdr(x) h FROM t GROUP BY g)",
        "SELECT DISTINCT h FROM (SELECT g, hdr(x) h FROM t GROUP BY g) s",
    ] {
        let inner = are_inner(sql).await;
        assert!(!inner.is_empty() && !inner.contains(&true), "{sql}: {inner:?}");
    }
}
