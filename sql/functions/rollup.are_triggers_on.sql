CREATE OR REPLACE FUNCTION rollup.are_triggers_on()
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether every trigger that keeps the totals is on the events table, and enabled. While one is off,
 * events come and go uncounted: no day is covered then, whatever has been rebuilt. Looks up names in the
 * catalog, for a reader of some views only may not use the schemas.
 */
SELECT count(*) = 4
FROM (VALUES
    ('rollup_after_insert', 'reporting_events_after_insert'),
    ('rollup_after_update', 'reporting_events_after_update'),
    ('rollup_after_delete', 'reporting_events_after_delete'),
    ('rollup_after_truncate', 'reporting_events_after_truncate')
) x (trigger, function)
JOIN pg_class c ON c.relname = 'reporting_events'
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = x.trigger AND t.tgenabled IN ('O', 'A')
JOIN pg_proc p ON p.oid = t.tgfoid AND p.proname = x.function
JOIN pg_namespace m ON m.oid = p.pronamespace AND m.nspname = 'rollup'
$function$;

COMMENT ON FUNCTION rollup.are_triggers_on() IS
    'Whether every trigger that keeps the totals is on the events table, and enabled.';
