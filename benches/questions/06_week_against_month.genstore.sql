-- Did the p99 of a step grow: the last seven days against the thirty before?
SELECT
    step_name,
    p99(duration_ns) FILTER (WHERE start_time >= '2026-10-25T00:00:00Z') AS week_ns,
    p99(duration_ns) FILTER (WHERE start_time < '2026-10-25T00:00:00Z') AS month_ns
FROM steps
WHERE start_time >= '2026-09-25T00:00:00Z' AND result <> 'skip'
GROUP BY step_name
ORDER BY step_name
