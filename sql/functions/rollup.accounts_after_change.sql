CREATE OR REPLACE FUNCTION rollup.accounts_after_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Follows the time zone that the application keeps for an account. Never an error for the
 * application, which waits for nobody: see rollup.follow_accounts().
 */
BEGIN
    IF TG_OP = 'INSERT' AND NEW.settings ->> 'reporting_timezone' IS NULL THEN
        RETURN NULL;
    END IF;

    IF TG_OP = 'UPDATE'
        AND NEW.id = OLD.id
        AND NEW.settings ->> 'reporting_timezone' IS NOT DISTINCT FROM OLD.settings ->> 'reporting_timezone'
    THEN
        RETURN NULL;
    END IF;

    PERFORM rollup.follow_accounts(ARRAY (
        SELECT i.account_id
        FROM (VALUES
            (OLD.id::bigint),
            (NEW.id::bigint)
        ) i (account_id)
        WHERE i.account_id IS NOT NULL
        GROUP BY i.account_id
    ));

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.accounts_after_change() IS
    'Trigger function: follows the time zone that the application keeps for an account.';

-- Nobody else may run it, with its owner's rights, on a table of his own.
REVOKE EXECUTE ON FUNCTION rollup.accounts_after_change() FROM PUBLIC;
