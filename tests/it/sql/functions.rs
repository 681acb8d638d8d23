//! The percentile and sketch functions, as a user meets them.

use std::collections::BTreeMap;

use super::fixture::{PLACES, RUNS, STEPS, ask, duration_ns, nothing, rows, session, snapshot};

const TEN: &str = "(VALUES (1), (2), (3), (4), (5), (10), (20), (50), (100), (1000)) t(x)";

/// Linear interpolation between the neighbouring ranks.
fn slow(mut values: Vec<i64>, q: f64) -> f64 {
    values.sort_unstable();
    let place = (values.len() - 1) as f64 * q;
    let low = values[place.floor() as usize] as f64;
    let high = values[place.ceil() as usize] as f64;
    low + (high - low) * (place - place.floor())
}

#[tokio::test]
async fn the_ninetieth_of_ten_is_190() {
    let session = nothing();
    let sql = format!("SELECT p90(x), quantile(x, 0.9), p50(x) FROM {TEN}");
    assert_eq!(ask(&session, &sql).await, ["190.0|190.0|7.5"]);
    let sql = format!("SELECT p90(x::double) FROM {TEN}");
    assert_eq!(ask(&session, &sql).await, ["190.0"]);
}

#[tokio::test]
async fn nulls_nothing_and_filters() {
    let session = nothing();
    assert_eq!(ask(&session, "SELECT p50(x) FROM (VALUES (NULL), (3), (5)) t(x)").await, ["4.0"]);
    assert_eq!(
        ask(&session, "SELECT p50(x) IS NULL FROM (SELECT 1 x) WHERE x > 1").await,
        ["true"]
    );
    assert_eq!(ask(&session, "SELECT p50(NULL) IS NULL").await, ["true"]);
    let sql = format!("SELECT p50(x) FILTER (WHERE x < 10), p50(x) FROM {TEN}");
    assert_eq!(ask(&session, &sql).await, ["3.0|7.5"]);
    let sql = format!("SELECT x % 2, p50(x) FILTER (WHERE x > 4) FROM {TEN} GROUP BY 1 ORDER BY 1");
    assert_eq!(ask(&session, &sql).await, ["0|50.0", "1|5.0"]);
    let sql = "SELECT p50(DISTINCT x) FROM (VALUES (1), (1), (1), (5)) t(x)";
    assert_eq!(ask(&session, sql).await, ["3.0"]);
    let sql = "SELECT p50(x) FROM (VALUES (1.5::decimal(5,2)), (2.5)) t(x)";
    assert_eq!(ask(&session, sql).await, ["2.0"]);
}

#[tokio::test]
async fn percentiles_per_step_are_exact_wherever_the_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    let mut expected = BTreeMap::new();
    for (index, name) in STEPS.iter().enumerate() {
        let values: Vec<i64> = (0..RUNS).map(|it| duration_ns(it, index)).collect();
        expected.insert(*name, [0.5, 0.95, 0.99].map(|q| slow(values.clone(), q)));
    }
    for place in PLACES {
        let session = session(&snapshot(&rows, place, folder.path()));
        let sql = "SELECT step_name, p50(duration_ns), p95(duration_ns), p99(duration_ns) \
                   FROM steps GROUP BY step_name ORDER BY step_name";
        for (line, (name, values)) in ask(&session, sql).await.iter().zip(&expected) {
            let cells: Vec<&str> = line.split('|').collect();
            assert_eq!(cells[0], *name);
            for (cell, value) in cells[1..].iter().zip(values) {
                let found: f64 = cell.parse().unwrap();
                assert!((found - value).abs() <= 1e-6 * value, "{place:?} {name}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn large_groups_are_within_a_thousandth_across_partitions() {
    let session = nothing();
    let sql = "SELECT g, p50(x), p99(x), count(*) FROM \
               (SELECT value % 3 AS g, value * 1000 AS x FROM generate_series(1, 300000)) \
               GROUP BY g ORDER BY g";
    for (group, line) in ask(&session, sql).await.iter().enumerate() {
        let cells: Vec<f64> = line.split('|').map(|it| it.parse().unwrap()).collect();
        let values: Vec<i64> =
            (1..=300_000_i64).filter(|it| it % 3 == group as i64).map(|it| it * 1_000).collect();
        for (found, q) in [(cells[1], 0.5), (cells[2], 0.99)] {
            let exact = slow(values.clone(), q);
            assert!((found - exact).abs() <= exact * 0.001, "{found} for {exact}");
        }
    }
}

/// So many groups that the engine gives up grouping before it exchanges rows between threads.
#[tokio::test]
async fn many_small_groups_survive_partial_aggregation() {
    let session = nothing();
    let sql = "SELECT count(*), sum(m), count(f), sum(f) FROM (SELECT g, p50(x) AS m, \
               p50(x) FILTER (WHERE x >= 190000) AS f FROM \
               (SELECT value % 190000 AS g, value AS x FROM generate_series(0, 199999)) GROUP BY \
                g)";
    // The first 10,000 groups hold g and g + 190000, the others g alone.
    let twice = (0..10_000_i64).map(|it| it + 95_000).sum::<i64>();
    let once = (10_000..190_000_i64).sum::<i64>();
    let filtered = (190_000..200_000_i64).sum::<i64>();
    let expected = format!("190000|{:?}|10000|{:?}", (twice + once) as f64, filtered as f64);
    assert_eq!(ask(&session, sql).await, [expected]);
}

#[tokio::test]
async fn windows_take_percentiles() {
    let session = nothing();
    let sql = format!(
        "SELECT x, p50(x) OVER (ORDER BY x ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), \
         p50(x) OVER (), p50(x) OVER (ORDER BY x) FROM {TEN} ORDER BY x LIMIT 4"
    );
    assert_eq!(
        ask(&session, &sql).await,
        ["1|1.0|7.5|1.0", "2|1.5|7.5|1.5", "3|2.0|7.5|2.0", "4|3.0|7.5|2.5"]
    );
}

#[tokio::test]
async fn sketches() {
    let session = nothing();
    let sql = "SELECT hdr_count(h), hdr_quantile(h, 0.5), hdr_quantile(h, 0), hdr_quantile(h, 1) \
               FROM (SELECT hdr_merge(h) h FROM (SELECT hdr(value) h FROM generate_series(0, 1000) \
               GROUP BY value % 7))";
    assert_eq!(ask(&session, sql).await, ["1001|500.0|0.0|1000.0"]);
    let sql = "SELECT hdr(value) IS NULL, hdr_count(NULL) IS NULL FROM \
               (SELECT value FROM generate_series(1, 3) WHERE value > 5)";
    assert_eq!(ask(&session, sql).await, ["true|true"]);
}

#[tokio::test]
async fn helpers() {
    let session = nothing();
    let sql = "SELECT ago('1d') < now(), ago('1d') > now() - interval '25 hours', bar(5, 10, 4)";
    assert_eq!(ask(&session, sql).await, ["true|true|██"]);
}

#[tokio::test]
async fn percentiles_of_one_column_are_taken_together() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&snapshot(&rows(), PLACES[2], folder.path()));
    let calls = [
        "p50(duration_ns)",
        "count(*)",
        "quantile(duration_ns, 0.25)",
        "p99(duration_ns) FILTER (WHERE attempt = 1)",
        "p99(attempt)",
        "p95(duration_ns)",
        "p50(duration_ns) FILTER (WHERE attempt = 1)",
        "p90(duration_ns) FILTER (WHERE attempt > 1)",
    ];
    let rest = "FROM steps s GROUP BY s.step_name, s.node_type ORDER BY 1, 2";
    let start = "SELECT s.step_name, s.node_type,";
    let together = ask(&session, &format!("{start} {} {rest}", calls.join(", "))).await;
    for (at, call) in calls.iter().enumerate() {
        let alone = ask(&session, &format!("{start} {call} {rest}")).await;
        for (together, alone) in together.iter().zip(&alone) {
            let cells: Vec<&str> = together.split('|').collect();
            assert_eq!(cells[at + 2], alone.split('|').nth(2).unwrap(), "{call}");
        }
    }
    let plan = async |sql: &str| ask(&session, &format!("EXPLAIN {sql}")).await.join("\n");
    let sql = format!("SELECT {} FROM steps HAVING p50(duration_ns) > 0", calls.join(", "));
    let plan_of_all = plan(&sql).await;
    for values in ["quantiles(steps.duration_ns)", "quantiles(steps.duration_ns) FILTER"] {
        assert!(plan_of_all.contains(values), "{plan_of_all}");
    }
    let alone = plan("SELECT p50(duration_ns), p50(attempt) FROM steps").await;
    assert!(!alone.contains("quantiles("), "{alone}");
}
