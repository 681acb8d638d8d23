-- Which steps take the time of each pipeline?
WITH work AS (
    SELECT pipeline_name, step_name, count(*) AS n, sum(duration_ns) AS critical_ns
    FROM steps
    WHERE on_critical_path
    GROUP BY pipeline_name, step_name
)
SELECT
    pipeline_name,
    step_name,
    n,
    critical_ns,
    critical_ns * 1.0 / sum(critical_ns) OVER (PARTITION BY pipeline_name) AS share
FROM work
ORDER BY pipeline_name, critical_ns DESC
