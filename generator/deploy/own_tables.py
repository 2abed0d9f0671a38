"""Whether the tables of our schema are still such as they were made, told with what mends them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from psycopg.errors import LockNotAvailable

from generator.database.connection import plainly
from generator.deploy import adoption
from generator.quoting import ident

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.database.connection import Connection
    from generator.deploy.shapes import Column, Shape

_IS_DEPLOYED = "SELECT to_regnamespace('rollup') IS NOT NULL"

_TABLES = """
SELECT c.relname, c.oid
FROM pg_class c
WHERE c.relnamespace = to_regnamespace('rollup')
AND c.relkind IN ('r', 'p')
"""

_COLUMNS = """
SELECT
    a.attname,
    format_type(a.atttypid, a.atttypmod),
    a.attnotnull,
    a.attidentity = 'a',
    pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s
AND a.attnum > 0
AND NOT a.attisdropped
ORDER BY a.attnum
"""

_CHECKS = """
SELECT quote_ident(c.conname), pg_get_constraintdef(c.oid)
FROM pg_constraint c
WHERE c.conrelid = %s
AND c.contype = 'c'
"""

_SEQUENCE = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_get_serial_sequence(%s, %s)::regclass
AND has_sequence_privilege(c.oid, 'SELECT')
AND has_table_privilege(%s, 'SELECT')
"""

# A table that another session has locked is not waited for, and not looked at. Then in this order:
# what is numbered meanwhile is above both.
_AT_ONCE = "LOCK TABLE ONLY {table} IN ACCESS SHARE MODE NOWAIT"
_HIGHEST = "SELECT coalesce(max(t.{column}), 0) FROM {table} t"
_NEXT = "SELECT s.last_value + s.is_called::integer FROM {sequence} s"


class _Found(NamedTuple):
    """A column as the database has it."""

    name: str
    type: str
    is_required: bool
    is_identity: bool
    default: str | None


def problems(session: Connection, shapes: dict[str, Shape], *, are_applied: bool) -> list[str]:
    """Compare the tables of our schema with their shapes; nothing is changed.

    A table that is not there is lost if migrations are known to have made it. Those that depend on
    the registry are made by the next deployment: see tables.lacking.
    """
    if session.execute(_IS_DEPLOYED).fetchone() != (True,):
        return []
    with plainly(session):
        there = dict(session.execute(_TABLES).fetchall())
    found: list[str] = []
    for name, shape in shapes.items():
        if name in there:
            found += _of_table(session, shape, there[name])
        elif are_applied and not shape.is_rendered:
            found.append(
                f"the table rollup.{ident(name)} is gone, and deploy does not make it anew: "
                "restore it from a backup, or run `python -m generator undeploy --yes`, then deploy"
            )
    return found


def _of_table(session: Connection, shape: Shape, oid: int) -> Iterator[str]:
    name = f"rollup.{ident(shape.name)}"
    with plainly(session):
        columns = {row[0]: _Found(*row) for row in session.execute(_COLUMNS, (oid,))}
        checks = session.execute(_CHECKS, (oid,)).fetchall()
    for made in (*shape.columns, *(one for one in columns if one not in shape.columns)):
        for what, cure in _of_column(shape, made, columns.get(made)):
            yield f"{name}.{ident(made)} {what}: ALTER TABLE {name} {cure}"
    known = {_squeezed(one) for one in shape.checks}
    for constraint, check in checks:
        if _squeezed(check) not in known:
            yield (
                f"{name} has the constraint {check}, which is not ours: "
                f"ALTER TABLE {name} DROP CONSTRAINT {constraint}"
            )
    if shape.key and not adoption.has_key(session, oid, shape.key):
        key = ", ".join(map(ident, shape.key))
        yield f"{name} has no unique index on ({key}): CREATE UNIQUE INDEX ON {name} ({key})"
    yield from adoption.hazards_of_ours(session, shape, oid)
    yield from _numbered(session, shape, columns)


def _of_column(shape: Shape, name: str, found: _Found | None) -> Iterator[tuple[str, str]]:
    made = shape.columns.get(name)
    if made is None and found is not None:
        yield from _of_strange_column(found)
    elif made is not None and found is None:
        if not shape.is_rendered:
            yield "is gone", f"ADD {ident(name)} {made.definition}"
    elif made is not None and found is not None:
        yield from _of_known_column(shape, made, found)


def _of_strange_column(found: _Found) -> Iterator[tuple[str, str]]:
    column = ident(found.name)
    if found.is_required:
        yield "is NOT NULL, and no function of ours fills it in", f"ALTER {column} DROP NOT NULL"
    if found.default is not None:
        yield f"has the default {found.default}, which is not ours", f"ALTER {column} DROP DEFAULT"


def _of_known_column(shape: Shape, made: Column, found: _Found) -> Iterator[tuple[str, str]]:
    column = ident(found.name)
    if not shape.is_rendered and found.type != made.type:
        yield f"is {found.type}; it must be {made.type}", f"ALTER {column} TYPE {made.type}"
    if found.is_required and not made.is_required:
        yield "is NOT NULL, which it must not be", f"ALTER {column} DROP NOT NULL"
    if made.is_identity and not found.is_identity:
        yield "is not numbered any more", f"ALTER {column} ADD GENERATED ALWAYS AS IDENTITY"
    elif _plain(found.default) != made.default:
        default = f"SET DEFAULT {made.default}" if made.default else "DROP DEFAULT"
        yield f"has the default {found.default or 'NULL'}", f"ALTER {column} {default}"


def _numbered(session: Connection, shape: Shape, columns: dict[str, _Found]) -> Iterator[str]:
    """Say which numbers would be given out again, as far as this role may know."""
    name = f"rollup.{ident(shape.name)}"
    for column in (one for one in columns.values() if one.is_identity):
        row = session.execute(_SEQUENCE, (name, column.name, name)).fetchone()
        if row is None:
            continue
        names = {"column": ident(column.name), "table": name, "sequence": row[0]}
        try:
            with session.transaction():
                session.execute(_AT_ONCE.format(**names))
                highest = session.execute(_HIGHEST.format(**names)).fetchone() or (0,)
        except LockNotAvailable:
            continue
        following = session.execute(_NEXT.format(**names)).fetchone() or (1,)
        if following[0] <= highest[0]:
            yield (
                f"{row[0]} goes on with {following[0]}, and {name} has {highest[0]} already: "
                f"SELECT setval('{row[0]}', {highest[0]})"
            )


def _plain(default: str | None) -> str | None:
    """Write a default as migrations do, which the server prints with its type."""
    return default and re.sub(r"::[a-z ]+$", "", default).lower()


def _squeezed(check: str) -> str:
    """Take brackets and blanks out, which the server adds to."""
    return re.sub(r"[\s()]", "", check)
