-- name: latency
-- question: How long does each step take?
-- param: pipeline text = NULL | only this pipeline
-- param: node_type text = NULL | only contracts of this node type
-- param: since time = NULL | only steps started since then
-- chart: bar step_name p50_ms p95_ms p99_ms
SELECT
    step_name,
    count(*) AS n,
    round(p50(duration_ns) / 1e6, 3) AS p50_ms,
    round(p95(duration_ns) / 1e6, 3) AS p95_ms,
    round(p99(duration_ns) / 1e6, 3) AS p99_ms,
    round(max(duration_ns) / 1e6, 3) AS max_ms
FROM steps
WHERE result <> 'skip'
    AND NOT cached
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($node_type IS NULL OR node_type = upper($node_type))
    AND ($since IS NULL OR start_time >= $since)
GROUP BY step_name
ORDER BY p95_ms DESC, step_name
