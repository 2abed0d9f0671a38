CREATE OR REPLACE FUNCTION rollup.report_days(q rollup.report_request)
 RETURNS date[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * The days that a report reads from rollups, one by one, because an index finds the days of a few years
 * fastest so. NULL where there are more than 5000: all from the first to the last are read then.
 */
SELECT CASE
    WHEN upper(q.days) - lower(q.days) < 5000 THEN ARRAY (
        SELECT d::date
        FROM unnest(q.days) r (days)
        CROSS JOIN generate_series(
            lower(r.days)::timestamp,
            upper(r.days)::timestamp - interval '1 day',
            interval '1 day'
        ) d
    )
END
$function$;

COMMENT ON FUNCTION rollup.report_days(rollup.report_request) IS
    'The days that a report reads from rollups, one by one; NULL: too many to be named.';
