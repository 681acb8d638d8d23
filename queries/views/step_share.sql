-- name: step_share
-- question: What share of a pipeline's time is which step's?
-- column: pipeline_name text | the pipeline
-- column: step_name text | the step
-- column: runs bigint | runs with the step
-- column: critical_share double | share of the time on the critical path of all runs of the pipeline
-- column: work_share double | share of the work of all its steps
-- column: critical_ms double | time on the critical path
-- column: work_ms double | work
-- column: queue_ms double | waiting for a place
-- column: retry_ms double | waiting before another attempt
WITH work AS (
    SELECT
        pipeline_name,
        step_name,
        count(DISTINCT run_id) AS runs,
        sum(CASE WHEN on_critical_path THEN duration_ns ELSE 0 END) AS critical_ns,
        sum(duration_ns) AS work_ns,
        sum(queue_ns) AS queue_ns,
        sum(wait_ns) AS wait_ns
    FROM steps
    WHERE component <> 'for_each' -- the steps inside of it have rows of their own
        AND NOT cached
    GROUP BY pipeline_name, step_name
)
SELECT
    pipeline_name,
    step_name,
    runs,
    critical_ns * 1.0 / nullif(sum(critical_ns) OVER pipeline, 0) AS critical_share,
    work_ns * 1.0 / nullif(sum(work_ns) OVER pipeline, 0) AS work_share,
    critical_ns / 1e6 AS critical_ms,
    work_ns / 1e6 AS work_ms,
    queue_ns / 1e6 AS queue_ms,
    wait_ns / 1e6 AS retry_ms
FROM work
WINDOW pipeline AS (PARTITION BY pipeline_name)
