CREATE OR REPLACE FUNCTION rollup.members_of(events rollup.event[])
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, member bigint, occurrences bigint)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * What events add to members: how often each occurs. Inlined, like rollup.totals_of().
 */
SELECT
    e.account_id, z.date, d.dimension_type, d.dimension_id, m.metric, m.member,
    sum(e.sign) AS occurrences
FROM unnest(members_of.events) e
CROSS JOIN LATERAL (
    SELECT a.timezone
    FROM rollup.accounts a
    WHERE a.account_id = e.account_id
    AND a.timezone IS NOT NULL
    OFFSET 0
) a
CROSS JOIN LATERAL (
    SELECT (e.at AT TIME ZONE a.timezone)::date AS date
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
HAVING sum(e.sign) <> 0
$function$;

COMMENT ON FUNCTION rollup.members_of(rollup.event[]) IS
    'What events add to members, per rollup key and member.';
