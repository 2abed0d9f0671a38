CREATE OR REPLACE FUNCTION rollup.accounts_after_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'off'
AS $function$
/*
 * Follows the time zone that the application keeps for an account. Never an error for the
 * application, which waits for no session: see rollup.follow_accounts(). Where the accounts cannot be read,
 * because a column has changed or row-level security hides rows, no day is covered from then on.
 */
BEGIN
    IF TG_TABLE_NAME <> 'accounts' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.accounts') THEN
            RETURN NULL;
        END IF;
    END IF;

    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            PERFORM rollup.follow_accounts();
            RETURN NULL;
        END IF;

        IF TG_OP = 'INSERT' AND NEW.settings ->> 'reporting_timezone' IS NULL THEN
            RETURN NULL;
        END IF;

        IF TG_OP = 'UPDATE'
            AND NEW.id = OLD.id
            AND NEW.settings ->> 'reporting_timezone'
                IS NOT DISTINCT FROM OLD.settings ->> 'reporting_timezone'
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
    EXCEPTION
        -- The last is what PostgreSQL 18 says of a virtual generated column.
        WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
            IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
                OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
            THEN
                INSERT INTO rollup.invalidations (account_id)
                VALUES (NULL);
            END IF;
            RETURN NULL;
    END;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.accounts_after_change() IS
    'Trigger function: follows the time zone that the application keeps for an account.';

-- Nobody else may run it, with its owner's rights, on a table of his own.
REVOKE EXECUTE ON FUNCTION rollup.accounts_after_change() FROM PUBLIC;
