CREATE OR REPLACE FUNCTION rollup.is_part_of(relation oid, whole text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Whether a table is the one of that name, or a partition of it at any depth, or inherits from it. A
 * partition that is being detached is none any more. Most are partitions of the table itself, which
 * is asked first: a statement straight on a partition waits for the answer.
 */
DECLARE
    sought oid := to_regclass(is_part_of.whole);
    family oid[] := ARRAY [is_part_of.relation];
BEGIN
    IF is_part_of.relation = sought OR EXISTS (
        SELECT
        FROM pg_inherits i
        WHERE i.inhrelid = is_part_of.relation
        AND i.inhparent = sought
        AND NOT i.inhdetachpending
    ) THEN
        RETURN true;
    END IF;

    WHILE cardinality(family) > 0 LOOP
        IF sought = ANY (family) THEN
            RETURN true;
        END IF;

        family := ARRAY (
            SELECT i.inhparent
            FROM pg_inherits i
            WHERE i.inhrelid = ANY (family)
            AND NOT i.inhdetachpending
        );
    END LOOP;

    RETURN false;
END
$function$;

COMMENT ON FUNCTION rollup.is_part_of(oid, text) IS
    'Whether a table is the one of that name, or a partition of it at any depth, or inherits from it.';
