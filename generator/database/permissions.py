"""What a role that only reads lacks, told from the server's refusal, whatever its language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from generator.database.connection import Connection

PAGE = "what a reader needs: docs/operations.md#roles"

_LACKING = """
SELECT 'schema', NULL, n.nspname, n.nspname
FROM pg_namespace n
WHERE NOT has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT 'relation', n.nspname, c.relname, c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
AND has_schema_privilege(n.oid, 'USAGE')
AND NOT has_table_privilege(c.oid, 'SELECT')
UNION ALL
SELECT 'function', n.nspname, p.proname, p.oid::regprocedure::text
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'rollup'
AND has_schema_privilege(n.oid, 'USAGE')
AND NOT has_function_privilege(p.oid, 'EXECUTE')
"""
"""The kind, the schema, the name and, for GRANT, the signature of what this role may not use."""

# With those that reports and our views call, which run with the rights of the reader. What
# comments and messages name is not called.
_FUNCTIONS = r"""
WITH RECURSIVE ours AS MATERIALIZED (
    SELECT
        p.oid,
        p.proname,
        regexp_replace(p.prosrc, '/\*.*?\*/|--[^\n]*|''[^'']*''', '', 'g') AS code
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'rollup'
    AND p.prokind = 'f'
    AND NOT p.prosecdef
),
used AS (
    SELECT p.oid, p.code
    FROM ours p
    WHERE p.proname IN (%s, 'aggregate', 'explain_report', 'summary', 'timeseries')
    OR EXISTS (
        SELECT
        FROM pg_rewrite w
        JOIN pg_class c ON c.oid = w.ev_class
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
        WHERE n.nspname = 'rollup'
        AND d.refclassid = 'pg_proc'::regclass
        AND d.refobjid = p.oid
    )
    UNION
    SELECT p.oid, p.code
    FROM used u
    JOIN ours p ON position('rollup.' || p.proname || '(' IN u.code) > 0
)
SELECT string_agg(u.oid::regprocedure::text, ', ' ORDER BY u.oid::regprocedure::text), current_user
FROM used u
WHERE NOT has_function_privilege(u.oid, 'EXECUTE')
"""

_PART = r"[0-9A-Za-z_$]"
"""A character that is part of a name, so that `rollups` is not found within `my_rollups`."""


def missing(session: Connection, message: str) -> str:
    """Name the GRANT without which the server has refused.

    No field of the error says what was refused, and the message is in the server's language: so it
    is, of what this role lacks, that whose name the message has. The longest is taken, one of ours
    first.
    """
    found = [
        row for row in session.execute(_LACKING).fetchall() if _is_named(row[2], within=message)
    ]
    if not found:
        return PAGE
    kind, schema, name, signature = max(
        found, key=lambda row: (len(row[2]), row[0] == "schema", row[1] == "rollup")
    )
    match kind:
        case "schema":
            what = sql.SQL("USAGE ON SCHEMA {}").format(sql.Identifier(name))
        case "relation":
            what = sql.SQL("SELECT ON {}").format(sql.Identifier(schema, name))
        case _:
            [named, _] = session.execute(_FUNCTIONS, (name,)).fetchone() or (None, "")
            what = sql.SQL("EXECUTE ON FUNCTION {}").format(sql.SQL(named or signature))
    [user] = session.execute("SELECT current_user").fetchone() or ("",)
    grant = sql.SQL("GRANT {} TO {}").format(what, sql.Identifier(user)).as_string(session)
    return f"{grant}; {PAGE}"


def _is_named(name: str, *, within: str) -> bool:
    return re.search(rf"(?<!{_PART}){re.escape(name)}(?!{_PART})", within) is not None
