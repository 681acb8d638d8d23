-- Did the p99 of a step grow: the last seven days against the thirty before?
SELECT
    step_name,
    quantile_cont(duration_ns, 0.99) FILTER (WHERE start_time >= '2026-10-25T00:00:00Z') AS week_ns,
    quantile_cont(duration_ns, 0.99) FILTER (WHERE start_time < '2026-10-25T00:00:00Z') AS month_ns
FROM steps
WHERE start_time >= '2026-09-25T00:00:00Z' AND result <> 'skip'
GROUP BY step_name
ORDER BY step_name
