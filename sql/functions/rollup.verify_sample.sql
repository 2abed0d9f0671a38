CREATE OR REPLACE FUNCTION rollup.verify_sample(account_days integer DEFAULT 100)
 RETURNS SETOF rollup.difference
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Compares up to account_days random days of accounts with the raw events, and returns how they
 * differ, like rollup.drift(). Cheap enough for a scheduler: each day is a statement of its own, which
 * reads the events of that account around it. What was compared is kept: see rollup.verifications.
 *
 * Half of the days are those of random events, so that rollups that are missing are found, and half
 * those of random rollups, so that rollups of no event are. Blocks are drawn, about four a day, and
 * neither table is read as a whole. Only days that are covered, and not sealed, are compared.
 */
<<verify_sample>>
DECLARE
    of_events real := (
        SELECT least(100, 400.0 * verify_sample.account_days / greatest(1, sum(
            pg_relation_size(t.relid) / current_setting('block_size')::integer
        )))
        FROM pg_partition_tree('public.reporting_events') t
    );
    of_rollups real := (
        SELECT least(100, 400.0 * verify_sample.account_days / greatest(1, sum(
            pg_relation_size(t.relid) / current_setting('block_size')::integer
        )))
        FROM pg_partition_tree('public.reporting_events_rollups') t
    );
    drawn record;
    differences bigint;
BEGIN
    IF coalesce(verify_sample.account_days, 0) < 1 THEN
        RAISE EXCEPTION 'no days to verify: %', verify_sample.account_days
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Ask for 1 or more.';
    END IF;

    PERFORM rollup.require_tables();

    FOR drawn IN
        SELECT
            s.account_id,
            s.date
        FROM (
            (
                SELECT
                    e.account_id,
                    z.date
                FROM (
                    SELECT
                        e.account_id::bigint AS account_id,
                        e.created_at AT TIME ZONE 'UTC' AS at
                    FROM public.reporting_events e TABLESAMPLE system (verify_sample.of_events)
                    WHERE e.account_id IS NOT NULL
                    AND e.name::text IN (
                        'conversation_resolved', 'first_response', 'reply_time',
                        'conversation_bot_resolved', 'conversation_bot_handoff'
                    )
                    AND e.created_at >= '0001-01-01 00:00'
                    AND e.created_at < '10000-01-01 00:00'
                ) e
                JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
                CROSS JOIN LATERAL (
                    SELECT a.timezone
                    WHERE rollup.knows_timezone(a.timezone)
                    OFFSET 0
                ) k
                CROSS JOIN LATERAL (
                    SELECT (e.at AT TIME ZONE k.timezone)::date AS date
                    OFFSET 0
                ) z
                ORDER BY random()
                LIMIT (verify_sample.account_days + 1) / 2
            )
            UNION
            (
                SELECT
                    r.account_id,
                    r.date
                FROM public.reporting_events_rollups r TABLESAMPLE system (verify_sample.of_rollups)
                ORDER BY random()
                LIMIT verify_sample.account_days
            )
        ) s
        JOIN rollup.accounts a ON a.account_id = s.account_id
        JOIN rollup.coverage v ON v.account_id = s.account_id
        WHERE v.covered @> s.date
        AND NOT a.sealed @> s.date
        AND s.date < '5874897-12-31'  -- the last date, which has no day after; drift() finds it
        ORDER BY random()
        LIMIT verify_sample.account_days
    LOOP
        RETURN QUERY
        SELECT d.*
        FROM rollup.drift(drawn.account_id, drawn.date, drawn.date + 1) d
        JOIN rollup.coverage v ON v.account_id = d.account_id
        WHERE v.covered @> d.date;

        GET DIAGNOSTICS differences = ROW_COUNT;
        PERFORM rollup.note_verification(
            drawn.account_id, drawn.date, drawn.date + 1, differences
        );
    END LOOP;
END
$function$;

COMMENT ON FUNCTION rollup.verify_sample(integer) IS
    'Compares so many random covered days of accounts with the raw events, returns the differences like rollup.drift(), and writes down in rollup.verifications what was compared.';

REVOKE EXECUTE ON FUNCTION rollup.verify_sample(integer) FROM PUBLIC;
