CREATE OR REPLACE FUNCTION rollup.fold_pending(account_ids bigint[], after_id bigint, at_most bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Moves up to at_most (NULL: all) pending events of these accounts, oldest first, from those with an id above
 * after_id, into the record, and returns how many. The caller holds the slots of the accounts, so
 * no other session deletes these rows or changes these totals.
 *
 * Events of an account without a time zone count for nothing, and are only removed.
 */
<<fold_pending>>
DECLARE
    folded bigint := 0;
    events rollup.event[];
BEGIN
    LOOP
        WITH taken AS (
            DELETE FROM rollup.pending_events p
            WHERE p.ctid = ANY (ARRAY (
                SELECT q.ctid
                FROM rollup.pending_events q
                WHERE q.id > fold_pending.after_id
                AND q.account_id = ANY (fold_pending.account_ids)
                ORDER BY q.id
                LIMIT least(fold_pending.at_most - fold_pending.folded, 100000)
            ))
            RETURNING
                p.sign,
                p.account_id, p.event, p.at, p.agent, p.inbox, p.conversation_id, p.value,
                p.value_in_business_hours
        )
        SELECT array_agg(ROW(e.*)::rollup.event)
        INTO events
        FROM taken e;

        EXIT WHEN events IS NULL;
        PERFORM rollup.record_events(events);
        folded := folded + cardinality(events);
        EXIT WHEN folded = fold_pending.at_most OR cardinality(events) < 100000;
    END LOOP;

    RETURN folded;
END
$function$;

COMMENT ON FUNCTION rollup.fold_pending(bigint[], bigint, bigint) IS
    'Moves pending events of accounts whose slots the caller holds into the record; returns how many.';

REVOKE EXECUTE ON FUNCTION rollup.fold_pending(bigint[], bigint, bigint) FROM PUBLIC;
