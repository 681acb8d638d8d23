-- How long does each step take?
SELECT
    step_name,
    count(*) AS n,
    quantile_cont(duration_ns, 0.5) AS p50_ns,
    quantile_cont(duration_ns, 0.95) AS p95_ns,
    quantile_cont(duration_ns, 0.99) AS p99_ns
FROM steps
WHERE result <> 'skip'
GROUP BY step_name
ORDER BY step_name
