CREATE OR REPLACE FUNCTION rollup.are_triggers_on()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Whether every event counts, once: see rollup.trigger_problems(). While this is not so, events come and
 * go uncounted: their days are not covered then, whatever has been rebuilt.
 */
BEGIN
    RETURN NOT EXISTS (SELECT FROM rollup.trigger_problems());
END
$function$;

COMMENT ON FUNCTION rollup.are_triggers_on() IS
    'Whether every trigger that keeps the totals is on the events table and its partitions as deployed, and enabled.';
