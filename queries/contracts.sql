-- name: contracts
-- question: Which contracts are known, and how did their last runs go?
-- param: node_type text = NULL | only contracts of this node type
-- param: contract text = NULL | only contracts whose name contains this
-- param: limit int = 50 | rows
WITH history AS (
    SELECT
        contract_digest,
        count(*) AS runs,
        count(CASE WHEN result = 'success' THEN 1 END) AS succeeded,
        max(start_time) AS last_run,
        last_value(quality_score ORDER BY start_time, run_id) AS last_quality
    FROM runs
    WHERE contract_digest IS NOT NULL AND NOT cached
    GROUP BY contract_digest
)
SELECT
    c.name,
    c.version,
    c.node_type,
    c.complexity_class,
    round(c.complexity_score, 3) AS complexity,
    coalesce(h.runs, 0) AS runs,
    coalesce(h.succeeded, 0) AS succeeded,
    round(h.last_quality, 2) AS last_quality,
    h.last_run,
    left(c.contract_digest, 12) AS digest
FROM contracts c
LEFT JOIN history h ON h.contract_digest = c.contract_digest
WHERE ($node_type IS NULL OR c.node_type = upper($node_type))
    AND ($contract IS NULL OR strpos(lower(c.name), lower($contract)) > 0)
ORDER BY c.name, c.version, c.contract_digest
LIMIT $limit
