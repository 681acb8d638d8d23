-- name: rule_trend
-- question: How often does each rule find something, day by day?
-- column: day timestamp | the day
-- column: validator_name text | the validator
-- column: rule_id text | the rule
-- column: level text | note, warning or error
-- column: issues bigint | findings that were not suppressed
-- column: runs bigint | runs with such a finding
-- column: contracts bigint | contracts with such a finding
-- column: run_share double | of all runs of the day, those with such a finding
WITH found AS (
    SELECT
        date_trunc('day', time) AS day,
        validator_name,
        rule_id,
        level,
        count(*) AS issues,
        count(DISTINCT run_id) AS runs,
        count(DISTINCT contract_digest) AS contracts
    FROM issues
    WHERE NOT suppressed
    GROUP BY date_trunc('day', time), validator_name, rule_id, level
),
days AS (
    SELECT date_trunc('day', start_time) AS day, count(*) AS runs
    FROM runs
    GROUP BY date_trunc('day', start_time)
)
SELECT
    found.day,
    validator_name,
    rule_id,
    level,
    issues,
    found.runs,
    contracts,
    least(found.runs * 1.0 / days.runs, 1.0) AS run_share -- a run may begin before midnight and end after it
FROM found
LEFT JOIN days ON days.day = found.day
