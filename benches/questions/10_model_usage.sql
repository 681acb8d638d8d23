-- What does each model use and cost, week by week?
SELECT
    date_trunc('week', start_time) AS week,
    request_model,
    count(*) AS calls,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_usd) AS cost_usd
FROM llm_calls
GROUP BY date_trunc('week', start_time), request_model
ORDER BY week, request_model
