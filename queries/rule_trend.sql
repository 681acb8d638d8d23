-- name: rule_trend
-- question: Which rules find more, or less, than they used to?
-- param: since time = 30d | days looked at
-- param: limit int = 20 | rows
-- chart: bar rule_id share_per_day
SELECT
    rule_id,
    level,
    count(*) AS days,
    sum(issues) AS issues,
    round(first_value(run_share ORDER BY day), 4) AS first_share,
    round(last_value(run_share ORDER BY day), 4) AS last_share,
    round(slope(run_share, day), 6) AS share_per_day
FROM (
    SELECT rule_id, level, day, issues, run_share FROM rule_trend WHERE day >= date_trunc('day', $since)
) t
GROUP BY rule_id, level
ORDER BY abs(coalesce(slope(run_share, day), 0)) DESC, issues DESC, rule_id, level
LIMIT $limit
