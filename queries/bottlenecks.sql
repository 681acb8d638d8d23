-- name: bottlenecks
-- question: Which steps take the time on the critical path?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only steps started since then
-- chart: bar step_name critical_share
WITH work AS (
    SELECT
        step_name,
        count(DISTINCT run_id) AS runs,
        sum(CASE WHEN on_critical_path THEN duration_ns ELSE 0 END) AS critical_ns,
        sum(duration_ns) AS work_ns,
        sum(queue_ns) AS queue_ns,
        sum(wait_ns) AS wait_ns
    FROM steps
    WHERE component <> 'for_each' -- the steps inside of it have rows of their own
        AND ($pipeline IS NULL OR pipeline_name = $pipeline)
        AND ($since IS NULL OR start_time >= $since)
    GROUP BY step_name
)
SELECT
    step_name,
    runs,
    round(critical_ns / 1e6, 3) AS critical_ms,
    round(critical_ns * 1.0 / nullif(sum(critical_ns) OVER (), 0), 4) AS critical_share,
    round(work_ns / 1e6, 3) AS work_ms,
    round(queue_ns / 1e6, 3) AS queue_ms,
    round(wait_ns / 1e6, 3) AS wait_ms
FROM work
ORDER BY critical_ns DESC, step_name
