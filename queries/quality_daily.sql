-- name: quality_daily
-- question: How good are the runs of a day, and of the seven days up to it?
-- param: pipeline text = NULL | only this pipeline
-- param: since time = 90d | from then on
-- chart: line day quality_mean quality_7d_mean
SELECT
    day,
    pipeline_name,
    runs,
    round(success_share, 4) AS success_share,
    round(success_share_lower, 4) AS success_share_lower,
    round(quality_mean, 2) AS quality_mean,
    round(quality_p10, 2) AS quality_p10,
    round(quality_7d_mean, 2) AS quality_7d_mean,
    issues
FROM quality_daily
WHERE ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND day >= date_trunc('day', $since)
ORDER BY day, pipeline_name
