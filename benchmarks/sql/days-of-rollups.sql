/* The same from the rollups. */
SELECT
    r.date,
    r.count,
    r.sum_value / nullif(r.value_count, 0) AS average
FROM rollup.current_rollups r
WHERE r.account_id = 1
AND r.dimension_type = 'account'
AND r.dimension_id = 1
AND r.metric = 'first_response'
AND r.date >= current_date - 730
ORDER BY r.date
