CREATE OR REPLACE FUNCTION rollup.require_columns()
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 55000) while a column of the events is another than at the last deployment,
 * or of another type: see rollup.changed_columns. What is rebuilt now would not be covered, because the
 * deployment that takes the column over voids all that was counted before it.
 */
DECLARE
    changed record;
BEGIN
    SELECT
        c.schema_name,
        c.table_name,
        c.column_name,
        c.change
    INTO changed
    FROM rollup.changed_columns c
    ORDER BY c.column_name
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION '%', format(
            'column %I of %I.%I %s since the last deployment',
            changed.column_name,
            changed.schema_name,
            changed.table_name,
            changed.change
        )
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'Its values may be others than those that were counted, so no day is covered.',
                HINT = 'Take it over, then backfill: python -m generator deploy --backfill';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_columns() IS
    'Raises 55000 while a column of the events table is no longer as the last deployment found it.';
