-- name: regressions
-- question: Which steps have become slower or faster in the last 7 days, held against the 30 days before?
-- column: pipeline_name text | the pipeline
-- column: step_name text | the step
-- column: before_n bigint | attempts in the 30 days before
-- column: after_n bigint | attempts in the last 7 days
-- column: before_p50_ms double | the median before
-- column: after_p50_ms double | the median now
-- column: p50_verdict text | higher, lower, same or too few (see hdr_verdict)
-- column: before_p99_ms double | P99 before
-- column: after_p99_ms double | P99 now
-- column: p99_change double | 0.1 is ten percent slower
-- column: p99_verdict text | higher, lower, same or too few (see hdr_verdict)
WITH sides AS (
    SELECT
        pipeline_name,
        step_name,
        hdr_merge(CASE WHEN hour < date_trunc('hour', ago('7d')) THEN histogram END) AS before,
        hdr_merge(CASE WHEN hour >= date_trunc('hour', ago('7d')) THEN histogram END) AS after
    FROM step_latency
    WHERE result <> 'skip' AND hour >= date_trunc('hour', ago('37d'))
    GROUP BY pipeline_name, step_name
)
SELECT
    pipeline_name,
    step_name,
    coalesce(hdr_count(before), 0) AS before_n,
    coalesce(hdr_count(after), 0) AS after_n,
    hdr_quantile(before, 0.5) / 1e3 AS before_p50_ms,
    hdr_quantile(after, 0.5) / 1e3 AS after_p50_ms,
    hdr_verdict(before, after, 0.5) AS p50_verdict,
    hdr_quantile(before, 0.99) / 1e3 AS before_p99_ms,
    hdr_quantile(after, 0.99) / 1e3 AS after_p99_ms,
    hdr_quantile(after, 0.99) / nullif(hdr_quantile(before, 0.99), 0) - 1 AS p99_change,
    hdr_verdict(before, after, 0.99) AS p99_verdict
FROM sides
