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
SELECT
    -p.sign AS sign,
    p.account_id, p.event, p.at, p.agent, p.inbox, p.conversation_id, p.value,
    p.value_in_business_hours
FROM rollup.pending_events p
WHERE countable_events.less_pending
AND (
    countable_events.account_ids IS NULL
    OR p.account_id = ANY (countable_events.account_ids)
)
$function$;

COMMENT ON FUNCTION rollup.countable_events(bigint[], date, date, text[], boolean) IS
    'The events from which the truth of accounts (NULL: all) is counted near the days since (inclusive) until (exclusive), less those that are pending if wanted.';
