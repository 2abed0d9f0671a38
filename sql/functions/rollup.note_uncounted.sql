CREATE OR REPLACE FUNCTION rollup.note_uncounted(relation oid)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Voids all coverage where a table that is written to without being counted is, under another name,
 * the events table of the last deployment or a partition of it: once it has its name again, what is
 * written now is missing from the totals. Every other table is left alone: the events table is known
 * by its oid, which no role can give to a table of its own.
 *
 * Called by triggers on tables that may have nothing to do with ours any more, so it raises no error.
 */
BEGIN
    IF rollup.is_part_of(
        note_uncounted.relation,
        (
            SELECT (d.definitions ->> 'table public.reporting_events')::oid::regclass::text
            FROM rollup.deployments d
            ORDER BY d.id DESC
            LIMIT 1
        )
    ) THEN
        PERFORM rollup.void_coverage(again => false);
    END IF;
EXCEPTION
    -- A table of ours is gone or is not what it was; or the events table of that time is gone.
    WHEN syntax_error_or_access_rule_violation
        OR integrity_constraint_violation
        OR data_exception
    THEN
        NULL;
END
$function$;

COMMENT ON FUNCTION rollup.note_uncounted(oid) IS
    'Voids all coverage where a table is, under another name, the events table of the last deployment or a partition of it.';

REVOKE EXECUTE ON FUNCTION rollup.note_uncounted(oid) FROM PUBLIC;
