-- How did the p95 of one step go, hour by hour, over ninety days?
SELECT
    hour,
    sum(count) AS n,
    hdr_quantile(hdr_merge(histogram), 0.95) * 1000 AS p95_ns
FROM step_latency
WHERE step_name = 'generate' AND result <> 'skip'
GROUP BY hour
ORDER BY hour
