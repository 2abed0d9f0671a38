CREATE OR REPLACE VIEW rollup.unsummed_totals AS
SELECT
    r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric,
    r.count, r.value_count, r.sum_value, r.business_hours_count, r.sum_value_business_hours
FROM public.reporting_events_rollups r
UNION ALL
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    t.count, t.value_count, t.sum_value, t.business_hours_count, t.sum_value_business_hours
FROM rollup.pending_totals t;

COMMENT ON VIEW rollup.unsummed_totals IS
    'Totals with all that is known of them, what is recorded and what is pending; their sums are exact in every snapshot on covered days.';
