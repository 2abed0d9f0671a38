CREATE OR REPLACE FUNCTION rollup.reporting_events_after_update()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
#variable_conflict use_column
/*
 * Keeps the rollups exact over every update of events, once per statement: reads what rows mean, and
 * hands the events on.
 *
 * All events are read before anything is written, in a block that catches errors, so that a changed
 * column fails no write. That block writes nothing and takes no transaction id. A statement of more than
 * 100000 events has another, which writes, because it reads them as it goes.
 */
DECLARE
    events rollup.event[];
BEGIN
    IF TG_TABLE_NAME <> 'reporting_events' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.reporting_events') THEN
            PERFORM rollup.note_uncounted(TG_RELID);
            RETURN NULL;
        END IF;
    END IF;

    BEGIN
        events := ARRAY (
            SELECT ROW(e.*)::rollup.event
            FROM (
                SELECT
                    sum(e.sign)::integer AS sign,
                    e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
                    e.value_in_business_hours
                FROM (
                    SELECT (-1) AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                        e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                        e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                        CASE WHEN e.value BETWEEN -1e15 AND 1e15
                            THEN e.value::double precision END
                            AS value,
                        CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                            THEN e.value_in_business_hours::double precision END
                            AS value_in_business_hours
                    FROM updated_before e
                    WHERE e.account_id IS NOT NULL
                    AND e.name::text IN (
                        'conversation_resolved', 'first_response', 'reply_time',
                        'conversation_bot_resolved', 'conversation_bot_handoff'
                    )
                    AND e.created_at >= '0001-01-01 00:00'
                    AND e.created_at < '10000-01-01 00:00'
                    UNION ALL
                    SELECT 1 AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                        e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                        e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                        CASE WHEN e.value BETWEEN -1e15 AND 1e15
                            THEN e.value::double precision END
                            AS value,
                        CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                            THEN e.value_in_business_hours::double precision END
                            AS value_in_business_hours
                    FROM updated_after e
                    WHERE e.account_id IS NOT NULL
                    AND e.name::text IN (
                        'conversation_resolved', 'first_response', 'reply_time',
                        'conversation_bot_resolved', 'conversation_bot_handoff'
                    )
                    AND e.created_at >= '0001-01-01 00:00'
                    AND e.created_at < '10000-01-01 00:00'
                ) e
                GROUP BY
                    e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
                    e.value_in_business_hours
                HAVING sum(e.sign) <> 0
            ) e
            LIMIT 100000 + 1
        );
    EXCEPTION
        -- internal_error: PostgreSQL 18 raises it for a virtual generated column.
        WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
            PERFORM rollup.void_coverage(again => false);
            RETURN NULL;
    END;

    IF cardinality(events) BETWEEN 1 AND 100000 THEN
        PERFORM rollup.take_in(events);
    ELSIF cardinality(events) > 100000 THEN
        -- In batches: one array has to stay below 1 GB.
        BEGIN
            PERFORM rollup.take_in(b.events)
            FROM (
                SELECT array_agg(b.event) AS events
                FROM (
                    SELECT ROW(e.*)::rollup.event AS event, (row_number() OVER () - 1) / 100000 AS batch
                    FROM (
                        SELECT
                            sum(e.sign)::integer AS sign,
                            e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
                            e.value_in_business_hours
                        FROM (
                            SELECT (-1) AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                                e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                                e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                                CASE WHEN e.value BETWEEN -1e15 AND 1e15
                                    THEN e.value::double precision END
                                    AS value,
                                CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                                    THEN e.value_in_business_hours::double precision END
                                    AS value_in_business_hours
                            FROM updated_before e
                            WHERE e.account_id IS NOT NULL
                            AND e.name::text IN (
                                'conversation_resolved', 'first_response', 'reply_time',
                                'conversation_bot_resolved', 'conversation_bot_handoff'
                            )
                            AND e.created_at >= '0001-01-01 00:00'
                            AND e.created_at < '10000-01-01 00:00'
                            UNION ALL
                            SELECT 1 AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                                e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                                e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                                CASE WHEN e.value BETWEEN -1e15 AND 1e15
                                    THEN e.value::double precision END
                                    AS value,
                                CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                                    THEN e.value_in_business_hours::double precision END
                                    AS value_in_business_hours
                            FROM updated_after e
                            WHERE e.account_id IS NOT NULL
                            AND e.name::text IN (
                                'conversation_resolved', 'first_response', 'reply_time',
                                'conversation_bot_resolved', 'conversation_bot_handoff'
                            )
                            AND e.created_at >= '0001-01-01 00:00'
                            AND e.created_at < '10000-01-01 00:00'
                        ) e
                        GROUP BY
                            e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
                            e.value_in_business_hours
                        HAVING sum(e.sign) <> 0
                    ) e
                ) b GROUP BY b.batch
            ) b;
        EXCEPTION
            WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
                PERFORM rollup.void_coverage(again => false);
        END;
    END IF;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_update() IS
    'Trigger function: keeps the rollups exact over every update of events, without waiting for any session.';

-- No other role may run it, with its owner's rights, on a table of that role.
REVOKE EXECUTE ON FUNCTION rollup.reporting_events_after_update() FROM PUBLIC;
