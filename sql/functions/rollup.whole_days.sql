CREATE OR REPLACE FUNCTION rollup.whole_days(since timestamp with time zone, until timestamp with time zone, timezone text)
 RETURNS daterange
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * The days that lie in a range of moments as a whole, in a time zone.
 *
 * A day may come twice: where clocks go back over midnight, and where a zone crosses the date line.
 * So the date just before the range, or just after it, is not the whole answer. What it would be if
 * the clocks had not been changed for 25 hours is asked for as well, and the safe one is taken.
 */
SELECT CASE WHEN d.first < d.after THEN daterange(d.first, d.after) ELSE 'empty' END
FROM (
    SELECT
        1 + greatest(
            (whole_days.since - t.instant) AT TIME ZONE whole_days.timezone,
            (whole_days.since - t.slack) AT TIME ZONE whole_days.timezone + t.slack - t.instant
        )::date AS first,
        least(
            whole_days.until AT TIME ZONE whole_days.timezone,
            (whole_days.until + t.slack) AT TIME ZONE whole_days.timezone - t.slack
        )::date AS after
    FROM (VALUES (interval '25 hours', interval '1 microsecond')) t (slack, instant)
) d
$function$;

COMMENT ON FUNCTION rollup.whole_days(timestamptz, timestamptz, text) IS
    'The days of a time zone that lie as a whole between since (inclusive) and until (exclusive).';
