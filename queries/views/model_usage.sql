-- name: model_usage
-- question: What did each model cost, and how fast was it, day by day?
-- column: day timestamp | the day
-- column: provider_name text | who serves the model
-- column: request_model text | the model that was asked for
-- column: calls bigint | calls, answers from recordings not counted
-- column: failed bigint | calls that ended in an error
-- column: replayed bigint | answers from recordings
-- column: input_tokens bigint | tokens sent
-- column: output_tokens bigint | tokens received
-- column: cost_usd double | price in US dollars; NULL where no price is known
-- column: p50_ms double | median time to the last byte
-- column: p95_ms double | P95 of it
-- column: first_chunk_p50_ms double | median time to the first chunk
-- column: tokens_per_s double | tokens received per second of a call
SELECT
    date_trunc('day', start_time) AS day,
    provider_name,
    request_model,
    count(CASE WHEN NOT replayed THEN 1 END) AS calls,
    count(CASE WHEN NOT replayed AND error_type IS NOT NULL THEN 1 END) AS failed,
    count(CASE WHEN replayed THEN 1 END) AS replayed,
    sum(input_tokens) FILTER (WHERE NOT replayed) AS input_tokens,
    sum(output_tokens) FILTER (WHERE NOT replayed) AS output_tokens,
    sum(cost_usd) FILTER (WHERE NOT replayed) AS cost_usd,
    p50(duration_ns) FILTER (WHERE NOT replayed) / 1e6 AS p50_ms,
    p95(duration_ns) FILTER (WHERE NOT replayed) / 1e6 AS p95_ms,
    p50(time_to_first_chunk_ns) FILTER (WHERE NOT replayed) / 1e6 AS first_chunk_p50_ms,
    sum(output_tokens) FILTER (WHERE NOT replayed) * 1e9
        / nullif(sum(duration_ns) FILTER (WHERE NOT replayed), 0) AS tokens_per_s
FROM llm_calls
GROUP BY date_trunc('day', start_time), provider_name, request_model
