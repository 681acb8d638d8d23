-- How long does each step take?
SELECT
    step_name,
    count(*) AS n,
    p50(duration_ns) AS p50_ns,
    p95(duration_ns) AS p95_ns,
    p99(duration_ns) AS p99_ns
FROM steps
WHERE result <> 'skip'
GROUP BY step_name
ORDER BY step_name
