CREATE OR REPLACE FUNCTION rollup.missed_settings(which bigint DEFAULT NULL::bigint)
 RETURNS TABLE(account_id bigint, setting text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * The accounts whose time zone in the application is another than was last seen there, with what it is
 * now: their rows changed while the triggers were off or did not fire, as under session_replication_role
 * or on a logical subscriber. A backfill or rebuild takes them over. Nothing where the role may not
 * read the accounts. Read late, so that the accounts table can be altered and dropped.
 */
BEGIN
    IF EXISTS (SELECT FROM rollup.table_problems())
        OR NOT has_column_privilege('public.accounts', 'id', 'SELECT')
        OR NOT has_column_privilege(
            'public.accounts', 'settings', 'SELECT'
        )
    THEN
        RETURN;
    END IF;

    RETURN QUERY
    SELECT
        account_id,
        s.setting
    FROM (
        SELECT
            s.id::bigint AS account_id,
            nullif(btrim(s.settings ->> 'reporting_timezone'), '') AS setting
        FROM public.accounts s
        WHERE missed_settings.which IS NULL
        OR s.id = missed_settings.which
    ) s
    FULL JOIN (
        SELECT
            a.account_id,
            a.setting
        FROM rollup.accounts a
        WHERE missed_settings.which IS NULL
        OR a.account_id = missed_settings.which
    ) a USING (account_id)
    WHERE s.setting IS DISTINCT FROM a.setting;
END
$function$;

COMMENT ON FUNCTION rollup.missed_settings(bigint) IS
    'Accounts (NULL: of all, else this one only) whose time zone in the application has changed without a trigger firing, and what it is now.';
