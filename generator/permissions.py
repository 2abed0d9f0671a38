"""What a role that only reads lacks, told from the server's refusal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from generator.database import Connection

PAGE = "what a reader needs: docs/operations.md#roles"

_REFUSED = re.compile(
    r"permission denied for (schema|table|view|materialized view|foreign table|function) (.+)"
)

_RELATION = """
SELECT n.nspname, current_user
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s
AND NOT has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname <> 'rollup', n.nspname
LIMIT 1
"""

# With those that reports and our views call, which run with the rights of whoever reads. What
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


def missing(session: Connection, message: str) -> str:
    """Name the GRANT without which the server has refused, as far as its message tells it."""
    found = _REFUSED.fullmatch(message)
    grant = found and _grant(session, found[1], found[2])
    return f"{grant}; {PAGE}" if grant else PAGE


def _grant(session: Connection, kind: str, name: str) -> str | None:
    if kind == "schema":
        [user] = session.execute("SELECT current_user").fetchone() or ("",)
        what = sql.SQL("USAGE ON SCHEMA {}").format(sql.Identifier(name))
    elif kind == "function":
        signatures, user = session.execute(_FUNCTIONS, (name,)).fetchone() or (None, "")
        if signatures is None:
            return None
        what = sql.SQL("EXECUTE ON FUNCTION {}").format(sql.SQL(signatures))
    else:
        row = session.execute(_RELATION, (name,)).fetchone()
        if row is None:
            return None
        schema, user = row
        what = sql.SQL("SELECT ON {}").format(sql.Identifier(schema, name))
    return sql.SQL("GRANT {} TO {}").format(what, sql.Identifier(user)).as_string(session)
