-- name: model_usage
-- question: What do the models cost, and how fast are they?
-- param: bucket day|week|month = week | width of one row
-- param: since time = 90d | only calls started since then
-- chart: line time cost_usd output_tokens
SELECT
    date_trunc($bucket, start_time) AS time,
    provider_name,
    request_model,
    count(CASE WHEN NOT replayed THEN 1 END) AS calls,
    count(CASE WHEN NOT replayed AND error_type IS NOT NULL THEN 1 END) AS failed,
    coalesce(sum(input_tokens) FILTER (WHERE NOT replayed), 0) AS input_tokens,
    coalesce(sum(output_tokens) FILTER (WHERE NOT replayed), 0) AS output_tokens,
    round(sum(cost_usd) FILTER (WHERE NOT replayed), 6) AS cost_usd,
    round(p50(duration_ns) FILTER (WHERE NOT replayed) / 1e6, 3) AS p50_ms,
    round(p95(duration_ns) FILTER (WHERE NOT replayed) / 1e6, 3) AS p95_ms,
    round(p50(time_to_first_chunk_ns) FILTER (WHERE NOT replayed) / 1e6, 3) AS first_chunk_p50_ms
FROM llm_calls
WHERE start_time >= $since
GROUP BY date_trunc($bucket, start_time), provider_name, request_model
ORDER BY time, provider_name, request_model
