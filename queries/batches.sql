-- name: batches
-- question: Which replays were there, and how did they go?
-- param: since time = NULL | only replays started since then
-- param: limit int = 20 | rows
SELECT
    b.start_time,
    b.batch_id,
    b.name,
    b.uri,
    b.result,
    b.total,
    b.succeeded,
    b.failed,
    b.cached,
    round((b.end_time::bigint - b.start_time::bigint) / 1e6, 3) AS duration_s
FROM batches b
WHERE ($since IS NULL OR b.start_time >= $since)
ORDER BY b.start_time DESC, b.batch_id DESC
LIMIT $limit
