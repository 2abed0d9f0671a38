CREATE OR REPLACE FUNCTION rollup.moments_outside(days datemultirange, since timestamp with time zone, until timestamp with time zone, timezone text)
 RETURNS tstzmultirange
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * The moments of a range that may belong to other days than the given ones, in a time zone: all that
 * do, and where clocks are changed near the end of a day some that do not. See rollup.whole_days().
 */
SELECT coalesce(range_agg(m.moments), '{}')
FROM unnest('{(,)}'::datemultirange - moments_outside.days) o (days)
CROSS JOIN (VALUES (interval '25 hours')) t (slack)
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN lower_inf(o.days) THEN moments_outside.since
            ELSE greatest(
                moments_outside.since,
                least(
                    lower(o.days)::timestamp AT TIME ZONE moments_outside.timezone,
                    (lower(o.days) - t.slack) AT TIME ZONE moments_outside.timezone + t.slack
                )
            )
        END AS since,
        CASE
            WHEN upper_inf(o.days) THEN moments_outside.until
            ELSE least(
                moments_outside.until,
                greatest(
                    upper(o.days)::timestamp AT TIME ZONE moments_outside.timezone,
                    (upper(o.days) + t.slack) AT TIME ZONE moments_outside.timezone - t.slack
                )
            )
        END AS until
) b
CROSS JOIN LATERAL (
    SELECT tstzrange(b.since, b.until) AS moments
    WHERE b.since < b.until
) m
$function$;

COMMENT ON FUNCTION rollup.moments_outside(datemultirange, timestamptz, timestamptz, text) IS
    'The moments between since (inclusive) and until (exclusive) outside of days of a time zone.';
