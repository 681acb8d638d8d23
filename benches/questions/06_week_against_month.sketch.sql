-- Did the p99 of a step grow: the last seven days against the thirty before?
SELECT
    step_name,
    hdr_quantile(hdr_merge(histogram) FILTER (WHERE hour >= '2026-10-25T00:00:00Z'), 0.99) * 1000
        AS week_ns,
    hdr_quantile(hdr_merge(histogram) FILTER (WHERE hour < '2026-10-25T00:00:00Z'), 0.99) * 1000
        AS month_ns
FROM step_latency
WHERE hour >= '2026-09-25T00:00:00Z' AND result <> 'skip'
GROUP BY step_name
ORDER BY step_name
