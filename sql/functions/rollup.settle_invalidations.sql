CREATE OR REPLACE FUNCTION rollup.settle_invalidations()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Sets the time zones in rollup.timezone_requests, and voids the coverage of the accounts in
 * rollup.invalidations and takes over their time zones, for those that could not do so
 * themselves without waiting. Waits for no session either: what another
 * one is changing is left for the next call.
 */
DECLARE
    request record;
    account_ids bigint[];
    has_all boolean;
BEGIN
    PERFORM rollup.require_read_committed();
    PERFORM rollup.require_tables();

    FOR request IN
        WITH taken AS (
            DELETE FROM rollup.timezone_requests i
            WHERE i.ctid = ANY (ARRAY (
                SELECT j.ctid
                FROM rollup.timezone_requests j
                FOR UPDATE SKIP LOCKED
            ))
            RETURNING
                i.account_id,
                i.timezone,
                i.requested_at
        )
        SELECT DISTINCT ON (t.account_id)
            t.account_id,
            t.timezone
        FROM taken t
        ORDER BY
            t.account_id,
            t.requested_at DESC
    LOOP
        PERFORM rollup.want_timezone(request.account_id, request.timezone);
    END LOOP;

    WITH taken AS (
        DELETE FROM rollup.invalidations i
        WHERE i.ctid = ANY (ARRAY (
            SELECT j.ctid
            FROM rollup.invalidations j
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING i.account_id
    ),
    named AS MATERIALIZED (
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.account_id IN (
            SELECT t.account_id
            FROM taken t
            WHERE t.account_id IS NOT NULL
        )
        OR EXISTS (
            SELECT
            FROM taken t
            WHERE t.account_id IS NULL
        )
    ),
    free AS MATERIALIZED (
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.account_id IN (SELECT n.account_id FROM named n)
        ORDER BY a.account_id
        FOR NO KEY UPDATE SKIP LOCKED
    ),
    voided AS (
        UPDATE rollup.accounts a
        SET covered = '{}'
        FROM free f
        WHERE a.account_id = f.account_id
    ),
    postponed AS (
        INSERT INTO rollup.invalidations (account_id)
        SELECT n.account_id
        FROM named n
        WHERE n.account_id NOT IN (SELECT f.account_id FROM free f)
    )
    SELECT
        array_agg(t.account_id),
        bool_or(t.account_id IS NULL)
    INTO
        account_ids,
        has_all
    FROM taken t;

    IF has_all THEN
        PERFORM rollup.follow_accounts();
    ELSIF account_ids IS NOT NULL THEN
        PERFORM rollup.follow_accounts(account_ids);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.settle_invalidations() IS
    'Settles what had to be put off, without waiting for any session: see rollup.invalidations.';

REVOKE EXECUTE ON FUNCTION rollup.settle_invalidations() FROM PUBLIC;
