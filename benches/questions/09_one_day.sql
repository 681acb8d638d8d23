-- What did the runs of one day do, and what was found?
SELECT
    r.pipeline_name,
    s.step_name,
    count(DISTINCT r.run_id) AS runs,
    count(*) AS rows_joined,
    count(i.rule_id) AS issues,
    sum(s.duration_ns) AS work_ns
FROM runs r
JOIN steps s ON s.run_id = r.run_id
LEFT JOIN issues i ON i.run_id = s.run_id AND i.step_id = s.step_id
WHERE r.start_time >= '2026-10-14T00:00:00Z' AND r.start_time < '2026-10-15T00:00:00Z'
GROUP BY r.pipeline_name, s.step_name
ORDER BY r.pipeline_name, s.step_name
