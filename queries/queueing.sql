-- name: queueing
-- question: Where does work wait for a place instead of being done?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only steps started since then
-- chart: bar step_name queue_share
SELECT
    pipeline_name,
    step_name,
    count(*) AS n,
    round(p50(queue_ns) / 1e6, 3) AS queue_p50_ms,
    round(p95(queue_ns) / 1e6, 3) AS queue_p95_ms,
    round(max(queue_ns) / 1e6, 3) AS queue_max_ms,
    round(sum(queue_ns) * 1.0 / nullif(sum(queue_ns) + sum(duration_ns), 0), 4) AS queue_share
FROM steps
WHERE result <> 'skip'
    AND NOT cached
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($since IS NULL OR start_time >= $since)
GROUP BY pipeline_name, step_name
ORDER BY queue_share DESC, pipeline_name, step_name
