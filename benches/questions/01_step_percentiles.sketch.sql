-- How long does each step take?
SELECT
    step_name,
    n,
    hdr_quantile(h, 0.5) * 1000 AS p50_ns,
    hdr_quantile(h, 0.95) * 1000 AS p95_ns,
    hdr_quantile(h, 0.99) * 1000 AS p99_ns
FROM (
    SELECT step_name, sum(count) AS n, hdr_merge(histogram) AS h
    FROM step_latency
    WHERE result <> 'skip'
    GROUP BY step_name
)
ORDER BY step_name
