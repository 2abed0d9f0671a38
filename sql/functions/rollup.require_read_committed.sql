CREATE OR REPLACE FUNCTION rollup.require_read_committed()
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 25001) where a transaction keeps one snapshot: it would be older than
 * the locks that protect the record, and so miss what was committed while they were waited for.
 */
BEGIN
    IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'rollups cannot be written at isolation level %',
            quote_literal(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction',
                DETAIL = 'The snapshot of the transaction would be older than its locks.',
                HINT = 'Use a READ COMMITTED transaction.';
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_read_committed() IS
    'Raises 25001 unless the transaction is READ COMMITTED.';
