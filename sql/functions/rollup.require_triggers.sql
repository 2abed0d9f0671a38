CREATE OR REPLACE FUNCTION rollup.require_triggers()
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Refuses to go on (SQLSTATE 55000) while a trigger of the events table is missing or disabled: the days
 * that the caller is about to call covered would be wrong with the next event.
 */
BEGIN
    IF NOT rollup.are_triggers_on() THEN
        RAISE EXCEPTION 'triggers that keep totals are missing or disabled on %',
            'public.reporting_events'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'Events come and go uncounted, so no day can be called covered.',
                HINT = 'Put them back first: python -m generator deploy';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_triggers() IS
    'Raises 55000 while a trigger that keeps the totals is missing or disabled on the events table.';
