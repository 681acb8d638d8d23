-- name: quality_daily
-- question: How good were the runs, day by day?
-- column: day timestamp | the day on which the runs started
-- column: pipeline_name text | the pipeline
-- column: runs bigint | runs, those taken over from an earlier batch not counted
-- column: succeeded bigint | runs that succeeded
-- column: success_share double | succeeded of runs
-- column: success_share_lower double | how low the share may really be (Wilson, 95 %)
-- column: quality_mean double | mean quality score, 0 to 100
-- column: quality_p10 double | a tenth of the runs scored less
-- column: quality_7d_mean double | mean of the last seven days, weighted by runs
-- column: issues bigint | errors and warnings found
WITH days AS (
    SELECT
        date_trunc('day', start_time) AS day,
        pipeline_name,
        count(*) AS runs,
        count(CASE WHEN result = 'success' THEN 1 END) AS succeeded,
        count(quality_score) AS scored,
        sum(quality_score) AS quality_sum,
        quantile(quality_score, 0.1) AS quality_p10,
        sum(error_count + warning_count) AS issues
    FROM runs
    WHERE NOT cached
    GROUP BY date_trunc('day', start_time), pipeline_name
)
SELECT
    day,
    pipeline_name,
    runs,
    succeeded,
    succeeded * 1.0 / runs AS success_share,
    wilson_lower(succeeded, runs) AS success_share_lower,
    quality_sum / nullif(scored, 0) AS quality_mean,
    quality_p10,
    sum(quality_sum) OVER last_week / nullif(sum(scored) OVER last_week, 0) AS quality_7d_mean,
    issues
FROM days
WINDOW last_week AS (
    PARTITION BY pipeline_name ORDER BY day RANGE BETWEEN INTERVAL '6 days' PRECEDING AND CURRENT ROW
)
