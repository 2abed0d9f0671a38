CREATE OR REPLACE FUNCTION rollup.reporting_events_after_delete()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
#variable_conflict use_variable
/*
 * Keeps the rollups exact over every delete of events, once per statement.
 *
 * The record of an account is written only under its slot, an advisory lock that is tried and never
 * waited for. Where this transaction holds it, the events go straight into the record; where it
 * does not, they are appended to rollup.pending_events, which reads nothing and so can neither
 * wait nor fail. Readers of rollup.current_rollups see the sum of both.
 *
 * Trying the slots is a statement of its own: the next one's snapshot is younger than the lock, and
 * so sees all that earlier holders of the slot have committed.
 *
 * Most statements delete one event that counts. It is read once, into a record, and what it changes is
 * known without sorting, grouping and summing: that takes a good third less time.
 *
 * Under a snapshot that stays open for long, of a dump or an idle transaction, no version of a row is
 * ever cleared away, and every change of a busy total has to find its way past all of them: a
 * millisecond after some thousand. When the events of a session have taken 20 ms longer to record
 * than 0.3 ms each, it appends for a second, folding as in append mode, and then tries again. The
 * first events of a session are slow as well, for they have to be planned, but they are a dozen at
 * most, and none counts for more than 1.5 ms.
 */
DECLARE
    held bigint[];
    account_ids bigint[];
    has_members boolean;
    event record;
    is_alone boolean;
    is_appending boolean;
    is_held boolean;
    day date;
    began timestamptz;
    took integer;
    lateness integer;
    folding bigint[];
    newest bigint;
BEGIN
    IF TG_TABLE_NAME <> 'reporting_events' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.reporting_events') THEN
            PERFORM rollup.note_uncounted(TG_RELID);
            RETURN NULL;
        END IF;
    END IF;

    BEGIN
        FOR event IN
            SELECT
                (-1) AS sign,
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
            FROM deleted e
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
        LOOP
            is_alone := is_alone IS NULL;
            EXIT WHEN NOT is_alone;
        END LOOP;
    EXCEPTION
        -- The last is what PostgreSQL 18 says of a virtual generated column.
        WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
            IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
            THEN
                INSERT INTO rollup.invalidations (account_id)
                VALUES (NULL);
            END IF;
            RETURN NULL;
    END;

    IF is_alone THEN
        IF current_setting('rollup.append_until', true) <> '' THEN
            -- Any client may set it: what is not within a minute from now is ignored.
            is_appending := CASE
                WHEN current_setting('rollup.append_until') ~ '^[0-9]{1,10}([.][0-9]{1,6})?$'
                THEN current_setting('rollup.append_until')::numeric - extract(epoch FROM clock_timestamp())
                    BETWEEN 0 AND 60
            END;
        END IF;

        IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
            AND is_appending IS NOT TRUE
            AND NOT row_security_active('public.reporting_events_rollups'::regclass)
            AND NOT row_security_active('rollup.accounts'::regclass)
            AND NOT row_security_active('rollup.distinct_members'::regclass)
            AND pg_try_advisory_xact_lock(1919904876, (event.account_id & 255)::integer)
        THEN
            BEGIN
                SELECT (event.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date
                INTO day
                FROM rollup.accounts a
                WHERE a.account_id = event.account_id
                AND a.timezone IS NOT NULL;

                is_held := true;
            EXCEPTION
                -- A time zone that the server no longer knows, since an upgrade of its time zone data.
                WHEN invalid_parameter_value THEN
                    NULL;
            END;
        END IF;

        IF is_held IS NOT TRUE THEN
            IF row_security_active('rollup.pending_events'::regclass) THEN
                IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                    OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
                THEN
                    INSERT INTO rollup.invalidations (account_id)
                    VALUES (NULL);
                END IF;
                RETURN NULL;
            END IF;

            INSERT INTO rollup.pending_events (
                sign,
                account_id,
                name,
                created_at,
                user_id,
                inbox_id,
                conversation_id,
                value,
                value_in_business_hours
            )
            VALUES (
                event.sign,
                event.account_id,
                event.name,
                event.created_at,
                event.user_id,
                event.inbox_id,
                event.conversation_id,
                event.value,
                event.value_in_business_hours
            );

            IF is_appending
                AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                AND NOT row_security_active('public.reporting_events_rollups'::regclass)
                AND NOT row_security_active('rollup.accounts'::regclass)
                AND NOT row_security_active('rollup.distinct_members'::regclass)
            THEN
                newest := currval('rollup.pending_events_id_seq');

                IF newest / 512 <> (newest - 1) / 512 THEN
                    -- Those whose turn has come with this statement, and whoever has many.
                    folding := rollup.try_slots(ARRAY (
                        SELECT p.account_id
                        FROM rollup.pending_events p
                        WHERE p.id > newest - 16384
                        GROUP BY p.account_id
                        HAVING (newest / 512 - (hashint8(p.account_id) & 15)) & 15
                            < newest / 512 - (newest - 1) / 512
                        OR count(*) >= 256
                    ));

                    IF cardinality(folding) > 0 THEN
                        PERFORM rollup.fold_pending(folding, newest - 16384, 2048);
                    END IF;
                END IF;
            END IF;

            RETURN NULL;
        END IF;

        began := clock_timestamp();

        IF day IS NOT NULL THEN
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
                        (-1)::bigint AS sign,
                        event.account_id AS account_id,
                        event.name AS name,
                        event.created_at AS created_at,
                        event.user_id AS user_id,
                        event.inbox_id AS inbox_id,
                        event.conversation_id AS conversation_id,
                        event.value AS value,
                        event.value_in_business_hours AS value_in_business_hours
                ) e
                CROSS JOIN (SELECT day AS date) z
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
            ) t
            ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
            SET
                count = r.count + excluded.count,
                value_count = r.value_count + excluded.value_count,
                sum_value = r.sum_value + excluded.sum_value,
                business_hours_count = r.business_hours_count + excluded.business_hours_count,
                sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours,
                updated_at = excluded.updated_at;

            IF event.name IN (
                'conversation_bot_handoff',
                'conversation_bot_resolved'
            ) THEN
                WITH recorded AS (
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
                    FROM (
                        SELECT
                            e.account_id AS account_id,
                            z.date,
                            d.dimension_type,
                            d.dimension_id,
                            m.metric,
                            m.member,
                            e.sign AS occurrences
                        FROM (
                            SELECT
                                (-1)::bigint AS sign,
                                event.account_id AS account_id,
                                event.name AS name,
                                event.created_at AS created_at,
                                event.user_id AS user_id,
                                event.inbox_id AS inbox_id,
                                event.conversation_id AS conversation_id,
                                event.value AS value,
                                event.value_in_business_hours AS value_in_business_hours
                        ) e
                        CROSS JOIN (SELECT day AS date) z
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
                    ) t
                    ON CONFLICT (account_id, date, dimension_type, dimension_id, metric, member) DO UPDATE
                    SET occurrences = n.occurrences + excluded.occurrences
                    RETURNING
                        n.account_id,
                        n.date,
                        n.dimension_type,
                        n.dimension_id,
                        n.metric,
                        n.occurrences
                )
                INSERT INTO public.reporting_events_rollups AS r (
                    account_id,
                    date,
                    dimension_type,
                    dimension_id,
                    metric,
                    count
                )
                SELECT
                    n.account_id,
                    n.date,
                    n.dimension_type,
                    n.dimension_id,
                    n.metric,
                    event.sign AS count
                FROM recorded n
                WHERE n.metric IN ('bot_handoffs_count')
                AND (n.occurrences > 0) <> (n.occurrences - event.sign > 0)
                ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
                SET
                    count = r.count + excluded.count,
                    updated_at = excluded.updated_at;
            END IF;

            IF current_setting('rollup.lateness', true) <> '0'
                OR clock_timestamp() - began > interval '300 microseconds'
            THEN
                took := least(extract(epoch FROM clock_timestamp() - began) * 1000000, 1500);
                lateness := CASE
                    WHEN current_setting('rollup.lateness', true) ~ '^[0-9]{1,5}$'
                    THEN current_setting('rollup.lateness')::integer
                    ELSE 0
                END;
                lateness := greatest(least(lateness + took - 300, 20000), 0);
                PERFORM set_config('rollup.lateness', lateness::text, false);

                IF lateness = 20000 THEN
                    PERFORM set_config(
                        'rollup.append_until',
                        (extract(epoch FROM clock_timestamp()) + 1)::text,
                        false
                    );
                ELSIF lateness = 0 AND current_setting('rollup.append_until', true) <> '' THEN
                    -- What has been appended meanwhile is further back than anybody else looks.
                    newest := (SELECT s.last_value FROM rollup.pending_events_id_seq s);

                    IF rollup.fold_pending(ARRAY [event.account_id], newest - 16384, 500) = 500 THEN
                        -- There is more of it, for the next event of the session.
                        PERFORM set_config('rollup.lateness', '1', false);
                    ELSE
                        PERFORM set_config('rollup.append_until', '', false);
                    END IF;

                    -- That was enough for one statement: others' events are not looked for.
                    RETURN NULL;
                END IF;
            END IF;
        END IF;

        IF date_part('microseconds', began)::integer & 7 = 0 THEN
            newest := (SELECT s.last_value FROM rollup.pending_events_id_seq s);

            IF EXISTS (
                SELECT
                FROM rollup.pending_events p
                WHERE p.id > newest - 4096
                AND p.account_id = ANY (ARRAY [event.account_id])
            ) THEN
                PERFORM rollup.fold_pending(ARRAY [event.account_id], newest - 4096, 500);
            END IF;
        END IF;
    ELSIF NOT is_alone THEN
        -- Evaluates every column of every event: what cannot be read shows before anything is written.
        BEGIN
            SELECT
                array_agg(DISTINCT e.account_id),
                bool_or(e.name IN (
                    'conversation_bot_handoff',
                    'conversation_bot_resolved'
                ))
            INTO
                account_ids,
                has_members
            FROM (
                SELECT
                    (-1) AS sign,
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
                FROM deleted e
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
            ) e
            HAVING count(num_nonnulls(
                e.account_id,
                e.name,
                e.created_at,
                e.user_id,
                e.inbox_id,
                e.conversation_id,
                e.value,
                e.value_in_business_hours
            )) > 0;
        EXCEPTION
            -- The last is what PostgreSQL 18 says of a virtual generated column.
            WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
                IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                    OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
                THEN
                    INSERT INTO rollup.invalidations (account_id)
                    VALUES (NULL);
                END IF;
                RETURN NULL;
        END;

        IF account_ids IS NULL THEN
            RETURN NULL;
        END IF;

        held := '{}';

        -- Where row-level security may refuse totals, the events wait.
        IF NOT row_security_active('public.reporting_events_rollups'::regclass)
        AND NOT row_security_active('rollup.accounts'::regclass)
        AND NOT row_security_active('rollup.distinct_members'::regclass)
        THEN
            held := rollup.try_slots(account_ids);
        END IF;

        IF cardinality(held) > 0 THEN
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
                            (-1) AS sign,
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
                        FROM deleted e
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
                    AND e.account_id = ANY (held)
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
                updated_at = excluded.updated_at;

            IF has_members THEN
                WITH deltas AS MATERIALIZED (
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
                            (-1) AS sign,
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
                        FROM deleted e
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
                    AND e.account_id = ANY (held)
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
                )
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
                    updated_at = excluded.updated_at;
            END IF;
        END IF;

        IF cardinality(held) < cardinality(account_ids) THEN
            IF row_security_active('rollup.pending_events'::regclass) THEN
                IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                    OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
                THEN
                    INSERT INTO rollup.invalidations (account_id)
                    VALUES (NULL);
                END IF;
                RETURN NULL;
            END IF;

            INSERT INTO rollup.pending_events (
                sign,
                account_id,
                name,
                created_at,
                user_id,
                inbox_id,
                conversation_id,
                value,
                value_in_business_hours
            )
            SELECT
                e.sign,
                e.account_id,
                e.name,
                e.created_at,
                e.user_id,
                e.inbox_id,
                e.conversation_id,
                e.value,
                e.value_in_business_hours
            FROM (
                SELECT
                    (-1) AS sign,
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
                FROM deleted e
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
            ) e
            WHERE NOT e.account_id = ANY (held);
        END IF;

        IF cardinality(held) > 0 THEN
            IF date_part('microseconds', clock_timestamp())::integer & 7 = 0 THEN
                newest := (SELECT s.last_value FROM rollup.pending_events_id_seq s);

                IF EXISTS (
                    SELECT
                    FROM rollup.pending_events p
                    WHERE p.id > newest - 4096
                    AND p.account_id = ANY (held)
                ) THEN
                    PERFORM rollup.fold_pending(held, newest - 4096, 500);
                END IF;
            END IF;
        END IF;
    END IF;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_delete() IS
    'Trigger function: keeps the rollups exact over every delete of events, without waiting for anybody.';

-- Nobody else may run it, with its owner's rights, on a table of his own.
REVOKE EXECUTE ON FUNCTION rollup.reporting_events_after_delete() FROM PUBLIC;
