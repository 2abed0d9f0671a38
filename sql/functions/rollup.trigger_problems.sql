CREATE OR REPLACE FUNCTION rollup.trigger_problems()
 RETURNS TABLE(relation oid, problem text, cure text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET quote_all_identifiers TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Why events come and go uncounted, or count twice: each reason with the table of events that it is
 * about (NULL: there is none) and its cure; no rows when all is well.
 *
 * A statement on a partition fires the triggers of that partition alone, and one on a table above
 * the events table fires neither. So each table of events must have every trigger as it was
 * deployed, and no other on the same functions; and it must be below no table but these.
 *
 * Every report asks, so names are put together only where something is wrong. Looks up names in the
 * catalog, and calls no function of ours: a reader of some views only may not use the schemas.
 */
DECLARE
    relations oid[];
    triggered oid[];
    triggers name[];
    are_as_deployed boolean[];
BEGIN
    WITH RECURSIVE family AS (
        SELECT c.oid
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public'
        AND c.relname = 'reporting_events'
        UNION
        SELECT i.inhrelid
        FROM family f
        JOIN pg_inherits i ON i.inhparent = f.oid
        WHERE NOT i.inhdetachpending
    )
    SELECT array_agg(f.oid)
    INTO relations
    FROM family f;

    WITH deployed AS MATERIALIZED (
        SELECT
            x.name,
            p.oid AS function,
            x.type,
            x.old_table,
            x.new_table
        FROM (VALUES
            (
                'rollup_after_insert', 'reporting_events_after_insert',
                4, '', 'inserted'
            ),
            (
                'rollup_after_update', 'reporting_events_after_update',
                16, 'updated_before', 'updated_after'
            ),
            (
                'rollup_after_delete', 'reporting_events_after_delete',
                8, 'deleted', ''
            ),
            (
                'rollup_after_truncate', 'reporting_events_after_truncate',
                32, '', ''
            )
        ) x (name, function, type, old_table, new_table)
        JOIN pg_proc p ON p.proname = x.function AND p.pronargs = 0
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'rollup'
    )
    SELECT
        array_agg(t.tgrelid),
        array_agg(t.tgname),
        array_agg(
            d.name IS NOT NULL
            AND t.tgfoid = d.function
            AND t.tgtype = d.type
            AND coalesce(t.tgoldtable, '') = d.old_table
            AND coalesce(t.tgnewtable, '') = d.new_table
            AND t.tgqual IS NULL
            AND t.tgattr::text = ''
            AND t.tgconstraint = 0
            AND t.tgenabled IN ('O', 'A')
        )
    INTO
        triggered,
        triggers,
        are_as_deployed
    FROM pg_trigger t
    LEFT JOIN deployed d ON d.name = t.tgname
    WHERE t.tgrelid = ANY (relations)
    AND t.tgfoid IN (SELECT o.function FROM deployed o);

    IF cardinality(triggered) = 4 * cardinality(relations)
        AND true = ALL (are_as_deployed)
        AND NOT EXISTS (
            SELECT
            FROM pg_inherits i
            WHERE i.inhrelid = ANY (relations)
            AND i.inhparent <> ALL (relations)
        )
    THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH tables AS (
        SELECT
            c.oid AS relation,
            format('%I.%I', n.nspname, c.relname) AS name,
            c.relkind IN ('r', 'p') AS has_triggers
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = ANY (relations)
    )
    SELECT
        b.relation,
        format(
            'triggers that keep totals are missing or disabled or changed on %s: %s',
            b.name,
            string_agg(x.name, ', ' ORDER BY x.name)
        ),
        'python -m generator deploy'
    FROM tables b
    CROSS JOIN (VALUES
        ('rollup_after_insert'),
        ('rollup_after_update'),
        ('rollup_after_delete'),
        ('rollup_after_truncate')
    ) x (name)
    WHERE b.has_triggers
    AND NOT EXISTS (
        SELECT
        FROM unnest(triggered, triggers, are_as_deployed) t (relation, name, is_as_deployed)
        WHERE t.relation = b.relation
        AND t.name = x.name
        AND t.is_as_deployed
    )
    GROUP BY
        b.relation,
        b.name
    UNION ALL
    SELECT
        b.relation,
        format('a trigger that was not deployed counts events of %s: %s', b.name, t.name),
        'python -m generator deploy'
    FROM tables b
    JOIN unnest(triggered, triggers) t (relation, name) ON t.relation = b.relation
    WHERE t.name NOT IN (
        'rollup_after_insert',
        'rollup_after_update',
        'rollup_after_delete',
        'rollup_after_truncate'
    )
    UNION ALL
    SELECT
        b.relation,
        format(
            'table %s is below %I.%I, and what is written by way of that is not counted',
            b.name,
            n.nspname,
            c.relname
        ),
        format(
            CASE
                WHEN c.relkind = 'p' THEN 'ALTER TABLE %2$I.%3$I DETACH PARTITION %1$s'
                ELSE 'ALTER TABLE %1$s NO INHERIT %2$I.%3$I'
            END || '; or name %2$I.%3$I in the registry and deploy',
            b.name,
            n.nspname,
            c.relname
        )
    FROM tables b
    JOIN pg_inherits i ON i.inhrelid = b.relation
    JOIN pg_class c ON c.oid = i.inhparent
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent <> ALL (relations)
    UNION ALL
    SELECT
        NULL,
        format('there is no table %s any more', 'public.reporting_events'),
        'Put it back, or change the registry; then: python -m generator deploy'
    WHERE relations IS NULL;
END
$function$;

COMMENT ON FUNCTION rollup.trigger_problems() IS
    'Why events come and go uncounted, or count twice: triggers that are not as they were deployed, and tables above those of events; no rows when all is well.';
