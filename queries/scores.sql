-- name: scores
-- question: What does each validator say about quality?
-- param: batch_id text = NULL | only the runs of this batch
-- param: since time = NULL | only scores given since then
-- chart: bar name mean
SELECT
    s.name,
    count(s.value) AS n,
    round(avg(s.value), 2) AS mean,
    round(min(s.value), 2) AS min,
    round(p50(s.value), 2) AS p50,
    round(max(s.value), 2) AS max
FROM scores s
WHERE ($since IS NULL OR s.time >= $since)
    AND ($batch_id IS NULL OR s.run_id IN (SELECT run_id FROM runs WHERE batch_id = $batch_id))
GROUP BY s.name
ORDER BY mean, s.name
