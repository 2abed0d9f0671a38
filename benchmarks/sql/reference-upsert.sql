-- For pgbench: what Chatwoot writes after the event of event.sql, in a
-- transaction of its own. It knows the event, its metrics and the account's time zone by itself.
\if :name <= 20
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
    :account::integer,
    (now() AT TIME ZONE (ARRAY[
        'America/New_York',
        'Europe/Berlin',
        'Asia/Kolkata',
        'UTC',
        'Australia/Sydney',
        'America/Sao_Paulo',
        'Asia/Tokyo',
        'America/Los_Angeles'
    ])[1 + :account::integer % 8])::date,
    d.dimension_type,
    d.dimension_id,
    m.metric,
    1,
    CASE WHEN m.is_duration THEN :seconds::double precision ELSE 0 END,
    CASE WHEN m.is_duration THEN :seconds::double precision ELSE 0 END,
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
FROM (VALUES
    ('account', :account::bigint),
    ('agent', :agent::bigint),
    ('inbox', :inbox::bigint)
) d (dimension_type, dimension_id)
CROSS JOIN (VALUES
    (1, 10, 'reply_time', true),
    (11, 14, 'first_response', true),
    (15, 18, 'resolutions_count', false),
    (15, 18, 'resolution_time', true),
    (19, 19, 'bot_resolutions_count', false),
    (20, 20, 'bot_handoffs_count', false)
) m (first_name, last_name, metric, is_duration)
WHERE :name BETWEEN m.first_name AND m.last_name
ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
SET
    count = r.count + excluded.count,
    sum_value = r.sum_value + excluded.sum_value,
    sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours,
    updated_at = excluded.updated_at;
\endif
