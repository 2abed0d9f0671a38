CREATE OR REPLACE VIEW rollup.pending_members AS
SELECT
    e.account_id, z.date, d.dimension_type, d.dimension_id, m.metric, m.member,
    sum(e.sign) AS occurrences
FROM rollup.pending_events e
JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
CROSS JOIN LATERAL (
    SELECT a.timezone
    WHERE rollup.knows_timezone(a.timezone)
    OFFSET 0
) k
CROSS JOIN LATERAL (
    SELECT (e.at AT TIME ZONE k.timezone)::date AS date
    OFFSET 0
) z
JOIN LATERAL (VALUES
    ('conversation_bot_handoff', 'bot_handoffs_count', e.conversation_id::bigint),
    ('conversation_bot_resolved', 'bot_resolutions_count', e.conversation_id::bigint)
) m (event, metric, member) ON m.event = e.event AND m.member IS NOT NULL
JOIN LATERAL (VALUES
    ('account', e.account_id::bigint), ('agent', e.agent::bigint),
    ('inbox', e.inbox::bigint)
) d (dimension_type, dimension_id) ON d.dimension_id IS NOT NULL
WHERE e.event IN ('conversation_bot_handoff', 'conversation_bot_resolved')
GROUP BY e.account_id, d.dimension_type, m.metric, z.date, d.dimension_id, m.member
HAVING sum(e.sign) <> 0;

COMMENT ON VIEW rollup.pending_members IS
    'What pending events change in the members that are recorded.';
