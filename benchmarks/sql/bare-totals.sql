/*
    All daily totals, as one would ask for them by hand, and a table to put them into.
*/
CREATE VIEW public.bare_totals AS
SELECT
    e.account_id,
    e.date,
    d.dimension_type,
    d.dimension_id,
    m.metric,
    count(*) AS count,
    count(e.value) FILTER (WHERE m.is_duration) AS value_count,
    coalesce(sum(e.value) FILTER (WHERE m.is_duration), 0) AS sum_value,
    count(e.value_in_business_hours) FILTER (WHERE m.is_duration) AS business_hours_count,
    coalesce(sum(e.value_in_business_hours) FILTER (WHERE m.is_duration), 0)
        AS sum_value_business_hours
FROM (
    SELECT
        e.*,
        (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
    FROM public.reporting_events e
    JOIN rollup.accounts a USING (account_id)
) e
JOIN (VALUES
    ('conversation_resolved', 'resolutions_count', false),
    ('conversation_resolved', 'resolution_time', true),
    ('first_response', 'first_response', true),
    ('reply_time', 'reply_time', true),
    ('conversation_bot_resolved', 'bot_resolutions_count', false)
) m (name, metric, is_duration) USING (name)
CROSS JOIN LATERAL (VALUES
    ('account', e.account_id),
    ('agent', e.user_id),
    ('inbox', e.inbox_id)
) d (dimension_type, dimension_id)
WHERE d.dimension_id IS NOT NULL
GROUP BY
    e.account_id,
    e.date,
    d.dimension_type,
    d.dimension_id,
    m.metric
UNION ALL
SELECT
    e.account_id,
    e.date,
    d.dimension_type,
    d.dimension_id,
    'bot_handoffs_count',
    count(DISTINCT e.conversation_id),
    0,
    0,
    0,
    0
FROM (
    SELECT
        e.*,
        (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
    FROM public.reporting_events e
    JOIN rollup.accounts a USING (account_id)
    WHERE e.name = 'conversation_bot_handoff'
    AND e.conversation_id IS NOT NULL
) e
CROSS JOIN LATERAL (VALUES
    ('account', e.account_id),
    ('agent', e.user_id),
    ('inbox', e.inbox_id)
) d (dimension_type, dimension_id)
WHERE d.dimension_id IS NOT NULL
GROUP BY
    e.account_id,
    e.date,
    d.dimension_type,
    d.dimension_id;

CREATE TABLE public.bare_rollups (LIKE public.reporting_events_rollups INCLUDING ALL);
