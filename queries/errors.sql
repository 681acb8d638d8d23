-- name: errors
-- question: Of what kinds are the errors, and in which steps do they come up?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only steps started since then
-- param: limit int = 20 | rows
-- chart: bar error_type attempts
SELECT
    step_name,
    result,
    coalesce(error_type, '') AS error_type,
    count(*) AS attempts,
    count(DISTINCT run_id) AS runs,
    max(start_time) AS last_time,
    last_value(error_message ORDER BY start_time, run_id, step_id) AS example
FROM steps
WHERE result NOT IN ('success', 'skip')
    AND NOT cached
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($since IS NULL OR start_time >= $since)
GROUP BY step_name, result, coalesce(error_type, '')
ORDER BY attempts DESC, step_name, result, error_type
LIMIT $limit
