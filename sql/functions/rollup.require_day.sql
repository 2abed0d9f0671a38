CREATE OR REPLACE FUNCTION rollup.require_day(day date)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22004) where no day is given, or one at the end of time.
 */
BEGIN
    IF require_day.day IS NULL OR NOT isfinite(require_day.day) THEN
        RAISE EXCEPTION 'no day given'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Call rollup.purge_events(before), before being the first day to keep.';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_day(date) IS
    'Raises 22004 where a day is NULL or infinite.';
