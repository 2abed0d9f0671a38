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
    counted bigint;
BEGIN
    WITH existing AS MATERIALIZED (
        SELECT
            count_sealed.sign AS sign,
            e.account_id::bigint AS account_id,
            e.name::text AS name,
            e.created_at::timestamp without time zone AS created_at,
            e.user_id::bigint AS user_id,
            e.inbox_id::bigint AS inbox_id,
            e.conversation_id::bigint AS conversation_id,
            CASE
                WHEN e.value BETWEEN -1e15 AND 1e15
                THEN e.value::double precision
            END AS value,
            CASE
                WHEN e.value_in_business_hours BETWEEN -1e15 AND 1e15
                THEN e.value_in_business_hours::double precision
            END AS value_in_business_hours
        FROM public.reporting_events e
        WHERE e.account_id IS NOT NULL
        AND e.name::text IN (
            'conversation_resolved',
            'first_response',
            'reply_time',
            'conversation_bot_resolved',
            'conversation_bot_handoff'
        )
        AND e.created_at >= '0001-01-01 00:00'
        AND e.created_at < '10000-01-01 00:00'
        AND e.account_id = count_sealed.account_id
        AND e.created_at < (
            SELECT upper(a.sealed) + 2
            FROM rollup.accounts a
            WHERE a.account_id = count_sealed.account_id
        )
    ),
    totals_added AS (
        INSERT INTO public.reporting_events_rollups AS r (
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            count,
            value_count,
            sum_value,
            business_hours_count,
            sum_value_business_hours
        )
        SELECT
            t.account_id,
            t.date,
            t.dimension_type,
            t.dimension_id,
            t.metric,
            t.count,
            t.value_count,
            t.sum_value,
            t.business_hours_count,
            t.sum_value_business_hours
        FROM (
            SELECT
                g.account_id,
                g.date,
                d.dimension_type,
                g.dimension_id,
                g.metric,
                g.count,
                g.value_count,
                g.sum_value,
                g.business_hours_count,
                g.sum_value_business_hours
            FROM (
                WITH m (name, metric, is_duration) AS MATERIALIZED (
                    VALUES
                        ('conversation_resolved', 'resolutions_count', false),
                        ('conversation_resolved', 'resolution_time', true),
                        ('first_response', 'first_response', true),
                        ('reply_time', 'reply_time', true),
                        ('conversation_bot_resolved', 'bot_resolutions_count', false)
                )
                SELECT
                    e.account_id AS account_id,
                    z.date,
                    GROUPING(e.user_id, e.inbox_id) AS grouped_by,
                    CASE GROUPING(e.user_id, e.inbox_id)
                        WHEN 3 THEN e.account_id::bigint
                        WHEN 1 THEN e.user_id::bigint
                        WHEN 2 THEN e.inbox_id::bigint
                    END AS dimension_id,
                    m.metric,
                    sum(e.sign) AS count,
                    sum(
                        CASE
                            WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign
                            ELSE 0
                        END
                    ) AS value_count,
                    coalesce(
                        sum(CASE WHEN m.is_duration THEN e.sign * e.value END),
                        0
                    ) AS sum_value,
                    sum(
                        CASE
                            WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign
                            ELSE 0
                        END
                    ) AS business_hours_count,
                    coalesce(
                        sum(CASE WHEN m.is_duration THEN e.sign * e.value_in_business_hours END),
                        0
                    ) AS sum_value_business_hours
                FROM (
                    TABLE existing
                ) e
                JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
                CROSS JOIN LATERAL (
                    SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
                    OFFSET 0
                ) z
                JOIN m ON m.name = e.name
                AND a.sealed @> z.date
                GROUP BY
                    e.account_id,
                    m.metric,
                    z.date,
                    GROUPING SETS (
                        (),
                        (e.user_id),
                        (e.inbox_id)
                    )
            ) g
            JOIN (VALUES
                ('account', 3),
                ('agent', 1),
                ('inbox', 2)
            ) d (dimension_type, grouped_by) ON d.grouped_by = g.grouped_by
            WHERE g.dimension_id IS NOT NULL
        ) t
        WHERE t.count <> 0
        OR t.value_count <> 0
        OR t.sum_value <> 0
        OR t.business_hours_count <> 0
        OR t.sum_value_business_hours <> 0
        ORDER BY
            t.account_id,
            t.dimension_type,
            t.metric,
            t.date,
            t.dimension_id
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
        SET
            count = r.count + excluded.count,
            value_count = r.value_count + excluded.value_count,
            sum_value = r.sum_value + excluded.sum_value,
            business_hours_count = r.business_hours_count + excluded.business_hours_count,
            sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours,
            updated_at = excluded.updated_at
    ),
    deltas AS MATERIALIZED (
        SELECT
            e.account_id AS account_id,
            z.date,
            d.dimension_type,
            d.dimension_id,
            m.metric,
            m.member,
            sum(e.sign) AS occurrences
        FROM (
            TABLE existing
        ) e
        JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
            OFFSET 0
        ) z
        JOIN LATERAL (VALUES
            ('conversation_bot_handoff', 'bot_handoffs_count', e.conversation_id::bigint),
            ('conversation_bot_resolved', 'bot_resolutions_count', e.conversation_id::bigint)
        ) m (name, metric, member) ON m.name = e.name
        CROSS JOIN LATERAL (VALUES
            ('account', e.account_id::bigint),
            ('agent', e.user_id::bigint),
            ('inbox', e.inbox_id::bigint)
        ) d (dimension_type, dimension_id)
        WHERE d.dimension_id IS NOT NULL
        AND m.member IS NOT NULL
        AND e.name IN (
            'conversation_bot_handoff',
            'conversation_bot_resolved'
        )
        AND a.sealed @> z.date
        GROUP BY
            e.account_id,
            d.dimension_type,
            m.metric,
            z.date,
            d.dimension_id,
            m.member
        HAVING sum(e.sign) <> 0
    ),
    recorded AS (
        INSERT INTO rollup.distinct_members AS n (
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            member,
            occurrences
        )
        SELECT
            t.account_id,
            t.date,
            t.dimension_type,
            t.dimension_id,
            t.metric,
            t.member,
            t.occurrences
        FROM deltas t
        ORDER BY
            t.account_id,
            t.dimension_type,
            t.metric,
            t.date,
            t.dimension_id,
            t.member
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric, member) DO UPDATE
        SET occurrences = n.occurrences + excluded.occurrences
    ),
    members_counted AS (
        INSERT INTO public.reporting_events_rollups AS r (
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            count
        )
        SELECT
            t.account_id,
            t.date,
            t.dimension_type,
            t.dimension_id,
            t.metric,
            sum(
                (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
                - (coalesce(n.occurrences, 0) > 0)::integer
            ) AS count
        FROM deltas t
        LEFT JOIN rollup.distinct_members n
            USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE t.metric IN ('bot_handoffs_count')
        GROUP BY
            t.account_id,
            t.dimension_type,
            t.metric,
            t.date,
            t.dimension_id
        HAVING sum(
            (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
            - (coalesce(n.occurrences, 0) > 0)::integer
        ) <> 0
        ORDER BY
            t.account_id,
            t.dimension_type,
            t.metric,
            t.date,
            t.dimension_id
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
        SET
            count = r.count + excluded.count,
            updated_at = excluded.updated_at
    )
    SELECT count(*)
    INTO counted
    FROM existing;

    RETURN counted;
END
$function$;

COMMENT ON FUNCTION rollup.count_sealed(bigint, integer) IS
    'Adds the events that there are on sealed days of an account to its record (1), or takes them out (-1); returns how many there may be.';

REVOKE EXECUTE ON FUNCTION rollup.count_sealed(bigint, integer) FROM PUBLIC;
