CREATE OR REPLACE FUNCTION rollup.require_moments(since timestamp with time zone, until timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where a report has no range, or one without end, or one that ends
 * before it begins.
 */
BEGIN
    IF (isfinite(require_moments.since) AND isfinite(require_moments.until)) IS NOT TRUE THEN
        RAISE EXCEPTION 'a report needs a range of moments: % to %',
            coalesce(require_moments.since::text, 'NULL'),
            coalesce(require_moments.until::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Give since (inclusive) and until (exclusive), both finite.';
    END IF;

    IF require_moments.since > require_moments.until
        OR require_moments.since < '0001-01-01 00:00+00'
        OR require_moments.until > '9999-12-31 00:00+00'
    THEN
        RAISE EXCEPTION 'no range of moments: % to %', require_moments.since, require_moments.until
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Give since (inclusive) before until (exclusive), in the years 1 to 9999.';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_moments(timestamptz, timestamptz) IS
    'Raises 22023 unless since and until are the range of a report.';
