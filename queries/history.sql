-- name: history
-- question: How did the runs of one contract go, and what changed from one to the next?
-- param: contract text | its name, or how its digest begins
-- chart: line start_time quality
SELECT
    start_time,
    run_id,
    contract_version AS version,
    left(contract_digest, 12) AS digest,
    result,
    round(quality, 2) AS quality,
    round(quality_change, 2) AS quality_change,
    round(duration_ms, 3) AS duration_ms,
    issues,
    new_issues,
    fixed_issues
FROM history($contract)
