-- Which twenty rules find something in the most runs that fail?
SELECT
    i.rule_id,
    count(DISTINCT i.run_id) AS failing_runs,
    count(*) AS issues
FROM issues i
JOIN runs r ON r.run_id = i.run_id
WHERE r.result <> 'success'
GROUP BY i.rule_id
ORDER BY failing_runs DESC, i.rule_id
LIMIT 20
