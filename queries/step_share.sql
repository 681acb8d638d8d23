-- name: step_share
-- question: What share of each pipeline's time is which step's?
-- param: pipeline text = NULL | only this pipeline
-- chart: bar step_name critical_share
SELECT
    pipeline_name,
    step_name,
    runs,
    round(critical_share, 4) AS critical_share,
    round(work_share, 4) AS work_share,
    round(critical_ms, 3) AS critical_ms,
    round(queue_ms, 3) AS queue_ms,
    round(retry_ms, 3) AS retry_ms
FROM step_share
WHERE $pipeline IS NULL OR pipeline_name = $pipeline
ORDER BY pipeline_name, critical_share DESC, step_name
