CREATE OR REPLACE FUNCTION rollup.forget_partition(partition text, keep_totals boolean)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
#variable_conflict use_column
/*
 * Decides what becomes of the totals of a partition that was dropped or detached, and forgets it: see
 * rollup.gone_partitions(). Returns of how many accounts days have been sealed.
 *
 * With keep_totals its days are sealed for every account that has totals there, so that no rebuild deletes
 * them: those that lie whole within its bounds in the time zone of the account. What it had of the first
 * and last day is lost with the next backfill, as all of it is without keep_totals: on these days nothing
 * is covered any more.
 *
 * Holds all slots, so it waits for rebuilds, and writers append. Refuses (22023) a table that is not such
 * a partition, and, with keep_totals, one whose bounds are not known.
 */
DECLARE
    gone record;
    account_ids bigint[];
    busy bigint;
    kept bigint;
BEGIN
    PERFORM rollup.require_read_committed();
    PERFORM rollup.lock_record(NULL);
    IF NOT rollup.is_deployed('e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d') THEN
        RAISE EXCEPTION 'another registry has been deployed meanwhile'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Nothing has been changed: call it again.';
    END IF;

    SELECT g.source, g.relation, g.starts_at, g.ends_at, g.days
    INTO gone
    FROM rollup.gone_partitions() g
    WHERE parse_ident(g.partition) = parse_ident(forget_partition.partition)
    LIMIT 1;

    IF NOT FOUND THEN
        RAISE EXCEPTION 'no partition that is gone with its events is named %', forget_partition.partition
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'These are: SELECT partition FROM rollup.gone_partitions().';
    END IF;

    IF forget_partition.keep_totals IS NULL THEN
        RAISE EXCEPTION 'keep_totals is NULL'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Say true to keep the totals, or false to let the next rebuild delete them.';
    END IF;

    IF forget_partition.keep_totals AND coalesce(gone.ends_at, 'infinity') = 'infinity' THEN
        RAISE EXCEPTION 'the days of partition % are not known', forget_partition.partition
            USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format(
                    'Only a partition BY RANGE of %I alone has an upper bound that is known.',
                    'created_at'
                ),
                HINT = format(
                    'Let its totals be deleted: SELECT rollup.forget_partition(%L, keep_totals => false).',
                    forget_partition.partition
                );
    END IF;

    account_ids := ARRAY (SELECT a.account_id FROM rollup.accounts a);

    -- A session that holds the row of an account may be waiting for a slot that is held here.
    PERFORM
    FROM rollup.accounts a
    ORDER BY a.account_id
    FOR NO KEY UPDATE SKIP LOCKED;
    GET DIAGNOSTICS busy = ROW_COUNT;

    IF busy < cardinality(account_ids) THEN
        RAISE EXCEPTION 'another session is changing the time zone of an account'
            USING ERRCODE = 'lock_not_available',
                HINT = 'Nothing has been changed: call it again.';
    END IF;

    -- A rebuild takes pending events for those that it finds in the table.
    PERFORM rollup.fold_pending(account_ids, 0, NULL);

    WITH whole AS MATERIALIZED (
        SELECT
            a.account_id,
            datemultirange(daterange(
                CASE
                    WHEN gone.starts_at > '-infinity'
                    THEN least(
                        ((gone.starts_at AT TIME ZONE a.timezone) - interval '1 microsecond')::date + 1,
                        (gone.ends_at AT TIME ZONE a.timezone)::date
                    )
                END,
                (gone.ends_at AT TIME ZONE a.timezone)::date
            )) - a.sealed AS days
        FROM rollup.accounts a
        WHERE forget_partition.keep_totals
        AND rollup.knows_timezone(a.timezone)
    ),
    sealed AS (
        SELECT
            w.account_id,
            w.days
        FROM whole w
        WHERE EXISTS (
            SELECT
            FROM unnest(w.days) d (days)
            JOIN public.reporting_events_rollups r ON r.account_id = w.account_id
                AND (lower(d.days) IS NULL OR r.date >= lower(d.days))
                AND (upper(d.days) IS NULL OR r.date < upper(d.days))
        )
    ),
    changed AS (
        UPDATE rollup.accounts a
        SET
            sealed = a.sealed + coalesce(s.days, '{}'),
            covered = a.covered - (gone.days - a.sealed - coalesce(s.days, '{}'))
        FROM rollup.accounts b
        LEFT JOIN sealed s ON s.account_id = b.account_id
        WHERE a.account_id = b.account_id
    )
    SELECT count(*)
    INTO kept
    FROM sealed;

    DELETE FROM rollup.partitions p
    WHERE p.source = gone.source
    AND p.relation = gone.relation;

    RETURN kept;
END
$function$;

COMMENT ON FUNCTION rollup.forget_partition(text, boolean) IS
    'Forgets a partition that was dropped or detached: with keep_totals its totals are kept for good, else the next rebuild deletes them; returns of how many accounts days have been sealed.';

REVOKE EXECUTE ON FUNCTION rollup.forget_partition(text, boolean) FROM PUBLIC;
