CREATE OR REPLACE FUNCTION rollup.truth_members(account_ids bigint[], since date, until date, metrics text[], dimension_types text[], names text[], less_pending boolean)
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, member bigint, occurrences bigint)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * What the members of accounts are to be: see rollup.truth_totals(). Inlined like it.
 */
SELECT
    e.account_id, z.date, d.dimension_type, d.dimension_id, m.metric, m.member,
    sum(e.sign) AS occurrences
FROM rollup.countable_events(
    truth_members.account_ids, truth_members.since, truth_members.until, truth_members.names,
    truth_members.less_pending
) e
JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
CROSS JOIN LATERAL (
    SELECT (e.at AT TIME ZONE a.timezone)::date AS date
    OFFSET 0
) z
CROSS JOIN LATERAL (
    SELECT m.metric, m.member
    FROM (VALUES
        ('conversation_bot_handoff', 'bot_handoffs_count', e.conversation_id::bigint),
        ('conversation_bot_resolved', 'bot_resolutions_count', e.conversation_id::bigint)
    ) m (event, metric, member)
    WHERE m.event = e.event
    AND m.member IS NOT NULL
    OFFSET 0
) m
JOIN LATERAL (VALUES
    ('account', e.account_id::bigint), ('agent', e.agent::bigint),
    ('inbox', e.inbox::bigint)
) d (dimension_type, dimension_id) ON d.dimension_id IS NOT NULL
WHERE e.event IN ('conversation_bot_handoff', 'conversation_bot_resolved')
AND (truth_members.since IS NULL OR z.date >= truth_members.since)
AND (truth_members.until IS NULL OR z.date < truth_members.until)
AND NOT a.sealed @> z.date
AND (truth_members.metrics IS NULL OR m.metric = ANY (truth_members.metrics))
AND (truth_members.dimension_types IS NULL OR d.dimension_type = ANY (truth_members.dimension_types))
GROUP BY e.account_id, d.dimension_type, m.metric, z.date, d.dimension_id, m.member
HAVING sum(e.sign) <> 0
$function$;

COMMENT ON FUNCTION rollup.truth_members(bigint[], date, date, text[], text[], text[], boolean) IS
    'What members are to be, counted from the events: of accounts (NULL: all), on the days since (inclusive) until (exclusive).';
