CREATE OR REPLACE FUNCTION rollup.rebuild_accounts(account_ids bigint[], since date, until date, metrics text[], dimension_types text[])
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Makes the record true for accounts (NULL: all) on the days since (inclusive) until (exclusive;
 * NULL: no bound), marks those days as covered, and returns how many rows it had to change, rollups
 * and memberships together. The caller holds the slots of the accounts, so that writers append.
 *
 * One statement, hence one snapshot, deletes the pending events that it sees and sets each row that
 * differs from the raw events to what they say. Rows that are right are not touched, so running it
 * again costs a read.
 *
 * With metrics or dimension_types it is about those alone. Pending events are of others, too, so
 * they stay, and the record is set to what together with them is true. Days that are covered but
 * for these are covered then, see rollup.gaps; no others.
 *
 * Sealed days, whose events have been purged, are left alone, and so is what is retired.
 */
<<rebuild_accounts>>
DECLARE
    changed bigint;
    rebuilt bigint[];
    timezones text[];
    is_whole boolean := rebuild_accounts.metrics IS NULL AND rebuild_accounts.dimension_types IS NULL;
    is_new boolean;
    span datemultirange := datemultirange(daterange(
        nullif(rebuild_accounts.since, '-infinity'),
        nullif(rebuild_accounts.until, 'infinity')
    ));
    event_names text[];
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
    PERFORM rollup.require_timezones(rebuild_accounts.account_ids);

    IF rebuild_accounts.metrics IS NOT NULL THEN
        event_names := ARRAY (
            SELECT m.name
            FROM (VALUES
                ('conversation_resolved', 'resolutions_count'),
                ('conversation_resolved', 'resolution_time'),
                ('first_response', 'first_response'),
                ('reply_time', 'reply_time'),
                ('conversation_bot_resolved', 'bot_resolutions_count'),
                ('conversation_bot_handoff', 'bot_handoffs_count')
            ) m (name, metric)
            WHERE m.metric = ANY (rebuild_accounts.metrics)
        );
    END IF;

    -- Where nothing is recorded, as before a first backfill, nothing has to be compared. OFFSET 0 keeps
    -- the planner, which may know nothing of the table yet, from reading all of it for each account.
    is_new := NOT EXISTS (
        SELECT
        FROM unnest(rebuild_accounts.account_ids) i (account_id)
        CROSS JOIN LATERAL (
            SELECT
            FROM public.reporting_events_rollups r
            WHERE r.account_id = i.account_id
            AND (rebuild_accounts.since IS NULL OR r.date >= rebuild_accounts.since)
            AND (rebuild_accounts.until IS NULL OR r.date < rebuild_accounts.until)
            OFFSET 0
        ) r
    )
    AND (
        rebuild_accounts.account_ids IS NOT NULL
        OR NOT EXISTS (SELECT FROM public.reporting_events_rollups)
    );

    WITH consumed AS (
        DELETE FROM rollup.pending_events e
        WHERE rebuild_accounts.is_whole
        AND (
            rebuild_accounts.account_ids IS NULL
            OR e.account_id = ANY (rebuild_accounts.account_ids)
        )
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
            ) z
            WHERE a.account_id = e.account_id
            AND a.timezone IS NOT NULL
            AND (z.date < rebuild_accounts.since OR z.date >= rebuild_accounts.until OR a.sealed @> z.date)
        )
    ),
    truth_members AS MATERIALIZED (
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
                rebuild_accounts.account_ids IS NULL
                OR e.account_id = ANY (rebuild_accounts.account_ids)
            )
            AND (
                rebuild_accounts.since IS NULL
                OR e.created_at >= greatest(rebuild_accounts.since, '0001-01-03') - 2
            )
            AND (
                rebuild_accounts.until IS NULL
                OR e.created_at < least(rebuild_accounts.until, '10000-01-01') + 2
            )
            AND (
                rebuild_accounts.event_names IS NULL
                OR e.name::text = ANY (rebuild_accounts.event_names)
            )
            UNION ALL
            SELECT
                -p.sign AS sign,
                p.account_id,
                p.name,
                p.created_at,
                p.user_id,
                p.inbox_id,
                p.conversation_id,
                p.value,
                p.value_in_business_hours
            FROM rollup.pending_events p
            WHERE NOT rebuild_accounts.is_whole
            AND (
                rebuild_accounts.account_ids IS NULL
                OR p.account_id = ANY (rebuild_accounts.account_ids)
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
        AND (rebuild_accounts.since IS NULL OR z.date >= rebuild_accounts.since)
        AND (rebuild_accounts.until IS NULL OR z.date < rebuild_accounts.until)
        AND NOT a.sealed @> z.date
        AND (rebuild_accounts.metrics IS NULL OR m.metric = ANY (rebuild_accounts.metrics))
        AND (
            rebuild_accounts.dimension_types IS NULL
            OR d.dimension_type = ANY (rebuild_accounts.dimension_types)
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
                    rebuild_accounts.account_ids IS NULL
                    OR e.account_id = ANY (rebuild_accounts.account_ids)
                )
                AND (
                    rebuild_accounts.since IS NULL
                    OR e.created_at >= greatest(rebuild_accounts.since, '0001-01-03') - 2
                )
                AND (
                    rebuild_accounts.until IS NULL
                    OR e.created_at < least(rebuild_accounts.until, '10000-01-01') + 2
                )
                AND (
                    rebuild_accounts.event_names IS NULL
                    OR e.name::text = ANY (rebuild_accounts.event_names)
                )
                UNION ALL
                SELECT
                    -p.sign AS sign,
                    p.account_id,
                    p.name,
                    p.created_at,
                    p.user_id,
                    p.inbox_id,
                    p.conversation_id,
                    p.value,
                    p.value_in_business_hours
                FROM rollup.pending_events p
                WHERE NOT rebuild_accounts.is_whole
                AND (
                    rebuild_accounts.account_ids IS NULL
                    OR p.account_id = ANY (rebuild_accounts.account_ids)
                )
            ) e
            JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
                OFFSET 0
            ) z
            JOIN m ON m.name = e.name
            AND (rebuild_accounts.since IS NULL OR z.date >= rebuild_accounts.since)
            AND (rebuild_accounts.until IS NULL OR z.date < rebuild_accounts.until)
            AND NOT a.sealed @> z.date
            AND (rebuild_accounts.metrics IS NULL OR m.metric = ANY (rebuild_accounts.metrics))
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
        AND (
            rebuild_accounts.dimension_types IS NULL
            OR d.dimension_type = ANY (rebuild_accounts.dimension_types)
        )
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
    wrong AS MATERIALIZED (
        SELECT
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            t.count IS NOT NULL AS is_true,
            r.count IS NOT NULL AS is_recorded,
            t.count,
            t.value_count,
            t.sum_value,
            t.business_hours_count,
            t.sum_value_business_hours
        FROM truth t
        FULL JOIN (
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
            WHERE (rebuild_accounts.account_ids IS NULL OR r.account_id = ANY (rebuild_accounts.account_ids))
            AND (rebuild_accounts.since IS NULL OR r.date >= rebuild_accounts.since)
            AND (rebuild_accounts.until IS NULL OR r.date < rebuild_accounts.until)
            AND NOT EXISTS (
                SELECT
                FROM rollup.accounts a
                WHERE a.account_id = r.account_id
                AND a.sealed @> r.date
            )
            AND NOT r.metric = ANY (rebuild_accounts.retired_metrics)
            AND NOT r.dimension_type = ANY (rebuild_accounts.retired_dimension_types)
            AND (rebuild_accounts.metrics IS NULL OR r.metric = ANY (rebuild_accounts.metrics))
            AND (
                rebuild_accounts.dimension_types IS NULL
                OR r.dimension_type = ANY (rebuild_accounts.dimension_types)
            )
        ) r USING (account_id, date, dimension_type, dimension_id, metric)
        WHERE NOT rebuild_accounts.is_new
        AND (
            t.count IS NULL
            OR r.count IS NULL
            OR coalesce(t.count, 0) <> coalesce(r.count, 0)
            OR coalesce(t.value_count, 0) <> coalesce(r.value_count, 0)
            OR NOT abs(coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0))
                <= 1e-9 * greatest(1000, abs(t.sum_value))
            OR coalesce(t.business_hours_count, 0) <> coalesce(r.business_hours_count, 0)
            OR NOT abs(coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0))
                <= 1e-9 * greatest(1000, abs(t.sum_value_business_hours))
        )
        UNION ALL
        SELECT
            t.account_id,
            t.date,
            t.dimension_type,
            t.dimension_id,
            t.metric,
            true,
            false,
            t.count,
            t.value_count,
            t.sum_value,
            t.business_hours_count,
            t.sum_value_business_hours
        FROM truth t
        WHERE rebuild_accounts.is_new
    ),
    removed AS (
        DELETE FROM public.reporting_events_rollups r
        USING wrong w
        WHERE NOT w.is_true
        AND (r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric)
    ),
    updated AS (
        UPDATE public.reporting_events_rollups r
        SET
            count = w.count,
            value_count = w.value_count,
            sum_value = w.sum_value,
            business_hours_count = w.business_hours_count,
            sum_value_business_hours = w.sum_value_business_hours,
            updated_at = DEFAULT
        FROM wrong w
        WHERE w.is_true
        AND w.is_recorded
        AND (r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric)
    ),
    inserted AS (
        INSERT INTO public.reporting_events_rollups (
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
            w.account_id,
            w.date,
            w.dimension_type,
            w.dimension_id,
            w.metric,
            w.count,
            w.value_count,
            w.sum_value,
            w.business_hours_count,
            w.sum_value_business_hours
        FROM wrong w
        WHERE NOT w.is_recorded
        ORDER BY
            w.account_id,
            w.dimension_type,
            w.metric,
            w.date,
            w.dimension_id
    ),
    wrong_members AS MATERIALIZED (
        SELECT
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            member,
            t.occurrences AS occurrences,
            n.occurrences IS NOT NULL AS is_recorded
        FROM truth_members t
        FULL JOIN (
            SELECT
                n.account_id,
                n.date,
                n.dimension_type,
                n.dimension_id,
                n.metric,
                n.member,
                n.occurrences
            FROM rollup.distinct_members n
            WHERE (rebuild_accounts.account_ids IS NULL OR n.account_id = ANY (rebuild_accounts.account_ids))
            AND (rebuild_accounts.since IS NULL OR n.date >= rebuild_accounts.since)
            AND (rebuild_accounts.until IS NULL OR n.date < rebuild_accounts.until)
            AND NOT EXISTS (
                SELECT
                FROM rollup.accounts a
                WHERE a.account_id = n.account_id
                AND a.sealed @> n.date
            )
            AND NOT n.metric = ANY (rebuild_accounts.retired_metrics)
            AND NOT n.dimension_type = ANY (rebuild_accounts.retired_dimension_types)
            AND (rebuild_accounts.metrics IS NULL OR n.metric = ANY (rebuild_accounts.metrics))
            AND (
                rebuild_accounts.dimension_types IS NULL
                OR n.dimension_type = ANY (rebuild_accounts.dimension_types)
            )
        ) n USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE t.occurrences IS DISTINCT FROM n.occurrences
    ),
    members_removed AS (
        DELETE FROM rollup.distinct_members n
        USING wrong_members w
        WHERE w.occurrences IS NULL
        AND (n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric, w.member)
    ),
    members_updated AS (
        UPDATE rollup.distinct_members n
        SET occurrences = w.occurrences
        FROM wrong_members w
        WHERE w.occurrences IS NOT NULL
        AND w.is_recorded
        AND (n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric, w.member)
    ),
    members_inserted AS (
        INSERT INTO rollup.distinct_members (
            account_id,
            date,
            dimension_type,
            dimension_id,
            metric,
            member,
            occurrences
        )
        SELECT
            w.account_id,
            w.date,
            w.dimension_type,
            w.dimension_id,
            w.metric,
            w.member,
            w.occurrences
        FROM wrong_members w
        WHERE NOT w.is_recorded
        ORDER BY
            w.account_id,
            w.dimension_type,
            w.metric,
            w.date,
            w.dimension_id,
            w.member
    )
    SELECT
        (SELECT count(*) FROM wrong) + (SELECT count(*) FROM wrong_members),
        array_agg(a.account_id ORDER BY a.account_id),
        array_agg(a.timezone ORDER BY a.account_id)
    INTO
        changed,
        rebuilt,
        timezones
    FROM rollup.accounts a
    WHERE a.timezone = a.wanted
    AND (rebuild_accounts.account_ids IS NULL OR a.account_id = ANY (rebuild_accounts.account_ids));

    -- Covered in the zones of the snapshot just read. A row that somebody else holds is about to get
    -- another zone, and whoever holds it may be waiting for the slot: left as it is.
    IF is_whole THEN
        UPDATE rollup.accounts a
        SET
            covered = a.covered + span,
            rebuilt_at = clock_timestamp()
        FROM (
            SELECT b.account_id
            FROM unnest(rebuilt, timezones) u (account_id, timezone)
            JOIN rollup.accounts b ON b.account_id = u.account_id AND b.timezone = u.timezone
            WHERE b.timezone = b.wanted
            ORDER BY b.account_id
            FOR NO KEY UPDATE OF b SKIP LOCKED
        ) b
        WHERE a.account_id = b.account_id
        AND a.timezone = a.wanted;
    END IF;

    UPDATE rollup.gaps g
    SET days = g.days - (span - a.sealed)
    FROM rollup.accounts a
    WHERE a.account_id = g.account_id
    AND (rebuild_accounts.account_ids IS NULL OR a.account_id = ANY (rebuild_accounts.account_ids))
    AND (rebuild_accounts.metrics IS NULL OR g.metric = ANY (rebuild_accounts.metrics))
    AND (
        rebuild_accounts.dimension_types IS NULL
        OR g.dimension_type = ANY (rebuild_accounts.dimension_types)
    );

    DELETE FROM rollup.gaps g
    WHERE isempty(g.days)
    AND (rebuild_accounts.account_ids IS NULL OR g.account_id = ANY (rebuild_accounts.account_ids));

    RETURN changed;
END
$function$;

COMMENT ON FUNCTION rollup.rebuild_accounts(bigint[], date, date, text[], text[]) IS
    'Makes the rollups of accounts (NULL: all) whose slots the caller holds true on the days since (inclusive) until (exclusive), of all metrics and dimensions or of some; returns how many rows it had to change.';

REVOKE EXECUTE ON FUNCTION rollup.rebuild_accounts(bigint[], date, date, text[], text[]) FROM PUBLIC;
