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

_FUNCTION = """
SELECT p.oid::regprocedure::text, current_user
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = %s
AND n.nspname = 'rollup'
AND NOT has_function_privilege(p.oid, 'EXECUTE')
LIMIT 1
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
        row = session.execute(_FUNCTION, (name,)).fetchone()
        if row is None:
            return None
        signature, user = row
        what = sql.SQL("EXECUTE ON FUNCTION {}").format(sql.SQL(signature))
    else:
        row = session.execute(_RELATION, (name,)).fetchone()
        if row is None:
            return None
        schema, user = row
        what = sql.SQL("SELECT ON {}").format(sql.Identifier(schema, name))
    return sql.SQL("GRANT {} TO {}").format(what, sql.Identifier(user)).as_string(session)
