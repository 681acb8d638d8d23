-- name: retries
-- question: Which steps needed more than one attempt, and what did that cost?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only steps started since then
-- chart: bar step_name retried_share
WITH work AS (
    SELECT
        pipeline_name,
        step_name,
        run_id,
        max(attempt) AS attempts,
        sum(wait_ns) AS wait_ns,
        sum(CASE WHEN result <> 'success' THEN duration_ns ELSE 0 END) AS lost_ns,
        bool_or(result = 'success') AS succeeded,
        bool_or(degraded) AS degraded
    FROM steps
    WHERE NOT cached
        AND result <> 'skip'
        AND component <> 'for_each' -- the steps inside of it have rows of their own
        AND ($pipeline IS NULL OR pipeline_name = $pipeline)
        AND ($since IS NULL OR start_time >= $since)
    GROUP BY pipeline_name, step_name, run_id
)
SELECT
    pipeline_name,
    step_name,
    count(*) AS runs,
    count(CASE WHEN attempts > 1 THEN 1 END) AS retried,
    round(avg(CASE WHEN attempts > 1 THEN 1.0 ELSE 0.0 END), 4) AS retried_share,
    count(CASE WHEN attempts > 1 AND succeeded THEN 1 END) AS saved,
    count(CASE WHEN degraded THEN 1 END) AS degraded,
    round(sum(lost_ns) / 1e6, 3) AS lost_ms,
    round(sum(wait_ns) / 1e6, 3) AS wait_ms
FROM work
GROUP BY pipeline_name, step_name
HAVING max(attempts) > 1 OR bool_or(degraded)
ORDER BY lost_ms DESC, pipeline_name, step_name
