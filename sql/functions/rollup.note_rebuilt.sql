CREATE OR REPLACE FUNCTION rollup.note_rebuilt(account_ids bigint[], rebuilt bigint[], timezones text[], since date, until date, metrics text[], dimension_types text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Notes what rollup.rebuild_accounts() has rebuilt of accounts (NULL: all). Covers the days, where all
 * metrics and dimensions were rebuilt, of those accounts that still have the time zone of the snapshot in
 * which they were read, and takes the days out of the gaps of what was rebuilt.
 *
 * An account's row that another session has locked is about to get another zone, and that session may be
 * waiting for the slot: the row is left as it is.
 */
<<note_rebuilt>>
DECLARE
    span datemultirange := datemultirange(daterange(
        nullif(note_rebuilt.since, '-infinity'),
        nullif(note_rebuilt.until, 'infinity')
    ));
BEGIN
    IF note_rebuilt.metrics IS NULL AND note_rebuilt.dimension_types IS NULL THEN
        UPDATE rollup.accounts a
        SET
            covered = a.covered + note_rebuilt.span,
            rebuilt_at = clock_timestamp()
        FROM (
            SELECT b.account_id
            FROM unnest(note_rebuilt.rebuilt, note_rebuilt.timezones) u (account_id, timezone)
            JOIN rollup.accounts b ON b.account_id = u.account_id AND b.timezone = u.timezone
            WHERE b.timezone = b.wanted
            ORDER BY b.account_id
            FOR NO KEY UPDATE OF b SKIP LOCKED
        ) b
        WHERE a.account_id = b.account_id
        AND a.timezone = a.wanted;
    END IF;

    UPDATE rollup.gaps g
    SET days = g.days - (note_rebuilt.span - a.sealed)
    FROM rollup.accounts a
    WHERE a.account_id = g.account_id
    AND (note_rebuilt.account_ids IS NULL OR a.account_id = ANY (note_rebuilt.account_ids))
    AND (note_rebuilt.metrics IS NULL OR g.metric = ANY (note_rebuilt.metrics))
    AND (
        note_rebuilt.dimension_types IS NULL
        OR g.dimension_type = ANY (note_rebuilt.dimension_types)
    );

    DELETE FROM rollup.gaps g
    WHERE isempty(g.days)
    AND (note_rebuilt.account_ids IS NULL OR g.account_id = ANY (note_rebuilt.account_ids));
END
$function$;

COMMENT ON FUNCTION rollup.note_rebuilt(bigint[], bigint[], text[], date, date, text[], text[]) IS
    'Notes which days of accounts a rebuild has made true.';

REVOKE EXECUTE ON FUNCTION rollup.note_rebuilt(bigint[], bigint[], text[], date, date, text[], text[]) FROM PUBLIC;
