-- name: lineage
-- question: Where does a generated file come from, and where else is it?
-- param: artifact text | its digest, or how the digest begins
-- column: kind text | artifact, run, contract, template, model call or batch
-- column: id text | its digest or id
-- column: name text | its name
-- column: detail text | what else tells it apart
-- column: time timestamp | when
WITH file AS (
    SELECT the_one('artifact', $artifact, count(DISTINCT artifact_digest), min(artifact_digest)) AS digest
    FROM artifacts
    WHERE artifact_digest >= $artifact AND artifact_digest < $artifact || '~'
),
made AS (
    SELECT DISTINCT a.artifact_digest, a.run_id, a.filename, a.size_bytes, a.kind
    FROM file
    JOIN artifacts a ON a.artifact_digest = file.digest
    WHERE a.artifact_digest >= $artifact AND a.artifact_digest < $artifact || '~'
),
run AS (
    SELECT r.*
    FROM (SELECT DISTINCT run_id FROM made) m
    JOIN runs r ON r.run_id = m.run_id
),
line AS (
    SELECT 1 AS place, 'artifact' AS kind, artifact_digest AS id, min(filename) AS name,
        min(kind) || ', ' || min(size_bytes) || ' bytes, in ' || count(DISTINCT run_id) || ' runs' AS detail,
        NULL AS time
    FROM made
    GROUP BY artifact_digest
    UNION ALL
    SELECT 2, 'run', run_id, pipeline_name, result || coalesce(', ' || generator, ''), start_time FROM run
    UNION ALL
    SELECT 3, 'contract', run.contract_digest, min(run.contract_name),
        coalesce(min(c.version), min(run.contract_version)) || coalesce(', ' || min(c.uri), ''), min(c.first_seen_time)
    FROM run
    LEFT JOIN contracts c ON c.contract_digest = run.contract_digest
    WHERE run.contract_digest IS NOT NULL
    GROUP BY run.contract_digest
    UNION ALL
    SELECT 4, 'template', template_digest, NULL, 'in ' || count(*) || ' runs', min(start_time)
    FROM run
    WHERE template_digest IS NOT NULL
    GROUP BY template_digest
    UNION ALL
    SELECT 5, 'model call', l.output_digest, l.request_model,
        coalesce(l.prompt_name, l.operation_name) || CASE WHEN l.replayed THEN ', from a recording' ELSE '' END,
        l.start_time
    FROM run
    JOIN llm_calls l ON l.run_id = run.run_id
    UNION ALL
    SELECT 6, 'batch', run.batch_id, min(b.name), min(b.uri), min(b.start_time)
    FROM run
    LEFT JOIN batches b ON b.batch_id = run.batch_id
    WHERE run.batch_id IS NOT NULL
    GROUP BY run.batch_id
)
SELECT kind, id, name, detail, time FROM line ORDER BY place, time, id
LIMIT 9223372036854775807 -- without one, the order of a subquery is nobody's concern
