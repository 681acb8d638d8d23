-- name: slowest_runs
-- question: Which runs took longest, and which step of theirs?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only runs started since then
-- param: limit int = 20 | rows
-- chart: bar contract_name duration_ms
WITH slow AS (
    SELECT *
    FROM runs
    WHERE NOT cached
        AND ($pipeline IS NULL OR pipeline_name = $pipeline)
        AND ($since IS NULL OR start_time >= $since)
    ORDER BY duration_ns DESC, run_id
    LIMIT $limit
),
longest AS (
    SELECT
        s.run_id,
        s.step_name,
        s.duration_ns,
        row_number() OVER (PARTITION BY s.run_id ORDER BY s.duration_ns DESC, s.step_id) AS place
    FROM steps s
    JOIN slow ON slow.run_id = s.run_id
)
SELECT
    slow.start_time,
    slow.run_id,
    slow.contract_name,
    slow.result,
    round(slow.duration_ns / 1e6, 3) AS duration_ms,
    round(slow.queue_ns / 1e6, 3) AS queue_ms,
    longest.step_name AS slowest_step,
    round(longest.duration_ns / 1e6, 3) AS slowest_step_ms
FROM slow
LEFT JOIN longest ON longest.run_id = slow.run_id AND longest.place = 1
ORDER BY slow.duration_ns DESC, slow.run_id
