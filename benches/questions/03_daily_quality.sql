-- How good is the code, day by day and over seven days?
WITH days AS (
    SELECT date_trunc('day', start_time) AS day, count(*) AS n, avg(quality_score) AS quality
    FROM runs
    WHERE quality_score IS NOT NULL
    GROUP BY date_trunc('day', start_time)
)
SELECT
    day,
    n,
    quality,
    avg(quality) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week_quality
FROM days
ORDER BY day
