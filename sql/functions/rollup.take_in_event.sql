CREATE OR REPLACE FUNCTION rollup.take_in_event(event rollup.event)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
/*
 * Takes in a single event, as rollup.take_in() does, in less time: PL/pgSQL prepares each expression
 * anew in each transaction, and pays for each operator in it, evaluated or not. So what is rarely
 * needed has a statement or a function of its own, and functions that each event calls return something:
 * an assignment takes less time than PERFORM, as RETURN of a variable does than that of an expression.
 * This one returns whether the event is recorded.
 *
 * A session that has fallen behind appends for a second: see rollup.note_pace().
 */
DECLARE
    is_appending boolean;
    is_held boolean;
    day date;
    took interval;
BEGIN
    IF current_setting('rollup.append_until', true) <> '' THEN
        -- Any client may set it: what is not within a minute from now is ignored.
        is_appending := CASE
            WHEN current_setting('rollup.append_until') ~ '^[0-9]{1,10}([.][0-9]{1,6})?$'
            THEN current_setting('rollup.append_until')::numeric - extract(epoch FROM clock_timestamp())
                BETWEEN 0 AND 60
        END;
    END IF;

    IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
        AND is_appending IS NOT TRUE
        AND NOT row_security_active('public.reporting_events_rollups'::regclass)
        AND NOT row_security_active('rollup.accounts'::regclass)
        AND NOT row_security_active('rollup.distinct_members'::regclass)
        AND pg_try_advisory_xact_lock(1919904876, (event.account_id & 255)::integer)
    THEN
        BEGIN
            SELECT (event.at AT TIME ZONE a.timezone)::date
            INTO day
            FROM rollup.accounts a
            WHERE a.account_id = event.account_id
            AND a.timezone IS NOT NULL;

            is_held := true;
        EXCEPTION
            -- A time zone that the server no longer knows, since an upgrade of its time zone data.
            WHEN invalid_parameter_value THEN
                NULL;
        END;
    END IF;

    IF day IS NOT NULL THEN
        took := rollup.record_event(event, day);

        IF took > interval '300 microseconds' OR current_setting('rollup.lateness', true) <> '0' THEN
            IF rollup.note_pace(event.account_id, took) THEN
                RETURN true;
            END IF;
        END IF;
    ELSIF is_held IS NOT TRUE THEN
        IF row_security_active('rollup.pending_events'::regclass) THEN
            PERFORM rollup.void_coverage(again => false);
            RETURN false;
        END IF;

        INSERT INTO rollup.pending_events (
            sign,
            account_id, event, at, agent, inbox, conversation_id, value, value_in_business_hours
        )
        VALUES (
            event.sign,
            event.account_id, event.event, event.at, event.agent, event.inbox,
            event.conversation_id, event.value, event.value_in_business_hours
        );

        IF is_appending THEN
            PERFORM rollup.fold_in_turn(1);
        END IF;

        RETURN false;
    END IF;

    IF date_part('microseconds', clock_timestamp())::integer & 7 = 0 THEN
        PERFORM rollup.fold_near(ARRAY [event.account_id]);
    END IF;

    RETURN is_held;
END
$function$;

COMMENT ON FUNCTION rollup.take_in_event(rollup.event) IS
    'Records a single event where the slot of its account is free, and appends it to what is pending otherwise.';

REVOKE EXECUTE ON FUNCTION rollup.take_in_event(rollup.event) FROM PUBLIC;
