-- name: top_rules
-- question: Which rules find something in the most runs?
-- param: level note|warning|error = NULL | only issues of this level
-- param: validator text = NULL | only rules of this validator
-- param: batch_id text = NULL | only the runs of this batch
-- param: since time = NULL | only issues found since then
-- param: limit int = 20 | rows
-- chart: bar rule_id runs
SELECT
    i.rule_id,
    i.level,
    count(DISTINCT i.run_id) AS runs,
    count(DISTINCT CASE WHEN r.result <> 'success' THEN i.run_id END) AS failing_runs,
    count(*) AS issues,
    min(i.message) AS example
FROM issues i
LEFT JOIN runs r ON r.run_id = i.run_id
WHERE NOT i.suppressed
    AND ($level IS NULL OR i.level = $level)
    AND ($validator IS NULL OR i.validator_name = $validator)
    AND (r.batch_id = $batch_id OR ($batch_id IS NULL AND r.cached IS NOT TRUE)) -- a run that was taken over counts in its batch alone
    AND ($since IS NULL OR i.time >= $since)
GROUP BY i.rule_id, i.level
ORDER BY failing_runs DESC, runs DESC, i.rule_id, i.level
LIMIT $limit
