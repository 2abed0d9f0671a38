CREATE OR REPLACE FUNCTION rollup.are_same_days(days daterange, one text, other text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether some days begin and end at the same moments in two time zones, as they do under two names
 * of one zone. NULL where a zone is NULL. Where midnight comes twice, a day begins earlier than its
 * midnight tells: so the clocks are to agree a day before, too. See rollup.whole_days().
 */
SELECT CASE
    WHEN are_same_days.one = are_same_days.other THEN true
    WHEN are_same_days.one IS NULL OR are_same_days.other IS NULL THEN NULL
    ELSE NOT EXISTS (
        SELECT
        FROM generate_series(
            lower(are_same_days.days)::timestamp,
            upper(are_same_days.days)::timestamp,
            interval '1 day'
        ) d
        CROSS JOIN (VALUES (interval '0 hours'), (interval '25 hours')) t (slack)
        WHERE (d - t.slack) AT TIME ZONE are_same_days.one
            <> (d - t.slack) AT TIME ZONE are_same_days.other
    )
END
$function$;

COMMENT ON FUNCTION rollup.are_same_days(daterange, text, text) IS
    'Whether days begin and end at the same moments in two time zones.';
