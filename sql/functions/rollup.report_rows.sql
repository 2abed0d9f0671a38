CREATE OR REPLACE FUNCTION rollup.report_rows(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint, measured bigint, total double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * What a report is made of, for each dimension and bucket with any: how many events, how many of them
 * have a number, and the sum of those. Averages divide the sums, and so can be added up to others.
 *
 * Whole days come from rollups, recorded and pending; the other moments of the range from raw events.
 * All of it is one snapshot, that of the query which asks.
 */
DECLARE
    dates date[];
BEGIN
    -- An index finds a few years' days fastest one by one. NULL: too many, all between are read.
    IF upper(q.days) - lower(q.days) < 5000 THEN
        dates := ARRAY (
            SELECT d::date
            FROM unnest(q.days) r (days)
            CROSS JOIN generate_series(
                lower(r.days)::timestamp,
                upper(r.days)::timestamp - interval '1 day',
                interval '1 day'
            ) d
        );
    END IF;

    IF q.is_distinct THEN
        -- A member counts once a bucket; so days are added up only where each is a bucket.
        RETURN QUERY
        WITH excluded AS MATERIALIZED (
            SELECT
                n.dimension_id,
                n.member
            FROM rollup.current_members n
            WHERE n.occurrences > 0
            AND n.account_id = q.account_id
            AND n.dimension_type = q.dimension_type
            AND n.metric = q.excluded_metric
            AND n.date >= lower(q.days)
            AND n.date < upper(q.days)
            AND q.days @> n.date
            AND (dates IS NULL OR n.date = ANY (dates))
            AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)

            UNION
            SELECT
                e.dimension_id,
                e.member
            FROM (
                SELECT
                    d.dimension_id,
                    z.bucket,
                    CASE
                        WHEN q.business_hours THEN e.value_in_business_hours
                        ELSE e.value
                    END AS value,
                    CASE q.metric
                        WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
                        WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
                    END AS member
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
                    FROM unnest(q.moments) i (moments)
                    CROSS JOIN public.reporting_events e
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
                    AND e.account_id = q.account_id
                    AND e.name::text = q.excluded_event
                    AND e.created_at >= lower(i.moments) AT TIME ZONE 'UTC'
                    AND e.created_at < upper(i.moments) AT TIME ZONE 'UTC'
                    OFFSET 0
                ) e
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.dimension_type
                            WHEN 'account' THEN e.account_id::bigint
                            WHEN 'agent' THEN e.user_id::bigint
                            WHEN 'inbox' THEN e.inbox_id::bigint
                        END AS dimension_id
                    OFFSET 0
                ) d
                CROSS JOIN LATERAL (
                    SELECT e.created_at AT TIME ZONE 'UTC' AS moment
                ) t
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.unit
                            WHEN 'range' THEN q.since
                            WHEN 'hour' THEN date_trunc('hour', t.moment, q.timezone)
                            ELSE (
                                date_trunc(q.unit, t.moment AT TIME ZONE q.timezone + q.week_shift)
                                - q.week_shift
                            ) AT TIME ZONE q.timezone
                        END AS bucket
                    WHERE NOT q.days @> (t.moment AT TIME ZONE q.timezone)::date
                ) z
                WHERE d.dimension_id = q.dimension_id
                OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
            ) e
            WHERE e.member IS NOT NULL
        )
        SELECT
            b.dimension_id,
            b.bucket,
            b.events,
            0::bigint,
            0::double precision
        FROM (
            SELECT
                r.dimension_id,
                CASE q.unit
                    WHEN 'range' THEN q.since
                    ELSE (
                        date_trunc(q.unit, r.date::timestamp + q.week_shift)
                        - q.week_shift
                    ) AT TIME ZONE q.timezone
                END AS bucket,
                r.count AS events
            FROM rollup.current_rollups r
            WHERE q.unit = 'day'
            AND q.excluded_metric IS NULL
            AND r.account_id = q.account_id
            AND r.dimension_type = q.dimension_type
            AND r.metric = q.metric
            AND r.date >= lower(q.days)
            AND r.date < upper(q.days)
            AND q.days @> r.date
            AND (dates IS NULL OR r.date = ANY (dates))
            AND (q.dimension_id IS NULL OR r.dimension_id = q.dimension_id)
            UNION ALL
            SELECT
                n.dimension_id,
                n.bucket,
                count(*)
            FROM (
                SELECT
                    n.dimension_id,
                    CASE q.unit
                        WHEN 'range' THEN q.since
                        ELSE (
                            date_trunc(q.unit, n.date::timestamp + q.week_shift)
                            - q.week_shift
                        ) AT TIME ZONE q.timezone
                    END AS bucket,
                    n.member
                FROM rollup.current_members n
                WHERE (q.unit <> 'day' OR q.excluded_metric IS NOT NULL)
                AND n.occurrences > 0
                AND n.account_id = q.account_id
                AND n.dimension_type = q.dimension_type
                AND n.metric = q.metric
                AND n.date >= lower(q.days)
                AND n.date < upper(q.days)
                AND q.days @> n.date
                AND (dates IS NULL OR n.date = ANY (dates))
                AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)
                UNION
                SELECT
                    e.dimension_id,
                    e.bucket,
                    e.member
                FROM (
                    SELECT
                        d.dimension_id,
                        z.bucket,
                        CASE
                            WHEN q.business_hours THEN e.value_in_business_hours
                            ELSE e.value
                        END AS value,
                        CASE q.metric
                            WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
                            WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
                        END AS member
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
                        FROM unnest(q.moments) i (moments)
                        CROSS JOIN public.reporting_events e
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
                        AND e.account_id = q.account_id
                        AND e.name::text = q.event
                        AND e.created_at >= lower(i.moments) AT TIME ZONE 'UTC'
                        AND e.created_at < upper(i.moments) AT TIME ZONE 'UTC'
                        OFFSET 0
                    ) e
                    CROSS JOIN LATERAL (
                        SELECT
                            CASE q.dimension_type
                                WHEN 'account' THEN e.account_id::bigint
                                WHEN 'agent' THEN e.user_id::bigint
                                WHEN 'inbox' THEN e.inbox_id::bigint
                            END AS dimension_id
                        OFFSET 0
                    ) d
                    CROSS JOIN LATERAL (
                        SELECT e.created_at AT TIME ZONE 'UTC' AS moment
                    ) t
                    CROSS JOIN LATERAL (
                        SELECT
                            CASE q.unit
                                WHEN 'range' THEN q.since
                                WHEN 'hour' THEN date_trunc('hour', t.moment, q.timezone)
                                ELSE (
                                    date_trunc(q.unit, t.moment AT TIME ZONE q.timezone + q.week_shift)
                                    - q.week_shift
                                ) AT TIME ZONE q.timezone
                            END AS bucket
                        WHERE NOT q.days @> (t.moment AT TIME ZONE q.timezone)::date
                    ) z
                    WHERE d.dimension_id = q.dimension_id
                    OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
                ) e
                WHERE e.member IS NOT NULL
            ) n
            WHERE NOT EXISTS (
                SELECT
                FROM excluded x
                WHERE x.dimension_id = n.dimension_id
                AND x.member = n.member
            )
            GROUP BY
                n.dimension_id,
                n.bucket
        ) b;
        RETURN;
    END IF;

    IF q.excluded_metric IS NOT NULL THEN
        RETURN QUERY
        WITH excluded AS MATERIALIZED (
            SELECT
                n.dimension_id,
                n.member
            FROM rollup.current_members n
            WHERE n.occurrences > 0
            AND n.account_id = q.account_id
            AND n.dimension_type = q.dimension_type
            AND n.metric = q.excluded_metric
            AND n.date >= lower(q.days)
            AND n.date < upper(q.days)
            AND q.days @> n.date
            AND (dates IS NULL OR n.date = ANY (dates))
            AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)

            UNION
            SELECT
                e.dimension_id,
                e.member
            FROM (
                SELECT
                    d.dimension_id,
                    z.bucket,
                    CASE
                        WHEN q.business_hours THEN e.value_in_business_hours
                        ELSE e.value
                    END AS value,
                    CASE q.metric
                        WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
                        WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
                    END AS member
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
                    FROM unnest(q.moments) i (moments)
                    CROSS JOIN public.reporting_events e
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
                    AND e.account_id = q.account_id
                    AND e.name::text = q.excluded_event
                    AND e.created_at >= lower(i.moments) AT TIME ZONE 'UTC'
                    AND e.created_at < upper(i.moments) AT TIME ZONE 'UTC'
                    OFFSET 0
                ) e
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.dimension_type
                            WHEN 'account' THEN e.account_id::bigint
                            WHEN 'agent' THEN e.user_id::bigint
                            WHEN 'inbox' THEN e.inbox_id::bigint
                        END AS dimension_id
                    OFFSET 0
                ) d
                CROSS JOIN LATERAL (
                    SELECT e.created_at AT TIME ZONE 'UTC' AS moment
                ) t
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.unit
                            WHEN 'range' THEN q.since
                            WHEN 'hour' THEN date_trunc('hour', t.moment, q.timezone)
                            ELSE (
                                date_trunc(q.unit, t.moment AT TIME ZONE q.timezone + q.week_shift)
                                - q.week_shift
                            ) AT TIME ZONE q.timezone
                        END AS bucket
                    WHERE NOT q.days @> (t.moment AT TIME ZONE q.timezone)::date
                ) z
                WHERE d.dimension_id = q.dimension_id
                OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
            ) e
            WHERE e.member IS NOT NULL
        )
        SELECT
            b.dimension_id,
            b.bucket,
            sum(b.events)::bigint,
            0::bigint,
            0::double precision
        FROM (
            SELECT
                r.dimension_id,
                CASE q.unit
                    WHEN 'range' THEN q.since
                    ELSE (
                        date_trunc(q.unit, r.date::timestamp + q.week_shift)
                        - q.week_shift
                    ) AT TIME ZONE q.timezone
                END AS bucket,
                r.count AS events
            FROM rollup.current_rollups r
            WHERE r.account_id = q.account_id
            AND r.dimension_type = q.dimension_type
            AND r.metric = q.metric
            AND r.date >= lower(q.days)
            AND r.date < upper(q.days)
            AND q.days @> r.date
            AND (dates IS NULL OR r.date = ANY (dates))
            AND (q.dimension_id IS NULL OR r.dimension_id = q.dimension_id)
            UNION ALL
            SELECT
                n.dimension_id,
                CASE q.unit
                    WHEN 'range' THEN q.since
                    ELSE (
                        date_trunc(q.unit, n.date::timestamp + q.week_shift)
                        - q.week_shift
                    ) AT TIME ZONE q.timezone
                END,
                - n.occurrences
            FROM rollup.current_members n
            JOIN excluded x ON x.dimension_id = n.dimension_id AND x.member = n.member
            WHERE n.account_id = q.account_id
            AND n.dimension_type = q.dimension_type
            AND n.metric = q.metric
            AND n.date >= lower(q.days)
            AND n.date < upper(q.days)
            AND q.days @> n.date
            AND (dates IS NULL OR n.date = ANY (dates))
            AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)
            UNION ALL
            SELECT
                e.dimension_id,
                e.bucket,
                1
            FROM (
                SELECT
                    d.dimension_id,
                    z.bucket,
                    CASE
                        WHEN q.business_hours THEN e.value_in_business_hours
                        ELSE e.value
                    END AS value,
                    CASE q.metric
                        WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
                        WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
                    END AS member
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
                    FROM unnest(q.moments) i (moments)
                    CROSS JOIN public.reporting_events e
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
                    AND e.account_id = q.account_id
                    AND e.name::text = q.event
                    AND e.created_at >= lower(i.moments) AT TIME ZONE 'UTC'
                    AND e.created_at < upper(i.moments) AT TIME ZONE 'UTC'
                    OFFSET 0
                ) e
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.dimension_type
                            WHEN 'account' THEN e.account_id::bigint
                            WHEN 'agent' THEN e.user_id::bigint
                            WHEN 'inbox' THEN e.inbox_id::bigint
                        END AS dimension_id
                    OFFSET 0
                ) d
                CROSS JOIN LATERAL (
                    SELECT e.created_at AT TIME ZONE 'UTC' AS moment
                ) t
                CROSS JOIN LATERAL (
                    SELECT
                        CASE q.unit
                            WHEN 'range' THEN q.since
                            WHEN 'hour' THEN date_trunc('hour', t.moment, q.timezone)
                            ELSE (
                                date_trunc(q.unit, t.moment AT TIME ZONE q.timezone + q.week_shift)
                                - q.week_shift
                            ) AT TIME ZONE q.timezone
                        END AS bucket
                    WHERE NOT q.days @> (t.moment AT TIME ZONE q.timezone)::date
                ) z
                WHERE d.dimension_id = q.dimension_id
                OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
            ) e
            WHERE NOT EXISTS (
                SELECT
                FROM excluded x
                WHERE x.dimension_id = e.dimension_id
                AND x.member = e.member
            )
        ) b
        GROUP BY
            b.dimension_id,
            b.bucket;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT
        b.dimension_id,
        b.bucket,
        sum(b.events)::bigint,
        sum(b.measured)::bigint,
        sum(b.total)
    FROM (
        SELECT
            r.dimension_id,
            CASE q.unit
                WHEN 'range' THEN q.since
                ELSE (
                    date_trunc(q.unit, r.date::timestamp + q.week_shift)
                    - q.week_shift
                ) AT TIME ZONE q.timezone
            END AS bucket,
            r.count AS events,
            CASE
                WHEN q.business_hours THEN r.business_hours_count
                ELSE r.value_count
            END AS measured,
            CASE
                WHEN q.business_hours THEN r.sum_value_business_hours
                ELSE r.sum_value
            END AS total
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
        WHERE r.account_id = q.account_id
        AND r.dimension_type = q.dimension_type
        AND r.metric = q.metric
        AND r.date >= lower(q.days)
        AND r.date < upper(q.days)
        AND q.days @> r.date
        AND (dates IS NULL OR r.date = ANY (dates))
        AND (q.dimension_id IS NULL OR r.dimension_id = q.dimension_id)
        UNION ALL
        SELECT
            e.dimension_id,
            e.bucket,
            count(*),
            count(e.value),
            coalesce(sum(e.value), 0)
        FROM (
            SELECT
                d.dimension_id,
                z.bucket,
                CASE
                    WHEN q.business_hours THEN e.value_in_business_hours
                    ELSE e.value
                END AS value,
                CASE q.metric
                    WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
                    WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
                END AS member
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
                FROM unnest(q.moments) i (moments)
                CROSS JOIN public.reporting_events e
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
                AND e.account_id = q.account_id
                AND e.name::text = q.event
                AND e.created_at >= lower(i.moments) AT TIME ZONE 'UTC'
                AND e.created_at < upper(i.moments) AT TIME ZONE 'UTC'
                OFFSET 0
            ) e
            CROSS JOIN LATERAL (
                SELECT
                    CASE q.dimension_type
                        WHEN 'account' THEN e.account_id::bigint
                        WHEN 'agent' THEN e.user_id::bigint
                        WHEN 'inbox' THEN e.inbox_id::bigint
                    END AS dimension_id
                OFFSET 0
            ) d
            CROSS JOIN LATERAL (
                SELECT e.created_at AT TIME ZONE 'UTC' AS moment
            ) t
            CROSS JOIN LATERAL (
                SELECT
                    CASE q.unit
                        WHEN 'range' THEN q.since
                        WHEN 'hour' THEN date_trunc('hour', t.moment, q.timezone)
                        ELSE (
                            date_trunc(q.unit, t.moment AT TIME ZONE q.timezone + q.week_shift)
                            - q.week_shift
                        ) AT TIME ZONE q.timezone
                    END AS bucket
                WHERE NOT q.days @> (t.moment AT TIME ZONE q.timezone)::date
            ) z
            WHERE d.dimension_id = q.dimension_id
            OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
        ) e
        GROUP BY
            e.dimension_id,
            e.bucket
    ) b
    GROUP BY
        b.dimension_id,
        b.bucket
    HAVING sum(b.events) <> 0;
END
$function$;

COMMENT ON FUNCTION rollup.report_rows(rollup.report_request) IS
    'What a report is made of: per dimension and bucket the number of events, of those with a number, and the sum of the numbers.';
