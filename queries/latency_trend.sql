-- name: latency_trend
-- question: How did the latency of a step, or of all steps, change over time?
-- param: bucket hour|day = day | width of one row
-- param: step text = NULL | only this step; without it, each step has its rows
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only steps started since then
-- chart: line time p50_ms p95_ms p99_ms
SELECT
    date_trunc($bucket, start_time) AS time,
    step_name,
    count(*) AS n,
    round(p50(duration_ns) / 1e6, 3) AS p50_ms,
    round(p95(duration_ns) / 1e6, 3) AS p95_ms,
    round(p99(duration_ns) / 1e6, 3) AS p99_ms
FROM steps
WHERE result <> 'skip'
    AND NOT cached
    AND ($step IS NULL OR step_name = $step)
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($since IS NULL OR start_time >= $since)
GROUP BY date_trunc($bucket, start_time), step_name
ORDER BY time, step_name
