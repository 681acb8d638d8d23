-- name: history
-- question: How did the runs of one contract go, and what changed from one to the next?
-- param: contract text | its name, or how its digest begins
-- column: contract_name text | the contract
-- column: start_time timestamp | when the run started
-- column: run_id text | the run
-- column: batch_id text | the replay it belongs to
-- column: contract_version text | version of the contract
-- column: contract_digest text | its content
-- column: result text | how it ended
-- column: quality double | quality score, 0 to 100
-- column: quality_change double | held against the run before
-- column: duration_ms double | how long it took; NULL where it was taken over
-- column: issues bigint | different issues that were not suppressed
-- column: new_issues bigint | of those, not in the run before
-- column: fixed_issues bigint | issues of the run before that are gone
WITH contract AS (
    SELECT
        the_one(
            'contract', $contract,
            count(DISTINCT coalesce(contract_name, contract_digest)), min(coalesce(contract_name, contract_digest))
        ) AS contract_name
    FROM runs
    WHERE contract_name = $contract OR starts_with(contract_digest, $contract)
),
ordered AS (
    SELECT *, row_number() OVER (ORDER BY start_time, run_id) AS n
    FROM runs
    WHERE contract_name = $contract OR starts_with(contract_digest, $contract)
),
issues_of AS (
    SELECT DISTINCT o.n, i.fingerprint
    FROM ordered o
    JOIN issues i ON i.run_id = o.run_id
    WHERE NOT i.suppressed
),
counted AS (
    SELECT n, count(*) AS issues FROM issues_of GROUP BY n
),
appeared AS (
    SELECT a.n, count(*) AS issues
    FROM issues_of a
    LEFT JOIN issues_of b ON b.n = a.n - 1 AND b.fingerprint = a.fingerprint
    WHERE b.n IS NULL
    GROUP BY a.n
),
gone AS (
    SELECT a.n + 1 AS n, count(*) AS issues
    FROM issues_of a
    LEFT JOIN issues_of b ON b.n = a.n + 1 AND b.fingerprint = a.fingerprint
    WHERE b.n IS NULL
    GROUP BY a.n
)
SELECT
    c.contract_name,
    o.start_time,
    o.run_id,
    o.batch_id,
    o.contract_version,
    o.contract_digest,
    o.result,
    o.quality_score AS quality,
    o.quality_score - lag(o.quality_score) OVER (ORDER BY o.n) AS quality_change,
    CASE WHEN NOT o.cached THEN o.duration_ns / 1e6 END AS duration_ms,
    coalesce(counted.issues, 0) AS issues,
    CASE WHEN o.n > 1 THEN coalesce(appeared.issues, 0) END AS new_issues,
    CASE WHEN o.n > 1 THEN coalesce(gone.issues, 0) END AS fixed_issues
FROM contract c
LEFT JOIN ordered o ON true
LEFT JOIN counted ON counted.n = o.n
LEFT JOIN appeared ON appeared.n = o.n
LEFT JOIN gone ON gone.n = o.n
ORDER BY o.n
LIMIT 9223372036854775807 -- without one, the order of a subquery is nobody's concern
