-- name: quality_change
-- question: Which contracts lost quality from their last run but one to their last?
-- param: pipeline text = NULL | only this pipeline
-- param: limit int = 20 | rows
-- chart: bar contract_name change
WITH ordered AS (
    SELECT
        contract_name,
        start_time,
        run_id,
        quality_score,
        lag(quality_score) OVER (PARTITION BY contract_name ORDER BY start_time, run_id) AS before,
        row_number() OVER (PARTITION BY contract_name ORDER BY start_time DESC, run_id DESC) AS place
    FROM runs
    WHERE NOT cached
        AND contract_name IS NOT NULL
        AND quality_score IS NOT NULL
        AND ($pipeline IS NULL OR pipeline_name = $pipeline)
)
SELECT
    contract_name,
    round(before, 2) AS before,
    round(quality_score, 2) AS after,
    round(quality_score - before, 2) AS change,
    start_time,
    run_id
FROM ordered
WHERE place = 1 AND quality_score < before
ORDER BY change, contract_name
LIMIT $limit
