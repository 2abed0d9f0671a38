CREATE OR REPLACE VIEW rollup.current_rollups AS
SELECT
    r.account_id,
    r.date,
    r.dimension_type,
    r.dimension_id,
    r.metric,
    sum(r.count)::bigint AS count,
    sum(r.value_count)::bigint AS value_count,
    sum(r.sum_value) AS sum_value,
    sum(r.business_hours_count)::bigint AS business_hours_count,
    sum(r.sum_value_business_hours) AS sum_value_business_hours
FROM (
    SELECT
        r.account_id,
        r.date,
        r.dimension_type,
        r.dimension_id,
        r.metric,
        r.count,
        r.value_count,
        r.sum_value,
        r.business_hours_count,
        r.sum_value_business_hours
    FROM public.reporting_events_rollups r
    UNION ALL
    SELECT
        e.account_id AS account_id,
        z.date,
        d.dimension_type,
        d.dimension_id,
        m.metric,
        e.sign::bigint AS count,
        (CASE
            WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign
            ELSE 0
        END)::bigint AS value_count,
        coalesce(
            CASE WHEN m.is_duration THEN e.sign * e.value END,
            0
        ) AS sum_value,
        (CASE
            WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign
            ELSE 0
        END)::bigint AS business_hours_count,
        coalesce(
            CASE WHEN m.is_duration THEN e.sign * e.value_in_business_hours END,
            0
        ) AS sum_value_business_hours
    FROM (
        SELECT
            p.sign,
            p.account_id,
            p.name,
            p.created_at,
            p.user_id,
            p.inbox_id,
            p.conversation_id,
            p.value,
            p.value_in_business_hours
        FROM rollup.pending_events p
    ) e
    JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT a.timezone
        WHERE rollup.knows_timezone(a.timezone)
        OFFSET 0
    ) k
    CROSS JOIN LATERAL (
        SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE k.timezone)::date AS date
        OFFSET 0
    ) z
    JOIN (
        VALUES
            ('conversation_resolved', 'resolutions_count', false),
            ('conversation_resolved', 'resolution_time', true),
            ('first_response', 'first_response', true),
            ('reply_time', 'reply_time', true),
            ('conversation_bot_resolved', 'bot_resolutions_count', false)
    ) m (name, metric, is_duration) ON m.name = e.name
    CROSS JOIN LATERAL (VALUES
        ('account', e.account_id::bigint),
        ('agent', e.user_id::bigint),
        ('inbox', e.inbox_id::bigint)
    ) d (dimension_type, dimension_id)
    WHERE d.dimension_id IS NOT NULL
    UNION ALL
    SELECT
        t.account_id,
        t.date,
        t.dimension_type,
        t.dimension_id,
        t.metric,
        sum(
            (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
            - (coalesce(n.occurrences, 0) > 0)::integer
        ) AS count,
        0 AS value_count,
        0 AS sum_value,
        0 AS business_hours_count,
        0 AS sum_value_business_hours
    FROM (
        SELECT
            e.account_id AS account_id,
            z.date,
            d.dimension_type,
            d.dimension_id,
            m.metric,
            m.member,
            sum(e.sign) AS occurrences
        FROM (
            SELECT
                p.sign,
                p.account_id,
                p.name,
                p.created_at,
                p.user_id,
                p.inbox_id,
                p.conversation_id,
                p.value,
                p.value_in_business_hours
            FROM rollup.pending_events p
        ) e
        JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT a.timezone
            WHERE rollup.knows_timezone(a.timezone)
            OFFSET 0
        ) k
        CROSS JOIN LATERAL (
            SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE k.timezone)::date AS date
            OFFSET 0
        ) z
        JOIN LATERAL (VALUES
            ('conversation_bot_handoff', 'bot_handoffs_count', e.conversation_id::bigint),
            ('conversation_bot_resolved', 'bot_resolutions_count', e.conversation_id::bigint)
        ) m (name, metric, member) ON m.name = e.name
        CROSS JOIN LATERAL (VALUES
            ('account', e.account_id::bigint),
            ('agent', e.user_id::bigint),
            ('inbox', e.inbox_id::bigint)
        ) d (dimension_type, dimension_id)
        WHERE d.dimension_id IS NOT NULL
        AND m.member IS NOT NULL
        AND e.name IN (
            'conversation_bot_handoff',
            'conversation_bot_resolved'
        )
        GROUP BY
            e.account_id,
            d.dimension_type,
            m.metric,
            z.date,
            d.dimension_id,
            m.member
        HAVING sum(e.sign) <> 0
    ) t
    LEFT JOIN rollup.distinct_members n
        USING (account_id, date, dimension_type, dimension_id, metric, member)
    WHERE t.metric IN ('bot_handoffs_count')
    GROUP BY
        t.account_id,
        t.dimension_type,
        t.metric,
        t.date,
        t.dimension_id
) r
GROUP BY
    r.account_id,
    r.date,
    r.dimension_type,
    r.dimension_id,
    r.metric
HAVING sum(r.count) <> 0;

COMMENT ON VIEW rollup.current_rollups IS
    'Daily totals, exact in every snapshot on covered days: what is recorded and what is pending.';
