-- name: cost_per_success
-- question: What does a package cost that is good enough, per generator and model?
-- param: quality float = 0 | the least score that counts as good enough
-- param: since time = NULL | only runs started since then
-- chart: bar request_model tokens_per_success
SELECT
    coalesce(generator, '') AS generator,
    coalesce(request_model, '') AS request_model,
    count(*) AS runs,
    count(CASE WHEN result = 'success' AND coalesce(quality_score, 0) >= $quality THEN 1 END) AS good,
    round(avg(quality_score), 2) AS quality_mean,
    coalesce(sum(input_tokens), 0) + coalesce(sum(output_tokens), 0) AS tokens,
    round(
        (coalesce(sum(input_tokens), 0) + coalesce(sum(output_tokens), 0)) * 1.0
            / nullif(count(CASE WHEN result = 'success' AND coalesce(quality_score, 0) >= $quality THEN 1 END), 0), 1
    ) AS tokens_per_success,
    round(
        sum(cost_usd)
            / nullif(count(CASE WHEN result = 'success' AND coalesce(quality_score, 0) >= $quality THEN 1 END), 0), 6
    ) AS cost_per_success_usd,
    round(p50(duration_ns) / 1e6, 3) AS p50_ms
FROM runs
WHERE NOT cached
    AND ($since IS NULL OR start_time >= $since)
GROUP BY coalesce(generator, ''), coalesce(request_model, '')
ORDER BY runs DESC, generator, request_model
