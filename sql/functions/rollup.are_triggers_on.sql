CREATE OR REPLACE FUNCTION rollup.are_triggers_on()
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether every trigger that keeps the totals is on the events table, and enabled. While one is off,
 * events come and go uncounted: no day is covered then, whatever has been rebuilt.
 */
SELECT count(*) = 4
FROM (VALUES
    ('rollup_after_insert', 'rollup.reporting_events_after_insert'),
    ('rollup_after_update', 'rollup.reporting_events_after_update'),
    ('rollup_after_delete', 'rollup.reporting_events_after_delete'),
    ('rollup_after_truncate', 'rollup.reporting_events_after_truncate')
) x (trigger, function)
JOIN pg_trigger t ON t.tgrelid = to_regclass('public.reporting_events')
    AND t.tgname = x.trigger
    AND t.tgfoid = to_regproc(x.function)
    AND t.tgenabled IN ('O', 'A')
$function$;

COMMENT ON FUNCTION rollup.are_triggers_on() IS
    'Whether every trigger that keeps the totals is on the events table, and enabled.';
