CREATE OR REPLACE FUNCTION rollup.are_same_days(days daterange, one text, other text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether some days begin and end at the same moments in two time zones, as they do under two names
 * of one zone. NULL where a zone is NULL.
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
        WHERE d AT TIME ZONE are_same_days.one <> d AT TIME ZONE are_same_days.other
    )
END
$function$;

COMMENT ON FUNCTION rollup.are_same_days(daterange, text, text) IS
    'Whether days begin and end at the same moments in two time zones.';
