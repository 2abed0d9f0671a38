CREATE OR REPLACE FUNCTION rollup.resolve_report(account_id bigint, metric text, dimension_type text, dimension_id bigint, since timestamp with time zone, until timestamp with time zone, unit text, business_hours boolean, timezone text, week_start text)
 RETURNS rollup.report_request
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Works out what is asked of a report, or says what is wrong with it (SQLSTATE 22023 or 0A000, with a
 * hint): the one place that knows which days are read from rollups.
 *
 * Those are whole days on which the metric is covered, in a zone that has the same days as the record, of an
 * account whose reads are on. Sealed days, whose events are gone, are read from rollups whatever else
 * holds; where that cannot answer what is asked, it is refused (55000).
 *
 * The setting rollup.reads overrules, for a session, whether reads are on: 'on', 'off' or, what each
 * account says, 'account'.
 *
 * Without a dimension_type a report is about the account, without a dimension_id about every one of
 * the type. The unit 'range' makes all of it one bucket.
 */
DECLARE
    account record;
    whole daterange;
    gone datemultirange;
    kept datemultirange;
    kept_in text;
    slack integer;
    is_same boolean;
    reads text := coalesce(nullif(current_setting('rollup.reads', true), ''), 'account');
    q rollup.report_request;
BEGIN
    q.dimension_type := coalesce(resolve_report.dimension_type, 'account');

    IF resolve_report.metric = ANY (
        ARRAY [
            'conversations_count',
            'incoming_messages_count',
            'outgoing_messages_count'
        ]::text[]
    ) THEN
        RAISE EXCEPTION '% is not made of events', resolve_report.metric
            USING ERRCODE = 'feature_not_supported',
                HINT = 'The application answers it, from other tables.';
    END IF;

    PERFORM rollup.require_choice(
        'metric',
        resolve_report.metric,
        ARRAY (SELECT m.report FROM rollup.reports m)
    );
    PERFORM rollup.require_choice(
        'dimension',
        q.dimension_type,
        ARRAY [
            'account',
            'agent',
            'inbox'
        ]::text[]
    );
    PERFORM rollup.require_choice(
        'period',
        resolve_report.unit,
        ARRAY ['hour', 'day', 'week', 'month', 'quarter', 'year', 'range']
    );
    PERFORM rollup.require_choice(
        'start of the week', resolve_report.week_start, ARRAY ['sunday', 'monday']
    );
    PERFORM rollup.require_choice('setting of rollup.reads', reads, ARRAY ['account', 'on', 'off']);
    PERFORM rollup.require_moments(resolve_report.since, resolve_report.until);
    PERFORM rollup.require_known(resolve_report.account_id);

    q.account_id := resolve_report.account_id;
    q.dimension_id := resolve_report.dimension_id;
    q.since := resolve_report.since;
    q.until := resolve_report.until;
    q.unit := resolve_report.unit;
    q.week_shift := CASE
        WHEN q.unit = 'week' AND resolve_report.week_start = 'sunday' THEN interval '1 day'
        ELSE interval '0'
    END;
    q.business_hours := coalesce(resolve_report.business_hours, false);

    SELECT m.event, m.metric, m.is_average, m.is_distinct, m.excluded_event, m.excluded_metric
    INTO q.event, q.metric, q.is_average, q.is_distinct, q.excluded_event, q.excluded_metric
    FROM rollup.reports m
    WHERE m.report = resolve_report.metric;

    SELECT a.timezone, a.wanted, a.sealed, a.reads_enabled, v.covered, v.missing
    INTO account
    FROM rollup.accounts a
    CROSS JOIN LATERAL (
        SELECT
            range_intersect_agg(c.covered) AS covered,
            coalesce(range_agg(x.days), '{}') AS missing
        FROM rollup.metric_coverage c
        LEFT JOIN LATERAL unnest(c.missing) x (days) ON true
        WHERE c.account_id = a.account_id
        AND c.dimension_type = q.dimension_type
        AND c.metric IN (q.metric, q.excluded_metric)
    ) v
    WHERE a.account_id = q.account_id;

    q.timezone := rollup.report_timezone(resolve_report.timezone, account.wanted, q.unit);
    whole := rollup.whole_days(q.since, q.until, q.timezone);
    kept_in := CASE WHEN rollup.knows_timezone(account.timezone) THEN account.timezone END;
    slack := CASE WHEN kept_in IS NULL THEN 1 ELSE 0 END;
    is_same := coalesce(rollup.are_same_days(whole, q.timezone, kept_in), false);
    q.raw_because := CASE
        WHEN account.wanted IS NULL THEN 'the account has no time zone'
        WHEN reads = 'off' THEN 'rollup.reads is off'
        WHEN reads = 'account' AND NOT account.reads_enabled THEN 'reads are off for the account'
        WHEN q.unit = 'hour' THEN 'rollups have no hours'
        WHEN account.timezone IS DISTINCT FROM account.wanted THEN 'its time zone has changed'
        WHEN NOT is_same THEN format('its rollups have the days of %s', account.timezone)
    END;
    q.days := CASE
        WHEN q.raw_because IS NULL THEN account.covered * datemultirange(whole)
        ELSE '{}'
    END;

    -- The sealed days that are touched, as the record has them; a day more where its zone is lost. A
    -- local time may be earlier than one before it, hence the least and the greatest.
    SELECT account.sealed * datemultirange(daterange(min(d.date) - slack, max(d.date) + slack, '[]'))
    INTO gone
    FROM (VALUES
        ((q.since AT TIME ZONE coalesce(kept_in, q.timezone))::date),
        (((q.until - interval '1 microsecond') AT TIME ZONE coalesce(kept_in, q.timezone))::date)
    ) d (date);

    IF NOT isempty(gone) AND q.since < q.until THEN
        IF NOT (
            SELECT v.is_deployed
            FROM rollup.coverage v
            WHERE v.account_id = q.account_id
        ) THEN
            RAISE EXCEPTION 'another registry has been deployed since this snapshot'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    HINT = 'Ask again in a new transaction.';
        END IF;

        kept := CASE
            WHEN is_same AND q.unit <> 'hour' THEN gone * datemultirange(whole) - account.missing
            ELSE '{}'
        END;

        IF gone && account.missing OR EXISTS (
            SELECT
            FROM rollup.current_rollups r
            WHERE r.account_id = q.account_id
            AND r.date >= lower(gone - kept)
            AND r.date < upper(gone - kept)
            AND gone - kept @> r.date
        ) THEN
            RAISE EXCEPTION 'raw events of account % before % have been purged',
                q.account_id,
                upper(account.sealed)
                USING ERRCODE = 'object_not_in_prerequisite_state',
                    DETAIL = CASE
                        WHEN gone && account.missing
                            THEN format('Before that, %s was not yet counted.', resolve_report.metric)
                        ELSE 'Only whole days of them are known.'
                    END,
                    HINT = CASE
                        WHEN gone && account.missing
                            THEN format('Ask for days from %s on.', upper(gone * account.missing))
                        WHEN account.timezone = account.wanted THEN format(
                            'Ask for whole days of %s, or from %s on.',
                            account.timezone,
                            upper(account.sealed)
                        )
                        WHEN account.wanted IS NULL THEN 'Give the account a time zone again.'
                        ELSE format('First run: CALL rollup.backfill(%s).', q.account_id)
                    END;
        END IF;
        q.days := q.days + kept;
    END IF;

    q.moments := rollup.moments_outside(q.days, q.since, q.until, q.timezone);

    RETURN q;
END
$function$;

COMMENT ON FUNCTION rollup.resolve_report(
    bigint, text, text, bigint, timestamptz, timestamptz, text, boolean, text, text
) IS
    'Works out what is asked of a report, and which days of it are read from rollups.';
