-- name: runs
-- question: What ran lately?
-- param: contract text = NULL | only contracts whose name contains this
-- param: result text = NULL | only runs of this result
-- param: batch_id text = NULL | only the runs of this batch
-- param: since time = NULL | only runs started since then
-- param: limit int = 20 | rows
SELECT
    start_time,
    run_id,
    contract_name,
    node_type,
    result,
    round(quality_score, 2) AS quality,
    error_count AS errors,
    warning_count AS warnings,
    round(duration_ns / 1e6, 3) AS duration_ms
FROM runs
WHERE ($contract IS NULL OR strpos(lower(contract_name), lower($contract)) > 0)
    AND ($result IS NULL OR result = $result)
    AND (batch_id = $batch_id OR ($batch_id IS NULL AND NOT cached)) -- a run that was taken over counts in its batch alone
    AND ($since IS NULL OR start_time >= $since)
ORDER BY start_time DESC, run_id DESC
LIMIT $limit
