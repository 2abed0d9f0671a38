CREATE OR REPLACE FUNCTION rollup.note_pace(account_id bigint, took interval)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Notes how long the session took to record an event of an account whose slot it holds; returns whether
 * this statement has folded enough.
 *
 * Under a snapshot that stays open for long, of a dump or an idle transaction, no version of a row is
 * ever cleared away, and every change of a busy total has to find its way past all of them: a
 * millisecond after some thousand. When the events of a session have taken 20000 microseconds longer
 * than 300 each, it appends for a second, folding in turn, and then tries again. The first events
 * of a session are slow as well, because they are planned, but they are a dozen at most, and none counts
 * for more than 1500.
 *
 * Kept in the settings rollup.lateness, the microseconds that the session is behind, and
 * rollup.append_until. Any client may set these: what cannot be ours is ignored.
 */
DECLARE
    microseconds integer := greatest(
        least(extract(epoch FROM note_pace.took) * 1000000, 1500), 0  -- a clock may be set back
    );
    lateness integer := CASE
        WHEN current_setting('rollup.lateness', true) ~ '^[0-9]{1,5}$'
        THEN current_setting('rollup.lateness')::integer
        ELSE 0
    END;
    newest bigint;
BEGIN
    lateness := greatest(least(lateness + microseconds - 300, 20000), 0);
    PERFORM set_config('rollup.lateness', lateness::text, false);

    IF lateness = 20000 THEN
        PERFORM set_config(
            'rollup.append_until',
            (extract(epoch FROM clock_timestamp()) + 1)::text,
            false
        );
    ELSIF lateness = 0 AND current_setting('rollup.append_until', true) <> '' THEN
        -- What has been appended meanwhile is further back than other sessions look.
        newest := (SELECT s.last_value FROM rollup.pending_events_id_seq s);

        IF rollup.fold_pending(ARRAY [note_pace.account_id], newest - 16384, 500) = 500 THEN
            -- There may be more of it: the next event of the session folds on.
            PERFORM set_config('rollup.lateness', '1', false);
        ELSE
            PERFORM set_config('rollup.append_until', '', false);
        END IF;

        RETURN true;
    END IF;

    RETURN false;
END
$function$;

COMMENT ON FUNCTION rollup.note_pace(bigint, interval) IS
    'Notes how long the session took to record an event, and appends for a second where it has fallen behind.';

REVOKE EXECUTE ON FUNCTION rollup.note_pace(bigint, interval) FROM PUBLIC;
