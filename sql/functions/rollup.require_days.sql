CREATE OR REPLACE FUNCTION rollup.require_days(since date, until date)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where days end before they begin; NULL is no bound.
 */
BEGIN
    IF require_days.since > require_days.until THEN
        RAISE EXCEPTION 'days end before they begin: % to %', require_days.since, require_days.until
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Days are since (inclusive) until (exclusive): give the earlier one first.';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_days(date, date) IS
    'Raises 22023 where days since (inclusive) until (exclusive) end before they begin.';
