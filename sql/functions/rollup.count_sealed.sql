CREATE OR REPLACE FUNCTION rollup.count_sealed(account_id bigint, sign integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Adds the events of an account that there are on its sealed days to the record (sign 1), or takes
 * them out of it (-1), and returns how many there may be. The caller holds the slot, and nothing of
 * the account is pending.
 */
DECLARE
    counted bigint := 0;
    events rollup.event[];
BEGIN
    FOR events IN
        SELECT array_agg(b.event)
        FROM (
            SELECT
                ROW(e.*)::rollup.event AS event,
                (row_number() OVER () - 1) / 100000 AS batch
            FROM (
                SELECT count_sealed.sign AS sign, e.account_id::bigint AS account_id, e.name::text AS event,
                    e.created_at AT TIME ZONE 'UTC' AS at, e.user_id::bigint AS agent,
                    e.inbox_id::bigint AS inbox, e.conversation_id::bigint AS conversation_id,
                    CASE WHEN e.value BETWEEN -1e15 AND 1e15
                        THEN e.value::double precision END
                        AS value,
                    CASE WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                        THEN e.value_in_business_hours::double precision END
                        AS value_in_business_hours
                FROM public.reporting_events e
                WHERE e.account_id IS NOT NULL
                AND e.name::text IN (
                    'conversation_resolved', 'first_response', 'reply_time',
                    'conversation_bot_resolved', 'conversation_bot_handoff'
                )
                AND e.created_at >= '0001-01-01 00:00'
                AND e.created_at < '10000-01-01 00:00'
                AND e.account_id = count_sealed.account_id
                AND e.created_at < (
                    SELECT upper(a.sealed) + 2
                    FROM rollup.accounts a
                    WHERE a.account_id = count_sealed.account_id
                )
            ) e
            JOIN rollup.accounts a ON a.account_id = e.account_id
            WHERE a.sealed @> (e.at AT TIME ZONE a.timezone)::date
        ) b
        GROUP BY b.batch
    LOOP
        PERFORM rollup.record_events(events);
        counted := counted + cardinality(events);
    END LOOP;

    RETURN counted;
END
$function$;

COMMENT ON FUNCTION rollup.count_sealed(bigint, integer) IS
    'Adds the events that there are on sealed days of an account to its record (1), or takes them out (-1); returns how many there may be.';

REVOKE EXECUTE ON FUNCTION rollup.count_sealed(bigint, integer) FROM PUBLIC;
