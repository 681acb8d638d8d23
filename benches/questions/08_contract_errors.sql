-- How often does each contract fail?
SELECT
    contract_name,
    count(*) AS runs,
    sum(CASE WHEN result <> 'success' THEN 1 ELSE 0 END) AS failed,
    sum(CASE WHEN result <> 'success' THEN 1 ELSE 0 END) * 1.0 / count(*) AS error_rate
FROM runs
GROUP BY contract_name
ORDER BY error_rate DESC, contract_name
