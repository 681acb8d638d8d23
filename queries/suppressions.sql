-- name: suppressions
-- question: Which rules are suppressed, where, and for what reason?
-- param: since time = NULL | only issues found since then
-- param: limit int = 50 | rows
-- chart: bar rule_id issues
SELECT
    rule_id,
    coalesce(suppression, '') AS reason,
    count(*) AS issues,
    count(DISTINCT run_id) AS runs,
    count(DISTINCT contract_name) AS contracts,
    min(uri) AS example
FROM issues
WHERE suppressed AND ($since IS NULL OR time >= $since)
GROUP BY rule_id, coalesce(suppression, '')
ORDER BY issues DESC, rule_id, reason
LIMIT $limit
