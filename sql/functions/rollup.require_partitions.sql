CREATE OR REPLACE FUNCTION rollup.require_partitions(account_ids bigint[], since date, until date)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 55000) where a partition is gone whose totals the caller might delete, because
 * no event of them is left: see rollup.gone_partitions().
 */
DECLARE
    gone record;
BEGIN
    SELECT g.partition, g.days
    INTO gone
    FROM rollup.gone_partitions(
        require_partitions.account_ids, require_partitions.since, require_partitions.until
    ) g
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION 'partition % of % is gone with its events', gone.partition, 'public.reporting_events'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('Totals of these days may be all that is left of them: %s.', gone.days),
                HINT = format(
                    'Keep the totals: SELECT rollup.forget_partition(%1$L, keep_totals => true); or let '
                        'them be deleted: SELECT rollup.forget_partition(%1$L, keep_totals => false).',
                    gone.partition
                );
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_partitions(bigint[], date, date) IS
    'Raises 55000 where a partition is gone, and totals of the accounts on these days may be all that is left of its events.';
