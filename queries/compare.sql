-- name: compare
-- question: What is different between two batches, and is it more than chance?
-- param: before text | a batch: its id, how the id begins, or its name
-- param: after text | another
-- param: all bool = false | also what is the same
-- chart: bar name change
SELECT
    measure,
    name,
    n_before,
    n_after,
    round(before, 3) AS before,
    round(after, 3) AS after,
    round(change, 4) AS change,
    appeared,
    gone,
    verdict
FROM compare($before, $after)
WHERE $all OR verdict IS NULL OR verdict NOT IN ('same', 'too few')
