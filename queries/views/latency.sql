-- name: latency
-- question: How long did each step take, hour by hour?
-- column: hour timestamp | the hour in which the steps started
-- column: pipeline_name text | the pipeline
-- column: step_name text | the step
-- column: node_type text | COMPUTE, EFFECT, REDUCER or ORCHESTRATOR
-- column: n bigint | attempts, skipped ones not counted
-- column: failed bigint | attempts that did not succeed
-- column: mean_ms double | mean duration
-- column: p50_ms double | the median, within 0.1 %
-- column: p95_ms double | within 0.1 %
-- column: p99_ms double | within 0.1 %
-- column: max_ms double | the longest
-- column: histogram binary | durations in µs, for hdr_merge over hours, steps or pipelines
SELECT
    hour,
    pipeline_name,
    step_name,
    node_type,
    sum(count) AS n,
    sum(CASE WHEN result = 'success' THEN 0 ELSE count END) AS failed,
    sum(sum_ns) / 1e6 / nullif(sum(count), 0) AS mean_ms,
    hdr_quantile(hdr_merge(histogram), 0.5) / 1e3 AS p50_ms,
    hdr_quantile(hdr_merge(histogram), 0.95) / 1e3 AS p95_ms,
    hdr_quantile(hdr_merge(histogram), 0.99) / 1e3 AS p99_ms,
    max(max_ns) / 1e6 AS max_ms,
    hdr_merge(histogram) AS histogram
FROM step_latency
WHERE result <> 'skip'
GROUP BY hour, pipeline_name, step_name, node_type
