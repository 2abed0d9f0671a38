CREATE OR REPLACE VIEW rollup.current_rollups AS
SELECT
    r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric,
    sum(r.count)::bigint AS count,
    sum(r.value_count)::bigint AS value_count,
    sum(r.sum_value) AS sum_value,
    sum(r.business_hours_count)::bigint AS business_hours_count,
    sum(r.sum_value_business_hours) AS sum_value_business_hours
FROM rollup.unsummed_totals r
GROUP BY r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric
HAVING sum(r.count) <> 0;

COMMENT ON VIEW rollup.current_rollups IS
    'Daily totals, exact in every snapshot on covered days: what is recorded and what is pending.';
