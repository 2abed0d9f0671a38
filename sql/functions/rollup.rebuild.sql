CREATE OR REPLACE FUNCTION rollup.rebuild(account_id bigint DEFAULT NULL::bigint, since date DEFAULT NULL::date, until date DEFAULT NULL::date)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Makes the record true for an account (NULL: all accounts) on the days since (inclusive) until
 * (exclusive; NULL: no bound), marks those days as covered, and returns how many rows it had to
 * change, rollups and memberships together.
 *
 * Safe beside live writers: it holds the slots of its accounts, so that writers append meanwhile.
 * One statement, hence one snapshot, deletes the pending events that it sees and sets each row that
 * differs from the raw events to what they say. Rows that are right are not touched, so running it
 * again costs a read. Run it as a statement of its own, never within one that writes events.
 *
 * Sealed days, whose events have been purged, are left alone.
 *
 * Without bounds it also puts the time zone that is wanted into force; see rollup.switch_timezone().
 */
DECLARE
    changed bigint;
    account_ids bigint[];
    timezones text[];
BEGIN
    PERFORM rollup.require_days(rebuild.since, rebuild.until);

    PERFORM rollup.lock_record(rebuild.account_id);

    IF rebuild.since IS NULL AND rebuild.until IS NULL THEN
        PERFORM rollup.switch_timezone(rebuild.account_id);
    END IF;

    PERFORM rollup.require_timezones(rebuild.account_id);

    WITH consumed AS (
        DELETE FROM rollup.pending_events e
        WHERE (rebuild.account_id IS NULL OR e.account_id = rebuild.account_id)
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            CROSS JOIN LATERAL (
                SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
            ) z
            WHERE a.account_id = e.account_id
            AND a.timezone IS NOT NULL
            AND (z.date < rebuild.since OR z.date >= rebuild.until OR a.sealed @> z.date)
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
            AND (rebuild.account_id IS NULL OR e.account_id = rebuild.account_id)
            AND (
                rebuild.since IS NULL
                OR e.created_at >= greatest(rebuild.since, '0001-01-03') - 2
            )
            AND (
                rebuild.until IS NULL
                OR e.created_at < least(rebuild.until, '10000-01-01') + 2
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
        AND (rebuild.since IS NULL OR z.date >= rebuild.since)
        AND (rebuild.until IS NULL OR z.date < rebuild.until)
        AND NOT a.sealed @> z.date
        GROUP BY
            e.account_id,
            z.date,
            d.dimension_type,
            d.dimension_id,
            m.metric,
            m.member
        HAVING sum(e.sign) <> 0
    ),
    truth AS MATERIALIZED (
        SELECT
            e.account_id AS account_id,
            z.date,
            d.dimension_type,
            d.dimension_id,
            m.metric,
            sum(e.sign) AS count,
            sum(
                CASE WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign ELSE 0 END
            ) AS value_count,
            coalesce(
                sum(CASE WHEN m.is_duration THEN e.sign * e.value END),
                0
            ) AS sum_value,
            sum(
                CASE WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign ELSE 0 END
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
            AND (rebuild.account_id IS NULL OR e.account_id = rebuild.account_id)
            AND (
                rebuild.since IS NULL
                OR e.created_at >= greatest(rebuild.since, '0001-01-03') - 2
            )
            AND (
                rebuild.until IS NULL
                OR e.created_at < least(rebuild.until, '10000-01-01') + 2
            )
        ) e
        JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
            OFFSET 0
        ) z
        JOIN (VALUES
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
        AND (rebuild.since IS NULL OR z.date >= rebuild.since)
        AND (rebuild.until IS NULL OR z.date < rebuild.until)
        AND NOT a.sealed @> z.date
        GROUP BY
            e.account_id,
            z.date,
            d.dimension_type,
            d.dimension_id,
            m.metric
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
        WHERE n.metric IN ('bot_handoffs_count')
        GROUP BY
            n.account_id,
            n.date,
            n.dimension_type,
            n.dimension_id,
            n.metric
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
            WHERE (rebuild.account_id IS NULL OR r.account_id = rebuild.account_id)
            AND (rebuild.since IS NULL OR r.date >= rebuild.since)
            AND (rebuild.until IS NULL OR r.date < rebuild.until)
            AND NOT EXISTS (
                SELECT
                FROM rollup.accounts a
                WHERE a.account_id = r.account_id
                AND a.sealed @> r.date
            )
        ) r USING (account_id, date, dimension_type, dimension_id, metric)
        WHERE t.count IS NULL
        OR r.count IS NULL
        OR coalesce(t.count, 0) <> coalesce(r.count, 0)
        OR coalesce(t.value_count, 0) <> coalesce(r.value_count, 0)
        OR NOT abs(coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value))
        OR coalesce(t.business_hours_count, 0) <> coalesce(r.business_hours_count, 0)
        OR NOT abs(coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value_business_hours))
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
            WHERE (rebuild.account_id IS NULL OR n.account_id = rebuild.account_id)
            AND (rebuild.since IS NULL OR n.date >= rebuild.since)
            AND (rebuild.until IS NULL OR n.date < rebuild.until)
            AND NOT EXISTS (
                SELECT
                FROM rollup.accounts a
                WHERE a.account_id = n.account_id
                AND a.sealed @> n.date
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
        account_ids,
        timezones
    FROM rollup.accounts a
    WHERE a.timezone = a.wanted
    AND (rebuild.account_id IS NULL OR a.account_id = rebuild.account_id);

    -- Covered in the zones of the snapshot just read. A row that somebody else holds is about to get
    -- another zone, and whoever holds it may be waiting for the slot: left as it is.
    UPDATE rollup.accounts a
    SET
        covered = a.covered + datemultirange(daterange(
            nullif(rebuild.since, '-infinity'),
            nullif(rebuild.until, 'infinity')
        )),
        rebuilt_at = clock_timestamp()
    FROM (
        SELECT b.account_id
        FROM unnest(account_ids, timezones) u (account_id, timezone)
        JOIN rollup.accounts b ON b.account_id = u.account_id AND b.timezone = u.timezone
        WHERE b.timezone = b.wanted
        ORDER BY b.account_id
        FOR NO KEY UPDATE OF b SKIP LOCKED
    ) b
    WHERE a.account_id = b.account_id
    AND a.timezone = a.wanted;

    RETURN changed;
END
$function$;

COMMENT ON FUNCTION rollup.rebuild(bigint, date, date) IS
    'Makes the rollups of an account (NULL: all) true on the days since (inclusive) until (exclusive) beside live writers, marks the days as covered, and returns how many rows it had to change.';

REVOKE EXECUTE ON FUNCTION rollup.rebuild(bigint, date, date) FROM PUBLIC;
