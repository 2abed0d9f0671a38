CREATE OR REPLACE FUNCTION rollup.source_events(account_ids bigint[], since timestamp with time zone, until timestamp with time zone, names text[])
 RETURNS SETOF rollup.event
 LANGUAGE sql
 STABLE
AS $function$
/*
 * The events that the source table holds, of accounts (NULL: all) from since (inclusive) until
 * (exclusive; infinite: no bound) and of some names (NULL: all). Inlined: PostgreSQL puts this query in
 * the place of a call in FROM, so that conditions reach the indexes of the source table.
 */
SELECT 1 AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
    e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
    e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
    CASE WHEN e.value BETWEEN -1e15 AND 1e15
        THEN e.value::double precision END
        AS value,
    CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
        THEN e.value_in_business_hours::double precision END
        AS value_in_business_hours
FROM public.reporting_events e
WHERE e.account_id IS NOT NULL
AND e.name::text IN (
    'conversation_resolved', 'first_response', 'reply_time',
    'conversation_bot_resolved', 'conversation_bot_handoff'
)
AND e.created_at >= '0001-01-01 00:00'
AND e.created_at < '10000-01-01 00:00'

AND (source_events.account_ids IS NULL OR e.account_id = ANY (source_events.account_ids))
AND e.created_at >= source_events.since AT TIME ZONE 'UTC'
AND e.created_at < source_events.until AT TIME ZONE 'UTC'
AND (source_events.names IS NULL OR e.name::text = ANY (source_events.names))
$function$;

COMMENT ON FUNCTION rollup.source_events(bigint[], timestamp with time zone, timestamp with time zone, text[]) IS
    'The events that the source table holds, of accounts (NULL: all) from since (inclusive) until (exclusive) and of names (NULL: all).';
