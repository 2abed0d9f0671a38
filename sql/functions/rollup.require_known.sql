CREATE OR REPLACE FUNCTION rollup.require_known(account_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where there is no such account: it takes no part, it has no
 * events, and the application has no account of that id.
 */
BEGIN
    IF EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = require_known.account_id
    ) THEN
        RETURN;
    END IF;

    IF EXISTS (
        SELECT
        FROM public.reporting_events e
        WHERE e.account_id = require_known.account_id
    ) THEN
        RETURN;
    END IF;

    IF EXISTS (
        SELECT
        FROM public.accounts s
        WHERE s.id = require_known.account_id
    ) THEN
        RETURN;
    END IF;

    RAISE EXCEPTION 'unknown account %', coalesce(require_known.account_id::text, 'NULL')
        USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Those with rollups are listed by: SELECT account_id FROM rollup.accounts.';
END
$function$;

COMMENT ON FUNCTION rollup.require_known(bigint) IS
    'Raises 22023 where there is no such account.';
