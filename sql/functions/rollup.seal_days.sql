CREATE OR REPLACE FUNCTION rollup.seal_days(account_id bigint, before date)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Seals the oldest days of an account before the given one that are not sealed, as many as hold about
 * 20 000 events, once their rollups have been compared with their events: what differs would be wrong
 * for ever. The caller holds the slot of the account. So a large day is compared once, however many calls
 * of rollup.purge_chunk() its events take.
 */
<<seal_days>>
DECLARE
    sealed_days datemultirange := (
        SELECT a.sealed FROM rollup.accounts a WHERE a.account_id = seal_days.account_id
    );
    since date := upper(sealed_days * datemultirange(daterange(NULL, seal_days.before)));
    until date;
    differing record;
BEGIN
    -- Up to the end of the day of the last of the events that are to be compared at once.
    SELECT least(z.date + 1, seal_days.before)
    INTO until
    FROM public.reporting_events e
    JOIN rollup.accounts a ON a.account_id = e.account_id
    CROSS JOIN LATERAL (
        SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
    ) z
    WHERE e.account_id = seal_days.account_id
    AND e.created_at >= coalesce(seal_days.since, '0001-01-02') - 1
    AND e.created_at < seal_days.before + 2
    AND z.date < seal_days.before
    AND NOT seal_days.sealed_days @> z.date
    ORDER BY e.created_at
    LIMIT 1
    OFFSET 19999;
    until := coalesce(until, seal_days.before);

    -- Sealed days are left out by drift() itself.
    SELECT
        count(DISTINCT d.date) AS days,
        min(d.date) AS first,
        max(d.date) AS last
    INTO differing
    FROM rollup.drift(seal_days.account_id, NULL, until) d;

    IF differing.days > 0 THEN
        RAISE EXCEPTION 'account % differs from its events on days to be purged: %, from % to %',
            seal_days.account_id,
            differing.days,
            differing.first,
            differing.last
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'Their totals would be wrong for ever. This call has deleted nothing.',
                HINT = format(
                    'Run: python -m generator verify --account %s --repair',
                    seal_days.account_id
                );
    END IF;

    UPDATE rollup.accounts a
    SET sealed = a.sealed + datemultirange(daterange(NULL, until))
    FROM (
        SELECT b.account_id
        FROM rollup.accounts b
        WHERE b.account_id = seal_days.account_id
        AND rollup.is_covered(b.account_id, NULL, seal_days.before)
        FOR NO KEY UPDATE SKIP LOCKED
    ) b
    WHERE a.account_id = b.account_id;

    IF NOT FOUND THEN
        RAISE EXCEPTION 'another session is changing the time zone of account %',
            seal_days.account_id
            USING ERRCODE = 'lock_not_available',
                HINT = 'Nothing has been deleted by this call: call it again.';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.seal_days(bigint, date) IS
    'Seals some days of an account before the given one, oldest first, whose rollups agree with their events; the caller holds the slot of the account.';

REVOKE EXECUTE ON FUNCTION rollup.seal_days(bigint, date) FROM PUBLIC;
