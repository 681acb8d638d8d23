-- name: regressions
-- question: Which steps have become slower in the last 7 days by more than chance, held against the 30 days before?
-- param: pipeline text = NULL | only this pipeline
-- param: all bool = false | also steps that have not
-- chart: bar step_name p99_change
SELECT
    pipeline_name,
    step_name,
    before_n,
    after_n,
    round(before_p50_ms, 3) AS before_p50_ms,
    round(after_p50_ms, 3) AS after_p50_ms,
    p50_verdict,
    round(before_p99_ms, 3) AS before_p99_ms,
    round(after_p99_ms, 3) AS after_p99_ms,
    round(p99_change, 3) AS p99_change,
    p99_verdict
FROM regressions
WHERE ($all OR p50_verdict = 'higher' OR p99_verdict = 'higher')
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
ORDER BY p99_change DESC NULLS LAST, pipeline_name, step_name
