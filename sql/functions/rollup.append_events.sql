CREATE OR REPLACE FUNCTION rollup.append_events(events rollup.event[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Appends events to rollup.pending_events: reads no other table and waits for no other session. Where
 * row-level security may refuse them even there, nothing can be counted: no day is covered.
 */
BEGIN
    IF row_security_active('rollup.pending_events'::regclass) THEN
        PERFORM rollup.void_coverage(again => false);
        RETURN;
    END IF;

    INSERT INTO rollup.pending_events (
        sign,
        account_id, event, at, agent, inbox, conversation_id, value, value_in_business_hours
    )
    SELECT
        e.sign,
        e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
        e.value_in_business_hours
    FROM unnest(append_events.events) e;
END
$function$;

COMMENT ON FUNCTION rollup.append_events(rollup.event[]) IS
    'Appends events to those that are pending, without waiting.';

REVOKE EXECUTE ON FUNCTION rollup.append_events(rollup.event[]) FROM PUBLIC;
