CREATE OR REPLACE FUNCTION rollup.fold_pending(account_ids bigint[], after_id bigint, at_most bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Moves up to at_most pending events of these accounts, oldest first, from those with an id above
 * after_id, into the record, and returns how many. The caller holds the slots of the accounts, so
 * nobody else deletes these rows or changes these rollups.
 *
 * Events of an account without a time zone count for nothing, and are only removed.
 */
DECLARE
    folded bigint;
BEGIN
    WITH taken AS (
        DELETE FROM rollup.pending_events p
        WHERE p.ctid = ANY (ARRAY (
            SELECT q.ctid
            FROM rollup.pending_events q
            WHERE q.id > fold_pending.after_id
            AND q.account_id = ANY (fold_pending.account_ids)
            ORDER BY q.id
            LIMIT fold_pending.at_most
        ))
        RETURNING
            p.sign,
            p.account_id,
            p.name,
            p.created_at,
            p.user_id,
            p.inbox_id,
            p.conversation_id,
            p.value,
            p.value_in_business_hours
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
                    SELECT
                        p.sign,
                        p.account_id,
                        p.name,
                        p.created_at,
                        p.user_id,
                        p.inbox_id,
                        p.conversation_id,
                        p.value,
                        p.value_in_business_hours
                    FROM taken p
                ) e
                CROSS JOIN LATERAL (
                    SELECT a.timezone
                    FROM rollup.accounts a
                    WHERE a.account_id = e.account_id
                    AND a.timezone IS NOT NULL
                    OFFSET 0
                ) a
                CROSS JOIN LATERAL (
                    SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
                    OFFSET 0
                ) z
                JOIN m ON m.name = e.name
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
            SELECT
                p.sign,
                p.account_id,
                p.name,
                p.created_at,
                p.user_id,
                p.inbox_id,
                p.conversation_id,
                p.value,
                p.value_in_business_hours
            FROM taken p
        ) e
        CROSS JOIN LATERAL (
            SELECT a.timezone
            FROM rollup.accounts a
            WHERE a.account_id = e.account_id
            AND a.timezone IS NOT NULL
            OFFSET 0
        ) a
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
    INTO folded
    FROM taken;

    RETURN folded;
END
$function$;

COMMENT ON FUNCTION rollup.fold_pending(bigint[], bigint, bigint) IS
    'Moves pending events of accounts whose slots the caller holds into the record; returns how many.';

REVOKE EXECUTE ON FUNCTION rollup.fold_pending(bigint[], bigint, bigint) FROM PUBLIC;
