CREATE OR REPLACE FUNCTION rollup.gone_partitions(account_ids bigint[] DEFAULT NULL::bigint[], since date DEFAULT NULL::date, until date DEFAULT NULL::date)
 RETURNS TABLE(partition text, source oid, relation oid, starts_at timestamp with time zone, ends_at timestamp with time zone, days datemultirange)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * The tables that were partitions of the events table at the last deployment and are none now, dropped or
 * detached, as far as totals of these accounts (NULL: of all) may be all that is left of their events,
 * and as far as their days meet those since (inclusive) until (exclusive; NULL: no bound).
 *
 * Nothing is lost where the account has no total on the days of the partition that is not sealed. A
 * partition that was renamed is not gone. After a restore all oids are others, and names tell. Where the
 * table of totals itself is gone there are none to lose.
 */
BEGIN
    IF to_regclass('public.reporting_events_rollups') IS NULL THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH present AS MATERIALIZED (
        SELECT
            c.schema_name,
            c.table_name,
            c.relation,
            c.source
        FROM rollup.current_partitions() c
    ),
    missing AS MATERIALIZED (
        SELECT
            p.schema_name,
            p.table_name,
            p.source,
            p.relation,
            p.since,
            p.until,
            rollup.days_around(p.since, p.until) AS days
        FROM rollup.partitions p
        WHERE NOT EXISTS (
            SELECT
            FROM present c
            WHERE CASE
                WHEN p.source = to_regclass('public.reporting_events') THEN c.relation = p.relation
                ELSE (c.schema_name, c.table_name) = (p.schema_name, p.table_name)
            END
        )
    )
    SELECT
        format('%I.%I', m.schema_name, m.table_name),
        m.source,
        m.relation,
        m.since,
        m.until,
        m.days
    FROM missing m
    WHERE m.days && datemultirange(daterange(
        nullif(gone_partitions.since, '-infinity'),
        nullif(gone_partitions.until, 'infinity')
    ))
    AND EXISTS (
        SELECT
        FROM rollup.accounts a
        CROSS JOIN LATERAL unnest(
            CASE
                WHEN rollup.knows_timezone(a.timezone)
                THEN datemultirange(daterange(
                    (m.since AT TIME ZONE a.timezone)::date,
                    ((m.until - interval '1 microsecond') AT TIME ZONE a.timezone)::date + 1
                ))
                ELSE m.days
            END - a.sealed
        ) d (days)
        WHERE a.timezone IS NOT NULL
        AND (gone_partitions.account_ids IS NULL OR a.account_id = ANY (gone_partitions.account_ids))
        AND (
            EXISTS (
                SELECT
                FROM public.reporting_events_rollups r
                WHERE r.account_id = a.account_id
                AND (lower(d.days) IS NULL OR r.date >= lower(d.days))
                AND (upper(d.days) IS NULL OR r.date < upper(d.days))
            )
            OR EXISTS (
                SELECT
                FROM rollup.pending_events p
                WHERE p.account_id = a.account_id
                AND d.days @> (p.at AT TIME ZONE 'UTC')::date
            )
        )
    )
    ORDER BY
        m.since,
        m.schema_name,
        m.table_name;
END
$function$;

COMMENT ON FUNCTION rollup.gone_partitions(bigint[], date, date) IS
    'The partitions that were dropped or detached since the last deployment, where totals of accounts (NULL: of all) on days since (inclusive) until (exclusive) may be all that is left of their events.';
