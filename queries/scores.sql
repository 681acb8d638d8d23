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
LEFT JOIN runs r ON r.run_id = s.run_id
WHERE ($since IS NULL OR s.time >= $since)
    AND (r.batch_id = $batch_id OR ($batch_id IS NULL AND r.cached IS NOT TRUE)) -- a run that was taken over counts in its batch alone
GROUP BY s.name
ORDER BY mean, s.name
