CREATE OR REPLACE FUNCTION rollup.accounts_after_delete()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Follows the time zones that the application keeps for its accounts, over every delete of them.
 */
DECLARE
    changed bigint[];
BEGIN
    IF TG_TABLE_NAME <> 'accounts' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.accounts') THEN
            RETURN NULL;
        END IF;
    END IF;

    BEGIN
        changed := ARRAY (
            SELECT s.account_id
            FROM (
                SELECT
                    s.id::bigint AS account_id,
                    nullif(btrim(s.settings ->> 'reporting_timezone'), '') AS setting
                FROM deleted s
                WHERE s.id IS NOT NULL
            ) s
        );

        PERFORM rollup.follow_accounts(changed) WHERE cardinality(changed) > 0;
    EXCEPTION
        -- internal_error: PostgreSQL 18 raises it for a virtual generated column.
        WHEN syntax_error_or_access_rule_violation OR data_exception OR internal_error THEN
            PERFORM rollup.void_coverage(again => false);
            RETURN NULL;
    END;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.accounts_after_delete() IS
    'Trigger function: follows the time zones of accounts over every delete of the application.';

-- No other role may run it, with its owner's rights, on a table of that role.
REVOKE EXECUTE ON FUNCTION rollup.accounts_after_delete() FROM PUBLIC;
