CREATE OR REPLACE FUNCTION rollup.switch_timezone(account_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Puts the time zone that is wanted into force for accounts, or for all (NULL), and voids the
 * coverage of those whose zone changes. What is recorded still has the days of the old zone: the
 * caller rebuilds it, in this transaction or, days being uncovered, in later ones.
 *
 * Sealed days cannot be rebuilt: on them, the events that there are since they were purged move to
 * their days in the new zone here. What has been purged stays where it was.
 *
 * Holds the slots, so that no writer adds days of two zones to one record. Takes no row that
 * another session is changing: a transaction that sets a zone may go on to wait for the slot.
 */
DECLARE
    account record;
BEGIN
    PERFORM rollup.lock_record(switch_timezone.account_ids);

    FOR account IN
        SELECT
            a.account_id,
            NOT isempty(a.sealed) AND rollup.knows_timezone(a.timezone) IS NOT FALSE AS moves
        FROM rollup.accounts a
        WHERE (switch_timezone.account_ids IS NULL OR a.account_id = ANY (switch_timezone.account_ids))
        AND a.timezone IS DISTINCT FROM a.wanted
        ORDER BY a.account_id
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        IF account.moves THEN
            PERFORM rollup.fold_pending(ARRAY [account.account_id], 0, NULL);
            PERFORM rollup.count_sealed(account.account_id, -1);
        END IF;

        UPDATE rollup.accounts a
        SET
            timezone = a.wanted,
            covered = '{}'
        WHERE a.account_id = account.account_id;

        IF account.moves THEN
            PERFORM rollup.count_sealed(account.account_id, 1);
        END IF;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION rollup.switch_timezone(bigint[]) IS
    'Puts the wanted time zones of accounts (NULL: of all) into force under their slots, and voids the coverage of what changes.';

REVOKE EXECUTE ON FUNCTION rollup.switch_timezone(bigint[]) FROM PUBLIC;
