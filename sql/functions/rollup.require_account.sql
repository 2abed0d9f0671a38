CREATE OR REPLACE FUNCTION rollup.require_account(account_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where there is no such account, or where it has no time zone and so
 * takes no part; NULL stands for all that do.
 */
BEGIN
    IF require_account.account_id IS NOT NULL AND NOT EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = require_account.account_id
        AND a.wanted IS NOT NULL
    ) THEN
        PERFORM rollup.require_known(require_account.account_id);

        RAISE EXCEPTION 'account % has no time zone', require_account.account_id
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format(
                    'Give it one: SELECT rollup.set_timezone(%s, ''Europe/Berlin'').',
                    require_account.account_id
                );
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_account(bigint) IS
    'Raises 22023 where there is no such account, or where it has no time zone; NULL stands for all that have.';
