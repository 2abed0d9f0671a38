CREATE OR REPLACE FUNCTION rollup.require_tables()
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 42501 or 55000) where the tables cannot be read as they are: see
 * rollup.table_problems(). What is hidden would be taken for deleted.
 */
DECLARE
    worst record;
BEGIN
    SELECT p.code, p.problem, p.cure
    INTO worst
    FROM rollup.table_problems() p
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION '%', worst.problem
            USING ERRCODE = worst.code, HINT = worst.cure;
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_tables() IS
    'Raises 42501 or 55000 where the tables of events, accounts and totals cannot be read as they are.';
