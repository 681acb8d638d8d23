-- name: templates
-- question: How good are the packages of each state of the templates?
-- param: node_type text = NULL | only contracts of this node type
-- param: limit int = 20 | rows
-- chart: bar template quality_mean
SELECT
    left(coalesce(template_digest, ''), 12) AS template,
    node_type,
    min(start_time) AS first_run,
    max(start_time) AS last_run,
    count(*) AS runs,
    round(avg(CASE WHEN result = 'success' THEN 1.0 ELSE 0.0 END), 4) AS success_share,
    round(avg(quality_score), 2) AS quality_mean,
    round(quantile(quality_score, 0.1), 2) AS quality_p10
FROM runs
WHERE NOT cached
    AND template_digest IS NOT NULL
    AND ($node_type IS NULL OR node_type = upper($node_type))
GROUP BY left(coalesce(template_digest, ''), 12), node_type
ORDER BY last_run DESC, template, node_type
LIMIT $limit
