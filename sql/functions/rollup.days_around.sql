CREATE OR REPLACE FUNCTION rollup.days_around(since timestamp with time zone, until timestamp with time zone)
 RETURNS datemultirange
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * The days that moments since (inclusive) until (exclusive; NULL: no bound) can fall on in any time zone:
 * those in UTC, and a day more on each side.
 */
SELECT datemultirange(daterange(
    (days_around.since AT TIME ZONE 'UTC')::date - 1,
    ((days_around.until - interval '1 microsecond') AT TIME ZONE 'UTC')::date + 2
))
$function$;

COMMENT ON FUNCTION rollup.days_around(timestamp with time zone, timestamp with time zone) IS
    'The days that moments since (inclusive) until (exclusive; NULL: no bound) can fall on in any time zone.';
