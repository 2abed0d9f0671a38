CREATE OR REPLACE FUNCTION rollup.countable_events(account_ids bigint[], since date, until date, names text[], less_pending boolean)
 RETURNS SETOF rollup.event
 LANGUAGE sql
 STABLE
AS $function$
/*
 * The events from which the truth of accounts (NULL: all) on days since (inclusive) until (exclusive; NULL:
 * no bound) is counted, of some names (NULL: all), less those that are pending where less_pending says so.
 * See rollup.events_near(). Inlined like it.
 */
SELECT *
FROM rollup.events_near(
    countable_events.account_ids, countable_events.since, countable_events.until,
    countable_events.names
)
UNION ALL
SELECT -p.sign AS sign, p.account_id::bigint AS account_id, p.name::text AS event,
    p.created_at AT TIME ZONE 'UTC' AS at, p.user_id::bigint AS agent,
    p.inbox_id::bigint AS inbox, p.conversation_id::bigint AS conversation_id,
    p.value AS value, p.value_in_business_hours AS value_in_business_hours
FROM rollup.pending_events p
WHERE countable_events.less_pending
AND (
    countable_events.account_ids IS NULL
    OR p.account_id = ANY (countable_events.account_ids)
)
$function$;

COMMENT ON FUNCTION rollup.countable_events(bigint[], date, date, text[], boolean) IS
    'The events from which the truth of accounts (NULL: all) is counted near the days since (inclusive) until (exclusive), less those that are pending if wanted.';
