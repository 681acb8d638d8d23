-- How did the p95 of one step go, hour by hour, over ninety days?
SELECT
    date_trunc('hour', start_time) AS hour,
    count(*) AS n,
    quantile_cont(duration_ns, 0.95) AS p95_ns
FROM steps
WHERE step_name = 'generate' AND result <> 'skip'
GROUP BY date_trunc('hour', start_time)
ORDER BY hour
