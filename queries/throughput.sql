-- name: throughput
-- question: How much was done, hour by hour or day by day?
-- param: bucket hour|day|week = day | width of one row
-- param: since time = 30d | only runs started since then
-- chart: line time runs
SELECT
    date_trunc($bucket, start_time) AS time,
    count(*) AS runs,
    count(CASE WHEN cached THEN 1 END) AS cached,
    count(CASE WHEN result = 'success' THEN 1 END) AS succeeded,
    count(CASE WHEN degraded THEN 1 END) AS degraded,
    count(DISTINCT contract_digest) AS contracts,
    round(sum(work_ns) / 1e9, 3) AS work_s,
    round(p95(duration_ns) FILTER (WHERE NOT cached) / 1e6, 3) AS p95_ms
FROM runs
WHERE start_time >= $since
GROUP BY date_trunc($bucket, start_time)
ORDER BY time
