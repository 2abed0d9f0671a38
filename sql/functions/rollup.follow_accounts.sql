CREATE OR REPLACE FUNCTION rollup.follow_accounts(account_ids bigint[] DEFAULT NULL::bigint[])
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Takes over the time zones that the application keeps for these accounts (NULL: for all) where they
 * differ from what was last seen there, and returns how many did. So a zone that was set here by
 * rollup.set_timezone() stays until the application changes its own.
 *
 * A name that is no time zone switches the account off; it stays visible in rollup.status, and is
 * never an error. The same holds for an account that is gone.
 *
 * Waits for no session, and takes no slot: a writer that holds one may come here, and a session that
 * holds an account's row may be waiting for the slot. What another session is changing is left to
 * rollup.settle_invalidations(), with no day covered until then; above READ COMMITTED, where a row
 * that has changed since the snapshot is an error, everything is.
 *
 * Rows that another session has inserted and not committed cannot be seen, but would be waited for. So a
 * session that inserts into rollup.accounts holds an advisory lock, tried here in a statement of its own:
 * the next one sees what earlier holders have committed, here and of the application's settings.
 */
DECLARE
    ids bigint[] := follow_accounts.account_ids;
    held bigint[];
    followed bigint;
BEGIN
    IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        INSERT INTO rollup.invalidations (account_id)
        SELECT i.account_id
        FROM unnest(coalesce(ids, ARRAY [NULL::bigint])) i (account_id);
        RETURN 0;
    END IF;

    IF ids IS NULL THEN
        ids := ARRAY (
            SELECT s.id::bigint
            FROM public.accounts s
            UNION
            SELECT a.account_id
            FROM rollup.accounts a
        );
    END IF;

    held := ARRAY (
        SELECT i.account_id
        FROM unnest(ids) i (account_id)
        WHERE pg_try_advisory_xact_lock(
            1919904876,
            257 + (i.account_id & 255)::integer
        )
    );

    WITH settings AS (
        SELECT
            s.id::bigint AS account_id,
            nullif(btrim(s.settings ->> 'reporting_timezone'), '') AS setting
        FROM public.accounts s
        WHERE s.id IS NOT NULL
        AND s.id = ANY (held)
    ),
    changed AS (
        SELECT
            account_id,
            s.setting
        FROM settings s
        FULL JOIN (
            SELECT
                a.account_id,
                a.setting
            FROM rollup.accounts a
            WHERE a.account_id = ANY (held)
        ) a USING (account_id)
        WHERE s.setting IS DISTINCT FROM a.setting
    ),
    zones AS MATERIALIZED (
        SELECT
            d.setting,
            rollup.canonical_timezone(d.setting) AS zone
        FROM (SELECT DISTINCT c.setting FROM changed c) d
    ),
    wanted AS MATERIALIZED (
        SELECT
            c.account_id,
            c.setting,
            z.zone
        FROM changed c
        JOIN zones z ON coalesce(z.setting, '') = coalesce(c.setting, '')
    ),
    free AS MATERIALIZED (
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.account_id IN (SELECT w.account_id FROM wanted w)
        ORDER BY a.account_id
        FOR NO KEY UPDATE SKIP LOCKED
    ),
    busy AS MATERIALIZED (
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.account_id IN (SELECT w.account_id FROM wanted w)
        AND a.account_id NOT IN (SELECT f.account_id FROM free f)
    ),
    written AS (
        INSERT INTO rollup.accounts AS a (account_id, timezone, wanted, setting)
        SELECT
            w.account_id,
            w.zone,
            w.zone,
            w.setting
        FROM wanted w
        WHERE w.account_id NOT IN (SELECT b.account_id FROM busy b)
        ORDER BY w.account_id
        ON CONFLICT (account_id) DO UPDATE
        SET
            timezone = CASE
                WHEN isempty(a.sealed) THEN coalesce(a.timezone, excluded.wanted)
                ELSE a.timezone
            END,
            wanted = excluded.wanted,
            setting = excluded.setting,
            covered = CASE WHEN a.wanted IS NOT DISTINCT FROM excluded.wanted THEN a.covered ELSE '{}' END
    ),
    postponed AS (
        INSERT INTO rollup.invalidations (account_id)
        SELECT b.account_id
        FROM busy b
        UNION ALL
        SELECT i.account_id
        FROM unnest(ids) i (account_id)
        WHERE i.account_id NOT IN (SELECT h.account_id FROM unnest(held) h (account_id))
    )
    SELECT count(*)
    INTO followed
    FROM wanted w
    WHERE (w.zone IS NOT NULL OR w.setting IS NULL)
    AND w.account_id NOT IN (SELECT b.account_id FROM busy b);

    RETURN followed;
END
$function$;

COMMENT ON FUNCTION rollup.follow_accounts(bigint[]) IS
    'Takes over the time zones that the application keeps for these accounts (NULL: for all) where they have changed; returns how many did.';

REVOKE EXECUTE ON FUNCTION rollup.follow_accounts(bigint[]) FROM PUBLIC;
