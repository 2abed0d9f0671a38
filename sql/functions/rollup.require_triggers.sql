CREATE OR REPLACE FUNCTION rollup.require_triggers()
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 55000) while events come and go uncounted, or count twice: the days that the
 * caller is about to call covered would be wrong with the next event. See rollup.trigger_problems().
 */
DECLARE
    first record;
BEGIN
    SELECT t.problem, t.cure
    INTO first
    FROM rollup.trigger_problems() t
    ORDER BY t.problem
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION '%', first.problem
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'Events come and go uncounted, or count twice, so no day can be called covered.',
                HINT = format('Put that right first: %s', first.cure);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_triggers() IS
    'Raises 55000 while triggers that keep the totals are not as deployed on the events table and its partitions, or one of these is below another table.';
