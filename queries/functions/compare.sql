-- name: compare
-- question: What is different between two batches, and is it more than chance?
-- param: before text | a batch: its id, how the id begins, or its name
-- param: after text | another
-- column: measure text | contracts, result, quality, latency p50, latency p95, issues or model
-- column: name text | of a latency the step, of issues the rule, of a result what became of the contracts
-- column: n_before bigint | values in the one
-- column: n_after bigint | values in the other
-- column: before double | the value in the one: a count, a score, or milliseconds
-- column: after double | the value in the other
-- column: change double | after held against before: 0.1 is ten percent more
-- column: appeared bigint | issues, or contracts, that only the other has
-- column: gone bigint | issues, or contracts, that only the one has
-- column: verdict text | comparable or not; better, worse, same or too few; higher, lower, same or too few
WITH sides AS (
    SELECT 'before' AS side, the_one('batch', $before, count(DISTINCT batch_id), min(batch_id)) AS batch_id
    FROM (
        SELECT batch_id FROM runs WHERE batch_id >= $before AND batch_id < $before || '~'
        UNION ALL
        SELECT batch_id FROM batches WHERE name = $before
    ) one
    UNION ALL
    SELECT 'after', the_one('batch', $after, count(DISTINCT batch_id), min(batch_id))
    FROM (
        SELECT batch_id FROM runs WHERE batch_id >= $after AND batch_id < $after || '~'
        UNION ALL
        SELECT batch_id FROM batches WHERE name = $after
    ) other
),
all_runs AS (
    SELECT side, r.*
    FROM sides
    JOIN runs r ON r.batch_id = sides.batch_id
),
contract AS (
    SELECT
        contract_name,
        bool_or(side = 'before') AS in_before,
        bool_or(side = 'after') AS in_after,
        count(DISTINCT contract_digest) AS contents,
        bool_and(result = 'success') FILTER (WHERE side = 'before') AS was_good,
        bool_and(result = 'success') FILTER (WHERE side = 'after') AS is_good
    FROM all_runs
    GROUP BY contract_name
),
run AS ( -- what follows is about contracts that both have
    SELECT r.*
    FROM all_runs r
    JOIN contract c ON (c.contract_name IS NOT DISTINCT FROM r.contract_name) AND c.in_before AND c.in_after
),
step AS (
    SELECT
        s.step_name,
        hdr(CASE WHEN r.side = 'before' THEN s.duration_ns / 1000 END) AS before,
        hdr(CASE WHEN r.side = 'after' THEN s.duration_ns / 1000 END) AS after
    FROM run r
    JOIN steps s ON s.run_id = r.run_id
    WHERE NOT s.cached AND s.result <> 'skip'
    GROUP BY s.step_name
),
quality AS (
    SELECT
        count(quality_score) FILTER (WHERE side = 'before') AS n_before,
        count(quality_score) FILTER (WHERE side = 'after') AS n_after,
        avg(quality_score) FILTER (WHERE side = 'before') AS before,
        avg(quality_score) FILTER (WHERE side = 'after') AS after,
        hdr(CASE WHEN side = 'before' THEN (quality_score * 100)::bigint END) AS h_before,
        hdr(CASE WHEN side = 'after' THEN (quality_score * 100)::bigint END) AS h_after
    FROM run
),
issue AS (
    SELECT
        r.contract_name,
        i.rule_id,
        i.fingerprint,
        bool_or(r.side = 'before') AS in_before,
        bool_or(r.side = 'after') AS in_after
    FROM run r
    JOIN issues i ON i.run_id = r.run_id
    WHERE NOT i.suppressed
    GROUP BY r.contract_name, i.rule_id, i.fingerprint
),
rule AS (
    SELECT
        rule_id,
        count(CASE WHEN in_before THEN 1 END) AS before,
        count(CASE WHEN in_after THEN 1 END) AS after,
        count(CASE WHEN NOT in_before THEN 1 END) AS appeared,
        count(CASE WHEN NOT in_after THEN 1 END) AS gone
    FROM issue
    GROUP BY rule_id
),
model AS (
    SELECT
        l.request_model,
        count(CASE WHEN r.side = 'before' THEN 1 END) AS n_before,
        count(CASE WHEN r.side = 'after' THEN 1 END) AS n_after,
        coalesce(sum(CASE WHEN r.side = 'before' THEN l.input_tokens + l.output_tokens END), 0) AS before,
        coalesce(sum(CASE WHEN r.side = 'after' THEN l.input_tokens + l.output_tokens END), 0) AS after
    FROM run r
    JOIN llm_calls l ON l.run_id = r.run_id
    GROUP BY l.request_model
),
line AS (
    SELECT
        1 AS place, 'contracts' AS measure, '' AS name,
        count(CASE WHEN in_before THEN 1 END) AS n_before,
        count(CASE WHEN in_after THEN 1 END) AS n_after,
        count(CASE WHEN in_before THEN 1 END)::double AS before,
        count(CASE WHEN in_after THEN 1 END)::double AS after,
        count(CASE WHEN NOT in_before THEN 1 END) AS appeared,
        count(CASE WHEN NOT in_after THEN 1 END) AS gone,
        CASE
            WHEN bool_and(in_before AND in_after) AND max(contents) <= 1 THEN 'comparable'
            WHEN bool_and(in_before AND in_after) THEN 'comparable but for contracts that changed'
            ELSE 'only contracts of both are compared'
        END AS verdict
    FROM contract
    UNION ALL
    SELECT
        2, 'result', 'success',
        count(*) AS n_before,
        count(*) AS n_after,
        count(CASE WHEN was_good THEN 1 END)::double,
        count(CASE WHEN is_good THEN 1 END)::double,
        count(CASE WHEN is_good AND NOT was_good THEN 1 END),
        count(CASE WHEN was_good AND NOT is_good THEN 1 END),
        CASE
            WHEN count(CASE WHEN was_good <> is_good THEN 1 END) = 0 THEN 'same'
            WHEN count(CASE WHEN was_good THEN 1 END) > count(CASE WHEN is_good THEN 1 END) THEN 'worse'
            WHEN count(CASE WHEN was_good THEN 1 END) < count(CASE WHEN is_good THEN 1 END) THEN 'better'
            ELSE 'different'
        END
    FROM contract
    WHERE in_before AND in_after
    UNION ALL
    SELECT
        3, 'quality', 'mean score', n_before, n_after, before, after, NULL, NULL,
        CASE hdr_verdict(h_before, h_after, 0.5) WHEN 'higher' THEN 'better' WHEN 'lower' THEN 'worse' ELSE hdr_verdict(h_before, h_after, 0.5) END
    FROM quality
    UNION ALL
    SELECT
        4, 'latency p50', step_name, hdr_count(before), hdr_count(after),
        hdr_quantile(before, 0.5) / 1e3, hdr_quantile(after, 0.5) / 1e3, NULL, NULL,
        CASE hdr_verdict(before, after, 0.5) WHEN 'higher' THEN 'worse' WHEN 'lower' THEN 'better' ELSE hdr_verdict(before, after, 0.5) END
    FROM step
    UNION ALL
    SELECT
        5, 'latency p95', step_name, hdr_count(before), hdr_count(after),
        hdr_quantile(before, 0.95) / 1e3, hdr_quantile(after, 0.95) / 1e3, NULL, NULL,
        CASE hdr_verdict(before, after, 0.95) WHEN 'higher' THEN 'worse' WHEN 'lower' THEN 'better' ELSE hdr_verdict(before, after, 0.95) END
    FROM step
    UNION ALL
    SELECT
        6, 'issues', rule_id, before AS n_before, after AS n_after, before::double, after::double, appeared, gone,
        CASE WHEN appeared = 0 AND gone = 0 THEN 'same' WHEN after > before THEN 'worse' WHEN after < before THEN 'better' ELSE 'different' END
    FROM rule
    UNION ALL
    SELECT 7, 'model', request_model, n_before, n_after, before::double AS tokens_before, after::double, NULL, NULL, NULL
    FROM model
)
SELECT
    measure, name, n_before, n_after, before, after,
    after / nullif(before, 0) - 1 AS change,
    appeared, gone, verdict
FROM line
ORDER BY place, name
LIMIT 9223372036854775807 -- without one, the order of a subquery is nobody's concern
