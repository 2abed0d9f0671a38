-- For pgbench: one upsert for the events of batch.sql, in a transaction of its own. Chatwoot
-- has nothing of the kind; it would write each event and its totals singly. Ids are found by the
-- sequence: right with one client.
INSERT INTO public.reporting_events_rollups AS r (
    account_id,
    date,
    dimension_type,
    dimension_id,
    metric,
    count,
    sum_value,
    sum_value_business_hours,
    created_at,
    updated_at
)
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    count(*),
    coalesce(sum(t.value) FILTER (WHERE t.is_duration), 0),
    coalesce(sum(t.value_in_business_hours) FILTER (WHERE t.is_duration), 0),
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
FROM public.additions t
WHERE t.id > (SELECT currval('public.reporting_events_id_seq')) - :rows
GROUP BY
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric
ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
SET
    count = r.count + excluded.count,
    sum_value = r.sum_value + excluded.sum_value,
    sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours,
    updated_at = excluded.updated_at;
