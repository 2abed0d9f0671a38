CREATE OR REPLACE VIEW rollup.current_members AS
SELECT
    n.account_id,
    n.date,
    n.dimension_type,
    n.dimension_id,
    n.metric,
    n.member,
    sum(n.occurrences)::bigint AS occurrences
FROM (
    SELECT
        n.account_id,
        n.date,
        n.dimension_type,
        n.dimension_id,
        n.metric,
        n.member,
        n.occurrences
    FROM rollup.distinct_members n
    UNION ALL
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
) n
GROUP BY
    n.account_id,
    n.date,
    n.dimension_type,
    n.dimension_id,
    n.metric,
    n.member
HAVING sum(n.occurrences) <> 0;

COMMENT ON VIEW rollup.current_members IS
    'What the distinct metrics have counted on each day, exact in every snapshot on covered days.';
