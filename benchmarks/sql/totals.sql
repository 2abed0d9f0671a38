/*
    All daily totals, as one would ask for them by hand. Views cost nothing until they are asked.
*/

-- What each event adds to: one row for every metric and dimension of it.
CREATE VIEW public.additions AS
SELECT
    e.id,
    e.account_id,
    (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date,
    d.dimension_type,
    d.dimension_id,
    m.metric,
    m.is_duration,
    e.value,
    e.value_in_business_hours
FROM public.reporting_events e
JOIN public.account_zones a USING (account_id)
JOIN (VALUES
    ('conversation_resolved', 'resolutions_count', false),
    ('conversation_resolved', 'resolution_time', true),
    ('first_response', 'first_response', true),
    ('reply_time', 'reply_time', true),
    ('conversation_bot_resolved', 'bot_resolutions_count', false),
    ('conversation_bot_handoff', 'bot_handoffs_count', false)
) m (name, metric, is_duration) USING (name)
CROSS JOIN LATERAL (VALUES
    ('account', e.account_id),
    ('agent', e.user_id),
    ('inbox', e.inbox_id)
) d (dimension_type, dimension_id)
WHERE d.dimension_id IS NOT NULL;

-- The totals that only add: hand-offs are counted by event.
CREATE VIEW public.additive_totals AS
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    count(*) AS count,
    count(t.value) FILTER (WHERE t.is_duration) AS value_count,
    coalesce(sum(t.value) FILTER (WHERE t.is_duration), 0) AS sum_value,
    count(t.value_in_business_hours) FILTER (WHERE t.is_duration) AS business_hours_count,
    coalesce(sum(t.value_in_business_hours) FILTER (WHERE t.is_duration), 0)
        AS sum_value_business_hours
FROM public.additions t
GROUP BY
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric;

-- The totals as we keep them: hand-offs are counted by conversation.
CREATE VIEW public.bare_totals AS
SELECT t.*
FROM public.additive_totals t
WHERE t.metric <> 'bot_handoffs_count'
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
    JOIN public.account_zones a USING (account_id)
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
