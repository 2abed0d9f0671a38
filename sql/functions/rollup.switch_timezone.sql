CREATE OR REPLACE FUNCTION rollup.switch_timezone(account_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Puts the time zone that is wanted into force for an account, or for all (NULL), and voids the
 * coverage of those whose zone changes. What is recorded still has the days of the old zone: the
 * caller rebuilds it, in this transaction or, days being uncovered, in later ones. Settles what
 * the application changed before.
 *
 * Holds the slot, so that no writer adds days of two zones to one record. Takes no row that
 * somebody else is changing: a transaction that sets a zone may go on to wait for the slot.
 */
BEGIN
    PERFORM rollup.settle_invalidations();
    PERFORM rollup.lock_record(switch_timezone.account_id);

    UPDATE rollup.accounts a
    SET
        timezone = a.wanted,
        covered = '{}'
    FROM (
        SELECT b.account_id
        FROM rollup.accounts b
        WHERE (switch_timezone.account_id IS NULL OR b.account_id = switch_timezone.account_id)
        AND b.timezone IS DISTINCT FROM b.wanted
        ORDER BY b.account_id
        FOR NO KEY UPDATE SKIP LOCKED
    ) b
    WHERE a.account_id = b.account_id;
END
$function$;

COMMENT ON FUNCTION rollup.switch_timezone(bigint) IS
    'Puts the wanted time zone of an account (NULL: of all) into force under its slot, and voids the coverage of what changes.';
