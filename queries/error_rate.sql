-- name: error_rate
-- question: Which contracts fail how often, and how sure is that?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = NULL | only runs started since then
-- param: limit int = 50 | rows
-- chart: bar contract_name failure_rate
SELECT
    contract_name,
    count(*) AS runs,
    count(CASE WHEN result <> 'success' THEN 1 END) AS failed,
    round(avg(CASE WHEN result <> 'success' THEN 1.0 ELSE 0.0 END), 4) AS failure_rate,
    round(wilson_lower(count(CASE WHEN result <> 'success' THEN 1 END), count(*)), 4) AS at_least,
    round(wilson_upper(count(CASE WHEN result <> 'success' THEN 1 END), count(*)), 4) AS at_most,
    max(CASE WHEN result <> 'success' THEN start_time END) AS last_failure
FROM runs
WHERE NOT cached
    AND result <> 'skip'
    AND contract_name IS NOT NULL
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($since IS NULL OR start_time >= $since)
GROUP BY contract_name
ORDER BY at_least DESC, failed DESC, contract_name
LIMIT $limit
