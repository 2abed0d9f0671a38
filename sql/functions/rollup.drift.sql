CREATE OR REPLACE FUNCTION rollup.drift(account_id bigint DEFAULT NULL::bigint, since date DEFAULT NULL::date, until date DEFAULT NULL::date)
 RETURNS SETOF rollup.difference
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Truth minus record: what a query over the raw events says, less what is recorded and pending, for
 * every rollup key on which they differ. Empty when all is well.
 *
 * One statement, hence one snapshot, in which an event and what it added to the rollups are both
 * visible or both not. So no lock is needed, and writers in flight are no drift.
 *
 * Reads the events of the account and of the days since (inclusive) until (exclusive); NULL stands
 * for all accounts, and for no bound. Days before a backfill reached them differ, of course:
 * rollup.metric_coverage tells which are claimed to be exact. Sealed days, whose events have been
 * purged, are left out, as is what is retired.
 */
<<drift>>
DECLARE
    account_ids bigint[] := CASE WHEN drift.account_id IS NOT NULL THEN ARRAY [drift.account_id] END;
    retired_metrics text[] := ARRAY (
        SELECT x.metric
        FROM rollup.retired x
        WHERE x.metric IS NOT NULL
    );
    retired_dimension_types text[] := ARRAY (
        SELECT x.dimension_type
        FROM rollup.retired x
        WHERE x.dimension_type IS NOT NULL
    );
BEGIN
    PERFORM rollup.require_days(drift.since, drift.until);
    PERFORM rollup.require_tables();

    IF drift.account_id IS NOT NULL THEN
        PERFORM rollup.require_known(drift.account_id);
    END IF;

    PERFORM rollup.require_timezones(account_ids);

    RETURN QUERY
    WITH truth_members AS MATERIALIZED (
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
                1 AS sign,
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
            AND (
                drift.account_ids IS NULL
                OR e.account_id = ANY (drift.account_ids)
            )
            AND (
                drift.since IS NULL
                OR e.created_at >= greatest(drift.since, '0001-01-03') - 2
            )
            AND (
                drift.until IS NULL
                OR e.created_at < least(drift.until, '10000-01-01') + 2
            )
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
        AND (drift.since IS NULL OR z.date >= drift.since)
        AND (drift.until IS NULL OR z.date < drift.until)
        AND NOT a.sealed @> z.date
        GROUP BY
            e.account_id,
            d.dimension_type,
            m.metric,
            z.date,
            d.dimension_id,
            m.member
        HAVING sum(e.sign) <> 0
    ),
    truth AS NOT MATERIALIZED (
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
                    1 AS sign,
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
                AND (
                    drift.account_ids IS NULL
                    OR e.account_id = ANY (drift.account_ids)
                )
                AND (
                    drift.since IS NULL
                    OR e.created_at >= greatest(drift.since, '0001-01-03') - 2
                )
                AND (
                    drift.until IS NULL
                    OR e.created_at < least(drift.until, '10000-01-01') + 2
                )
            ) e
            JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
                OFFSET 0
            ) z
            JOIN m ON m.name = e.name
            AND (drift.since IS NULL OR z.date >= drift.since)
            AND (drift.until IS NULL OR z.date < drift.until)
            AND NOT a.sealed @> z.date
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
        UNION ALL
        SELECT
            n.account_id,
            n.date,
            n.dimension_type,
            n.dimension_id,
            n.metric,
            count(*) AS count,
            0 AS value_count,
            0 AS sum_value,
            0 AS business_hours_count,
            0 AS sum_value_business_hours
        FROM truth_members n
        WHERE n.occurrences > 0
        AND n.metric IN ('bot_handoffs_count')
        GROUP BY
            n.account_id,
            n.dimension_type,
            n.metric,
            n.date,
            n.dimension_id
    ),
    record AS (
        SELECT
            r.account_id,
            r.date,
            r.dimension_type,
            r.dimension_id,
            r.metric,
            sum(r.count)::bigint AS count,
            sum(r.value_count)::bigint AS value_count,
            sum(r.sum_value) AS sum_value,
            sum(r.business_hours_count)::bigint AS business_hours_count,
            sum(r.sum_value_business_hours) AS sum_value_business_hours
        FROM (
            SELECT
                r.account_id,
                r.date,
                r.dimension_type,
                r.dimension_id,
                r.metric,
                r.count,
                r.value_count,
                r.sum_value,
                r.business_hours_count,
                r.sum_value_business_hours
            FROM public.reporting_events_rollups r
            UNION ALL
            SELECT
                e.account_id AS account_id,
                z.date,
                d.dimension_type,
                d.dimension_id,
                m.metric,
                e.sign::bigint AS count,
                (CASE
                    WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign
                    ELSE 0
                END)::bigint AS value_count,
                coalesce(
                    CASE WHEN m.is_duration THEN e.sign * e.value END,
                    0
                ) AS sum_value,
                (CASE
                    WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign
                    ELSE 0
                END)::bigint AS business_hours_count,
                coalesce(
                    CASE WHEN m.is_duration THEN e.sign * e.value_in_business_hours END,
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
                FROM rollup.pending_events p
            ) e
            JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT a.timezone
                WHERE rollup.knows_timezone(a.timezone)
                OFFSET 0
            ) k
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE k.timezone)::date AS date
                OFFSET 0
            ) z
            JOIN (
                VALUES
                    ('conversation_resolved', 'resolutions_count', false),
                    ('conversation_resolved', 'resolution_time', true),
                    ('first_response', 'first_response', true),
                    ('reply_time', 'reply_time', true),
                    ('conversation_bot_resolved', 'bot_resolutions_count', false)
            ) m (name, metric, is_duration) ON m.name = e.name
            CROSS JOIN LATERAL (VALUES
                ('account', e.account_id::bigint),
                ('agent', e.user_id::bigint),
                ('inbox', e.inbox_id::bigint)
            ) d (dimension_type, dimension_id)
            WHERE d.dimension_id IS NOT NULL
            UNION ALL
            SELECT
                t.account_id,
                t.date,
                t.dimension_type,
                t.dimension_id,
                t.metric,
                sum(
                    (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
                    - (coalesce(n.occurrences, 0) > 0)::integer
                ) AS count,
                0 AS value_count,
                0 AS sum_value,
                0 AS business_hours_count,
                0 AS sum_value_business_hours
            FROM (
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
                    FROM rollup.pending_events p
                ) e
                JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
                CROSS JOIN LATERAL (
                    SELECT a.timezone
                    WHERE rollup.knows_timezone(a.timezone)
                    OFFSET 0
                ) k
                CROSS JOIN LATERAL (
                    SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE k.timezone)::date AS date
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
            ) t
            LEFT JOIN rollup.distinct_members n
                USING (account_id, date, dimension_type, dimension_id, metric, member)
            WHERE t.metric IN ('bot_handoffs_count')
            GROUP BY
                t.account_id,
                t.dimension_type,
                t.metric,
                t.date,
                t.dimension_id
        ) r
        WHERE (drift.account_ids IS NULL OR r.account_id = ANY (drift.account_ids))
        AND (drift.since IS NULL OR r.date >= drift.since)
        AND (drift.until IS NULL OR r.date < drift.until)
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            WHERE a.account_id = r.account_id
            AND a.sealed @> r.date
        )
        AND NOT r.metric = ANY (drift.retired_metrics)
        AND NOT r.dimension_type = ANY (drift.retired_dimension_types)
        GROUP BY
            r.account_id,
            r.date,
            r.dimension_type,
            r.dimension_id,
            r.metric
    ),
    wrong_totals AS (
        SELECT
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            coalesce(t.count, 0) - coalesce(r.count, 0) AS count,
            coalesce(t.value_count, 0) - coalesce(r.value_count, 0)
                AS value_count,
            coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0)
                AS sum_value,
            coalesce(t.business_hours_count, 0) - coalesce(r.business_hours_count, 0)
                AS business_hours_count,
            coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0)
                AS sum_value_business_hours
        FROM truth t
        FULL JOIN record r USING (account_id, date, dimension_type, dimension_id, metric)
        WHERE coalesce(t.count, 0) <> coalesce(r.count, 0)
        OR coalesce(t.value_count, 0) <> coalesce(r.value_count, 0)
        OR NOT abs(coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value))
        OR coalesce(t.business_hours_count, 0) <> coalesce(r.business_hours_count, 0)
        OR NOT abs(coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value_business_hours))
    ),
    record_members AS (
        SELECT
            n.account_id,
            n.date,
            n.dimension_type,
            n.dimension_id,
            n.metric,
            n.member,
            sum(n.occurrences) AS occurrences
        FROM (
            SELECT
                n.account_id,
                n.date,
                n.dimension_type,
                n.dimension_id,
                n.metric,
                n.member,
                n.occurrences
            FROM rollup.distinct_members n
            UNION ALL
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
                FROM rollup.pending_events p
            ) e
            JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT a.timezone
                WHERE rollup.knows_timezone(a.timezone)
                OFFSET 0
            ) k
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE k.timezone)::date AS date
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
        ) n
        WHERE (drift.account_ids IS NULL OR n.account_id = ANY (drift.account_ids))
        AND (drift.since IS NULL OR n.date >= drift.since)
        AND (drift.until IS NULL OR n.date < drift.until)
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            WHERE a.account_id = n.account_id
            AND a.sealed @> n.date
        )
        AND NOT n.metric = ANY (drift.retired_metrics)
        AND NOT n.dimension_type = ANY (drift.retired_dimension_types)
        GROUP BY
            n.account_id,
            n.date,
            n.dimension_type,
            n.dimension_id,
            n.metric,
            n.member
        HAVING sum(n.occurrences) <> 0
    ),
    wrong_members AS (
        SELECT
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            count(*) AS members
        FROM truth_members t
        FULL JOIN record_members n
            USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE coalesce(t.occurrences, 0) <> coalesce(n.occurrences, 0)
        GROUP BY
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric
    )
    SELECT
        account_id::bigint,
        date,
        dimension_type::text,
        dimension_id,
        metric::text,
        coalesce(w.count, 0)::bigint,
        coalesce(w.value_count, 0)::bigint,
        coalesce(w.sum_value, 0),
        coalesce(w.business_hours_count, 0)::bigint,
        coalesce(w.sum_value_business_hours, 0),
        coalesce(n.members, 0)
    FROM wrong_totals w
    FULL JOIN wrong_members n USING (account_id, date, dimension_type, dimension_id, metric)
    ORDER BY
        account_id,
        date,
        dimension_type,
        dimension_id,
        metric;
END
$function$;

COMMENT ON FUNCTION rollup.drift(bigint, date, date) IS
    'Truth minus rollups, per rollup key on which they differ, for an account (NULL: all) on the days since (inclusive) until (exclusive); empty when all is well.';
