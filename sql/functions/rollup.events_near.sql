CREATE OR REPLACE FUNCTION rollup.events_near(account_ids bigint[], since date, until date, names text[])
 RETURNS SETOF rollup.event
 LANGUAGE sql
 STABLE
AS $function$
/*
 * The events of accounts (NULL: all) and of some names (NULL: all) near the days since (inclusive) until
 * (exclusive; NULL: no bound). Two days of slack are enough for every time zone: the caller picks exactly.
 * Inlined, like rollup.source_events().
 */
SELECT *
FROM rollup.source_events(
    events_near.account_ids,
    (least(greatest(events_near.since, '0001-01-03'), '10000-01-03') - 2)::timestamp AT TIME ZONE 'UTC',
    (greatest(least(events_near.until, '10000-01-01'), '0001-01-01') + 2)::timestamp AT TIME ZONE 'UTC',
    events_near.names
)
$function$;

COMMENT ON FUNCTION rollup.events_near(bigint[], date, date, text[]) IS
    'The events of accounts (NULL: all) and names (NULL: all) near the days since (inclusive) until (exclusive).';
