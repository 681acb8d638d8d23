-- name: failures
-- question: Which runs did not succeed, and why?
-- param: batch_id text = NULL | only the runs of this batch
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only runs started since then
-- param: limit int = 50 | rows
SELECT
    start_time,
    run_id,
    contract_name,
    result,
    error_type,
    error_message,
    error_count AS errors,
    round(quality_score, 2) AS quality,
    round(duration_ns / 1e6, 3) AS duration_ms
FROM runs
WHERE result NOT IN ('success', 'skip')
    AND (batch_id = $batch_id OR ($batch_id IS NULL AND NOT cached)) -- a run that was taken over counts in its batch alone
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($since IS NULL OR start_time >= $since)
ORDER BY start_time DESC, run_id DESC
LIMIT $limit
