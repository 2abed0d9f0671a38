CREATE OR REPLACE FUNCTION rollup.purge_chunk(account_id bigint, before date, at_most bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Deletes up to at_most events of an account from days before the given one, whatever their name,
 * keeps what they added to the rollups, seals those days, and returns how many events it deleted; 0:
 * every day is sealed, and no event is left there that could be deleted. Leaves events that another
 * transaction has locked for another call; until then they are late events.
 *
 * Days are sealed some at a time, oldest first: see rollup.seal_days().
 *
 * Refuses, and changes nothing, where days are not over in the zone of the account (22023), are not
 * covered or differ, or where a trigger keeps their events (55000), and while another session changes
 * the time zone (55P03).
 *
 * The trigger takes away what the events had added, like after any DELETE; this statement adds the
 * same once more. Both write the record, because the slot is held, or what the trigger takes away
 * stays pending, where recording is slow; either is exact, and nothing needs to be switched off.
 */
<<purge_chunk>>
DECLARE
    purged bigint;
    tried bigint;
    tries integer := 0;
    events rollup.event[];
    sealed_days datemultirange;
    since date;
BEGIN
    PERFORM rollup.require_day(purge_chunk.before);
    PERFORM rollup.lock_record(ARRAY [purge_chunk.account_id]);
    IF NOT rollup.is_deployed('e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d') THEN
        RAISE EXCEPTION 'another registry has been deployed meanwhile'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Nothing has been changed: call it again.';
    END IF;
    PERFORM rollup.require_timezones(ARRAY [purge_chunk.account_id]);
    PERFORM rollup.require_account(purge_chunk.account_id);

    IF EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = purge_chunk.account_id
        AND purge_chunk.before > (now() AT TIME ZONE a.timezone)::date
    ) THEN
        RAISE EXCEPTION 'account % has days before % that are not over',
            purge_chunk.account_id,
            purge_chunk.before
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Nothing has been deleted by this call: give it today at the latest.';
    END IF;

    IF NOT rollup.is_covered(purge_chunk.account_id, NULL, purge_chunk.before) THEN
        RAISE EXCEPTION 'account % has days before % that are not covered',
            purge_chunk.account_id,
            purge_chunk.before
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = format('First run: CALL rollup.backfill(%s).', purge_chunk.account_id);
    END IF;

    -- Pending events have to be in the totals before their raw events go.
    PERFORM rollup.fold_pending(ARRAY [purge_chunk.account_id], 0, NULL);

    LOOP
        SELECT a.sealed
        INTO sealed_days
        FROM rollup.accounts a
        WHERE a.account_id = purge_chunk.account_id;

        since := upper(sealed_days * datemultirange(daterange(NULL, purge_chunk.before)));

        WITH locked AS MATERIALIZED (
            SELECT
                e.tableoid,
                e.ctid
            FROM public.reporting_events e
            JOIN rollup.accounts a ON a.account_id = e.account_id
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
            ) z
            WHERE e.account_id = purge_chunk.account_id
            AND e.created_at < purge_chunk.since + 2
            AND z.date < purge_chunk.since
            AND purge_chunk.sealed_days @> z.date
            LIMIT least(purge_chunk.at_most, 100000)
            FOR UPDATE OF e SKIP LOCKED
        ),
        gone AS (
            DELETE FROM public.reporting_events e
            USING locked x
            WHERE e.tableoid = x.tableoid
            AND e.ctid = x.ctid
            RETURNING e.account_id, e.name, e.created_at, e.user_id, e.inbox_id, e.conversation_id, e.value,
                e.value_in_business_hours
        )
        SELECT
            (SELECT count(*) FROM gone),
            (SELECT count(*) FROM locked),
            ARRAY (
                SELECT ROW(e.*)::rollup.event
                FROM (
                    SELECT 1 AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                        e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                        e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                        CASE WHEN e.value BETWEEN -1e15 AND 1e15
                            THEN e.value::double precision END
                            AS value,
                        CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                            THEN e.value_in_business_hours::double precision END
                            AS value_in_business_hours
                    FROM gone e
                    WHERE e.account_id IS NOT NULL
                    AND e.name::text IN (
                        'conversation_resolved', 'first_response', 'reply_time',
                        'conversation_bot_resolved', 'conversation_bot_handoff'
                    )
                    AND e.created_at >= '0001-01-01 00:00'
                    AND e.created_at < '10000-01-01 00:00'
                ) e
            )
        INTO
            purged,
            tried,
            events;

        PERFORM rollup.record_events(events);

        -- An event that another session has just changed is locked now, and deleted at the second try.
        tries := CASE WHEN purged = 0 AND tried > 0 THEN tries + 1 ELSE 0 END;
        CONTINUE WHEN tries = 1;

        IF tries = 2 THEN
            RAISE EXCEPTION 'events of account % are not deleted: a trigger on % keeps them',
                purge_chunk.account_id,
                'public.reporting_events'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    DETAIL = format('Events that it keeps: %s. This call has deleted nothing.', tried),
                    HINT = 'Let the BEFORE DELETE trigger return OLD for events that are purged.';
        END IF;

        EXIT WHEN purged > 0 OR sealed_days @> daterange(NULL, purge_chunk.before);

        PERFORM rollup.seal_days(purge_chunk.account_id, purge_chunk.before);
    END LOOP;

    RETURN purged;
END
$function$;

COMMENT ON FUNCTION rollup.purge_chunk(bigint, date, bigint) IS
    'Deletes some events of an account from days before the given one, keeps their rollups and seals the days; returns how many.';

REVOKE EXECUTE ON FUNCTION rollup.purge_chunk(bigint, date, bigint) FROM PUBLIC;
