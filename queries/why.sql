-- name: why
-- question: Where did the time of one run go?
-- param: run text | its id, or how the id begins
-- chart: bar step_name work_ms
SELECT
    step_name,
    attempt,
    result,
    round(start_ms, 3) AS start_ms,
    round(queue_ms, 3) AS queue_ms,
    round(retry_ms, 3) AS retry_ms,
    round(work_ms, 3) AS work_ms,
    round(model_ms, 3) AS model_ms,
    is_critical,
    round(run_share, 4) AS run_share,
    timeline
FROM why($run)
