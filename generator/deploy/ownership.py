"""Whether our functions may do what they do: run by triggers, with the rights of their owner.

Their owner is that of our schema, whichever role has deployed. What it has lost fails writers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.database.connection import plainly
from generator.registry import reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from generator.database.connection import Connection
    from generator.registry import Registry

_IS_DEPLOYED = "SELECT to_regnamespace('rollup') IS NOT NULL"

_MAY_READ = """
SELECT coalesce(has_table_privilege(to_regclass('rollup.deployments'), 'SELECT'), false)
"""

# The views and functions that we have made: another role may have put others into our schema.
_MADE = """
SELECT coalesce((
    SELECT array_agg(k)
    FROM (SELECT d.definitions FROM rollup.deployments d ORDER BY d.id DESC LIMIT 1) d
    CROSS JOIN jsonb_object_keys(d.definitions) k
), '{}')
"""

_OWNER = """
WITH owner AS (
    SELECT r.oid, quote_ident(r.rolname) AS name
    FROM pg_namespace s
    JOIN pg_roles r ON r.oid = s.nspowner
    WHERE s.nspname = 'rollup'
),
relations AS (
    SELECT
        c.oid,
        quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
        c.relkind,
        c.relowner
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relkind IN ('r', 'p') AND (n.nspname, c.relname) = (%(schema)s, %(table)s))
    OR (
        n.nspname = 'rollup'
        AND CASE c.relkind
            WHEN 'r' THEN c.relname = ANY (%(ours)s::text[]) OR c.relname ~ '^_?yoyo_'
            WHEN 'v' THEN %(made)s::text[] IS NULL
                OR 'view rollup.' || quote_ident(c.relname) = ANY (%(made)s::text[])
            WHEN 'S' THEN EXISTS (
                SELECT
                FROM pg_depend d
                JOIN pg_class t ON t.oid = d.refobjid
                WHERE d.classid = 'pg_class'::regclass
                AND d.objid = c.oid
                AND d.deptype = 'i'
                AND d.refclassid = 'pg_class'::regclass
                AND t.relname = ANY (%(ours)s::text[])
            )
        END
    )
),
functions AS (
    SELECT p.oid, p.oid::regprocedure::text AS name, p.proowner
    FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace('rollup')
    AND (
        %(made)s::text[] IS NULL
        OR 'function rollup.' || quote_ident(p.proname) = ANY (%(made)s::text[])
    )
)
"""

# Each row has what belongs to a role whose rights the owner has not, that role, and the cure.
_STRANGE = """
SELECT x.what, r.rolname, format('ALTER %%s OWNER TO %%s', x.what, o.name)
FROM (
    SELECT
        CASE c.relkind WHEN 'v' THEN 'VIEW ' ELSE 'TABLE ' END || c.name AS what,
        c.relowner AS owner
    FROM relations c
    WHERE c.relkind <> 'S'  -- it goes with its table
    UNION ALL
    SELECT 'ROUTINE ' || p.name, p.proowner
    FROM functions p
) x
JOIN pg_roles r ON r.oid = x.owner
CROSS JOIN owner o
WHERE NOT pg_has_role(o.oid, r.oid, 'USAGE')
ORDER BY 1
"""

# Each row has the rights that the owner lacks, and on what; where it owns that, it may grant them.
_LACKING = """
SELECT string_agg(p.privilege, ', ' ORDER BY p.nr), x.what, o.name
FROM owner o
CROSS JOIN LATERAL (
    SELECT 'SCHEMA ' || quote_ident(n.nspname) AS what, 'n' AS kind, n.oid, 0 AS owner
    FROM pg_namespace n
    WHERE n.nspname IN ('pg_catalog', 'rollup')
    OR n.nspname = ANY (%(schemas)s::text[])
    UNION ALL
    SELECT
        CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.name,
        c.relkind::text,
        c.oid,
        c.relowner
    FROM relations c
    UNION ALL
    SELECT 'ROUTINE ' || f.name, 'f', f.oid, f.proowner
    FROM functions f
    UNION ALL
    SELECT format('TABLE %%I.%%I', n.nspname, c.relname), 'e', c.oid, 0
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (
        SELECT * FROM unnest(%(read_schemas)s::text[], %(read_tables)s::text[])
    )
) x
CROSS JOIN LATERAL (
    VALUES
        (1, 'n', 'USAGE'),
        (1, 'e', 'SELECT'),
        (1, 'v', 'SELECT'),
        (1, 'f', 'EXECUTE'),
        (1, 'S', 'SELECT'),
        (1, 'r', 'SELECT'),
        (2, 'r', 'INSERT'),
        (3, 'r', 'UPDATE'),
        (4, 'r', 'DELETE')
) p (nr, kind, privilege)
WHERE p.kind = x.kind
AND (x.owner = 0 OR pg_has_role(o.oid, x.owner, 'USAGE'))
AND NOT CASE x.kind
    WHEN 'n' THEN has_schema_privilege(o.oid, x.oid, p.privilege)
    WHEN 'f' THEN has_function_privilege(o.oid, x.oid, p.privilege)
    WHEN 'S' THEN has_sequence_privilege(o.oid, x.oid, p.privilege)
    WHEN 'e' THEN has_table_privilege(o.oid, x.oid, p.privilege)
        OR x.what <> %(events)s AND NOT EXISTS (
            SELECT
            FROM pg_attribute a
            WHERE a.attrelid = x.oid
            AND a.attname = ANY (%(columns)s::text[])
            AND NOT has_column_privilege(o.oid, a.attrelid, a.attnum, p.privilege)
        )
    ELSE has_table_privilege(o.oid, x.oid, p.privilege)
END
GROUP BY x.what, o.name
ORDER BY x.what
"""

# What the texts of our functions name. By its name alone, whatever its arguments.
_OF_THE_SERVER = """
, denied AS MATERIALIZED (
    SELECT
        'EXECUTE' AS privilege,
        'FUNCTION pg_catalog.' || p.oid::regprocedure AS what,
        '\\m' || p.proname || '\\(' AS pattern
    FROM owner o
    JOIN pg_proc p ON p.proacl IS NOT NULL AND p.pronamespace = 'pg_catalog'::regnamespace
    WHERE NOT has_function_privilege(o.oid, p.oid, 'EXECUTE')
    UNION ALL
    SELECT
        'SELECT',
        'TABLE pg_catalog.' || quote_ident(c.relname),
        '\\m' || c.relname || '\\M'
    FROM owner o
    JOIN pg_class c ON c.relkind IN ('r', 'v') AND c.relnamespace = 'pg_catalog'::regnamespace
    WHERE NOT has_table_privilege(o.oid, c.oid, 'SELECT')
),
texts AS MATERIALIZED (
    SELECT string_agg(q.prosrc, E'\n') AS text
    FROM functions f
    JOIN pg_proc q ON q.oid = f.oid
)
SELECT d.privilege, d.what, o.name
FROM denied d
CROSS JOIN texts t
CROSS JOIN owner o
WHERE t.text ~ d.pattern
ORDER BY d.what
"""


def problems(session: Connection, registry: Registry, ours: Collection[str]) -> list[str]:
    """Say what belongs to others, or may not be used by the role that triggers run as.

    Given are the names of the tables of our schema. Before the first deployment there is nothing to
    say: see generator.deploy.rights.
    """
    if session.execute(_IS_DEPLOYED).fetchone() != (True,):
        return []
    with plainly(session):
        return list(_problems(session, _scope(session, registry, ours)))


def _problems(session: Connection, scope: dict[str, object]) -> Iterator[str]:
    for what, other, cure in session.execute(_OWNER + _STRANGE, scope):
        kind, _, name = what.partition(" ")
        kind = "function" if kind == "ROUTINE" else kind.lower()
        yield f"{kind} {name} belongs to {other}, not to the owner of the schema rollup: {cure}"
    for query in (_LACKING, _OF_THE_SERVER):
        for privileges, what, owner in session.execute(_OWNER + query, scope):
            yield (
                f"{owner}, as whom triggers run, lacks {privileges} on "
                f"{what.partition(' ')[2]}: GRANT {privileges} ON {what} TO {owner}"
            )


def _scope(session: Connection, registry: Registry, ours: Collection[str]) -> dict[str, object]:
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    read = [one for one in (source, accounts) if one is not None]
    made = None
    if session.execute(_MAY_READ).fetchone() == (True,):
        [made] = session.execute(_MADE).fetchone() or (None,)
    [events] = session.execute(
        "SELECT format('TABLE %%I.%%I', %s::text, %s::text)", (source.schema, source.table)
    ).fetchone() or ("",)
    return {
        "schema": rollups.schema,
        "table": rollups.table,
        "ours": list(ours),
        "made": made or None,
        "schemas": [one.schema for one in (*read, rollups)],
        "read_schemas": [one.schema for one in read],
        "read_tables": [one.table for one in read],
        "columns": list(reading.of_accounts(registry)),
        "events": events,
    }
