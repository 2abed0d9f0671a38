CREATE OR REPLACE FUNCTION rollup.require_timezones(account_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where the time zone of one of these accounts, or for NULL of any, is
 * one that the server no longer knows, since an upgrade of its time zone data.
 */
DECLARE
    lost record;
BEGIN
    SELECT
        a.account_id,
        a.timezone AS zone
    INTO lost
    FROM rollup.accounts a
    WHERE (require_timezones.account_ids IS NULL OR a.account_id = ANY (require_timezones.account_ids))
    AND NOT rollup.knows_timezone(a.timezone)
    ORDER BY a.account_id
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION 'account % has a time zone that the server does not know: %',
            lost.account_id,
            quote_literal(lost.zone)
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format(
                    'Give it another: SELECT rollup.set_timezone(%1$s, ...); CALL rollup.backfill(%1$s).',
                    lost.account_id
                );
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_timezones(bigint[]) IS
    'Raises 22023 where the time zone of one of these accounts (NULL: of any) is not known to the server.';
