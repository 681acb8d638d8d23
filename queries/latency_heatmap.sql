-- name: latency_heatmap
-- question: How are the durations of a step spread, day by day?
-- param: step text | the step
-- param: pipeline text = NULL | only this pipeline
-- param: since time = 30d | from then on
-- chart: bar to_ms n
SELECT
    date_trunc('day', start_time) AS day,
    round(power(2, ceil(log2(greatest(duration_ns / 1e6, 0.001)))), 6) AS to_ms, -- a column per doubling
    count(*) AS n,
    bar(count(*), max(count(*)) OVER (PARTITION BY date_trunc('day', start_time)), 20) AS share
FROM steps
WHERE result <> 'skip'
    AND NOT cached
    AND step_name = $step
    AND ($pipeline IS NULL OR pipeline_name = $pipeline)
    AND start_time >= $since
GROUP BY date_trunc('day', start_time), round(power(2, ceil(log2(greatest(duration_ns / 1e6, 0.001)))), 6)
ORDER BY day, to_ms
