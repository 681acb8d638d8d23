-- What happened in this run?
SELECT
    r.pipeline_name,
    r.contract_name,
    r.result AS run_result,
    r.quality_score,
    s.step_id,
    s.step_name,
    s.attempt,
    s.result,
    s.duration_ns,
    i.rule_id,
    i.level,
    i.message
FROM runs r
JOIN steps s ON s.run_id = r.run_id
LEFT JOIN issues i ON i.run_id = s.run_id AND i.step_id = s.step_id
WHERE r.run_id = '01a13a48-9e00-7707-8707-070707070707'
ORDER BY s.step_id, i.rule_id, i.message
