-- name: quality_trend
-- question: How did quality change over time?
-- param: bucket hour|day = day | width of one row
-- param: pipeline text = NULL | only this pipeline
-- param: node_type text = NULL | only contracts of this node type
-- param: since time = NULL | only runs started since then
-- chart: line time quality_mean quality_p50
SELECT
    date_trunc($bucket, start_time) AS time,
    count(*) AS runs,
    round(avg(CASE WHEN result = 'success' THEN 1.0 ELSE 0.0 END), 4) AS success_share,
    round(avg(quality_score), 2) AS quality_mean,
    round(p50(quality_score), 2) AS quality_p50,
    round(min(quality_score), 2) AS quality_min,
    sum(error_count) AS errors,
    sum(warning_count) AS warnings
FROM runs
WHERE NOT cached
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND ($node_type IS NULL OR node_type = upper($node_type))
    AND ($since IS NULL OR start_time >= $since)
GROUP BY date_trunc($bucket, start_time)
ORDER BY time
