-- name: why
-- question: Where did the time of one run go?
-- param: run text | its id, or how the id begins
-- column: step_name text | the step
-- column: attempt bigint | which attempt, from 1
-- column: result text | how it ended
-- column: start_ms double | after the start of the run
-- column: queue_ms double | waiting for a place
-- column: retry_ms double | waiting before this attempt
-- column: work_ms double | work, model time included
-- column: model_ms double | of that, calls of a language model
-- column: is_critical boolean | whether it is on the critical path: faster here is faster in all
-- column: run_share double | its part of the run's time, where it is on the critical path
-- column: timeline text | the run from left to right
WITH run AS (
    SELECT
        the_one('run', $run, count(*), min(run_id)) AS run_id,
        min(start_time) AS start_time,
        min(duration_ns) AS duration_ns
    FROM runs
    WHERE run_id >= $run AND run_id < $run || '~'
),
calls AS (
    SELECT run_id, step_id, sum(duration_ns) AS model_ns
    FROM llm_calls
    WHERE run_id >= $run AND run_id < $run || '~' AND NOT replayed
    GROUP BY run_id, step_id
),
placed AS (
    SELECT
        s.*,
        run.duration_ns AS run_ns,
        (s.start_time::bigint - run.start_time::bigint) * 1000 AS after_ns
    FROM run
    JOIN steps s ON s.run_id = run.run_id
    WHERE s.run_id >= $run AND s.run_id < $run || '~'
)
SELECT
    p.step_name,
    p.attempt,
    p.result,
    p.after_ns / 1e6 AS start_ms,
    p.queue_ns / 1e6 AS queue_ms,
    p.wait_ns / 1e6 AS retry_ms,
    p.duration_ns / 1e6 AS work_ms,
    c.model_ns / 1e6 AS model_ms,
    p.on_critical_path AS is_critical,
    CASE WHEN p.on_critical_path THEN p.duration_ns * 1.0 / nullif(p.run_ns, 0) END AS run_share,
    repeat(' ', least(p.after_ns * 40 / greatest(p.run_ns, 1), 39))
        || coalesce(nullif(bar(p.duration_ns, greatest(p.run_ns, 1), 40), ''), '▏') AS timeline
FROM placed p
LEFT JOIN calls c ON c.run_id = p.run_id AND c.step_id = p.step_id
ORDER BY p.after_ns, p.step_id
LIMIT 9223372036854775807 -- without one, the order of a subquery is nobody's concern
