-- name: batch_summary
-- question: How did one replay go, in one row?
-- param: batch_id text | the replay; query batches lists them
SELECT
    count(*) AS total,
    count(CASE WHEN result = 'success' THEN 1 END) AS success,
    count(CASE WHEN result = 'failure' THEN 1 END) AS failure,
    count(CASE WHEN result = 'error' THEN 1 END) AS error,
    count(CASE WHEN result = 'timeout' THEN 1 END) AS timeout,
    count(CASE WHEN result = 'cancellation' THEN 1 END) AS cancellation,
    count(CASE WHEN result = 'skip' THEN 1 END) AS skip,
    count(CASE WHEN cached THEN 1 END) AS cached,
    round(avg(quality_score), 2) AS quality_mean,
    round(p50(duration_ns) FILTER (WHERE NOT cached) / 1e6, 3) AS p50_ms,
    round(p95(duration_ns) FILTER (WHERE NOT cached) / 1e6, 3) AS p95_ms,
    round(p99(duration_ns) FILTER (WHERE NOT cached) / 1e6, 3) AS p99_ms,
    coalesce(sum(error_count), 0) AS errors,
    coalesce(sum(warning_count), 0) AS warnings,
    coalesce(sum(note_count), 0) AS notes
FROM runs
WHERE batch_id = $batch_id
