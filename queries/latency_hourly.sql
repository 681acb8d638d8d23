-- name: latency_hourly
-- question: How did the P95 of a step go, hour by hour, also of hours whose steps are gone?
-- param: step text | the step
-- param: pipeline text = NULL | only this pipeline
-- param: since time = 90d | from then on
-- chart: line hour p50_ms p95_ms p99_ms
SELECT
    hour,
    hdr_count(hdr_merge(histogram)) AS n,
    round(hdr_quantile(hdr_merge(histogram), 0.5) / 1e3, 3) AS p50_ms,
    round(hdr_quantile(hdr_merge(histogram), 0.95) / 1e3, 3) AS p95_ms,
    round(hdr_quantile(hdr_merge(histogram), 0.99) / 1e3, 3) AS p99_ms
FROM step_latency
WHERE result <> 'skip'
    AND step_name = $step
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND hour >= $since
GROUP BY hour
ORDER BY hour
