"""What the database holds of ours, compared with what a registry renders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database import Connection
    from generator.render import Kind, Rendered

Status = Literal["CURRENT", "OUTDATED", "MISSING", "DISABLED", "ORPHANED"]

# Each row is a kind, a name as rendered, the table of a trigger, a definition as rendered, and
# what DROP is to name.
_OBJECTS = r"""
SELECT
    'function',
    quote_ident(n.nspname) || '.' || quote_ident(p.proname),
    NULL,
    rtrim(pg_get_functiondef(p.oid), E'\n'),
    'ROUTINE ' || p.oid::regprocedure
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'rollup'
AND p.prokind IN ('f', 'p')
UNION ALL
SELECT
    'view',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    NULL,
    pg_get_viewdef(c.oid),
    'VIEW ' || c.oid::regclass
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'rollup'
AND c.relkind = 'v'
UNION ALL
SELECT
    'type',
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    NULL,
    format(
        E'CREATE TYPE %I.%I AS (\n%s\n)',
        n.nspname,
        c.relname,
        (
            SELECT string_agg(
                format('    %I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
                E',\n'
                ORDER BY a.attnum
            )
            FROM pg_attribute a
            WHERE a.attrelid = c.oid
            AND NOT a.attisdropped
        )
    ),
    'TYPE ' || c.reltype::regtype
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'rollup'
AND c.relkind = 'c'
UNION ALL
SELECT
    'trigger',
    quote_ident(t.tgname),
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    CASE WHEN t.tgenabled = 'O' THEN pg_get_triggerdef(t.oid) ELSE 'disabled' END,
    format('TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE pn.nspname = 'rollup'
AND t.tgparentid = 0
"""

_SAME_VIEW = "SELECT pg_get_viewdef('pg_temp.rollup_as_rendered'::regclass)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object of ours: how it stands, and its rendering or, of an orphan, how to drop it."""

    kind: Kind
    name: str
    table: str | None
    status: Status
    rendered: Rendered | None
    leftovers: tuple[str, ...] = ()
    """What DROP is to name, for each object of this name that is not as rendered."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" on {self.table}" if self.table else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Existing:
    definition: str
    drop: str


def compare(session: Connection, rendered: Iterable[Rendered]) -> list[Object]:
    """Compare types, functions, views and triggers with their rendering; orphans come last.

    Compares the texts that the catalog keeps, so a change by hand shows. Tables are durable state,
    compared by their columns: see generator.tables.
    """
    existing = _existing(session)
    objects = []
    for one in rendered:
        if one.kind != "table":
            found = existing.pop((one.kind, one.name, one.table), [])
            objects.append(_compared(session, one, found))
    orphans = (
        Object(
            kind=kind,
            name=name,
            table=table,
            status="ORPHANED",
            rendered=None,
            leftovers=tuple(one.drop for one in found),
        )
        for (kind, name, table), found in existing.items()
    )
    return [*objects, *orphans]


def _existing(session: Connection) -> dict[tuple[Kind, str, str | None], list[_Existing]]:
    found = defaultdict(list)
    for kind, name, table, definition, drop in session.execute(_OBJECTS):
        found[kind, name, table].append(_Existing(definition=definition, drop=drop))
    return dict(sorted(found.items(), key=str))


def _compared(session: Connection, one: Rendered, found: list[_Existing]) -> Object:
    expected = _expected(session, one) if found else ""
    others = [other for other in found if other.definition != expected]
    status: Status = "CURRENT"
    if not found:
        status = "MISSING"
    elif any(other.definition == "disabled" for other in others):
        status = "DISABLED"
    elif others:
        status = "OUTDATED"
    return Object(
        kind=one.kind,
        name=one.name,
        table=one.table,
        status=status,
        rendered=one,
        leftovers=tuple(other.drop for other in others),
    )


def _expected(session: Connection, one: Rendered) -> str:
    """Give the definition that the catalog would hold, were it as rendered."""
    if one.kind == "trigger":
        lines = one.definition.replace("OR REPLACE ", "", 1).splitlines()
        return " ".join(line.strip() for line in lines)
    if one.kind == "view":
        return _as_the_server_prints(session, one)
    return one.definition


def _as_the_server_prints(session: Connection, view: Rendered) -> str:
    """Let the server print a view's query, by way of a temporary view that is rolled back."""
    query = view.definition.split(" AS\n", 1)[1]
    printed = ""
    try:
        with session.transaction(force_rollback=True):
            session.execute(f"CREATE TEMPORARY VIEW rollup_as_rendered AS\n{query}")
            [printed] = session.execute(_SAME_VIEW).fetchone() or [""]
    except psycopg.errors.ProgrammingError:
        pass  # it reads a column that is still to be made
    return printed
