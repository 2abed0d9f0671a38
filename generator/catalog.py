"""What the database holds of ours, compared with what a registry renders."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator import deployments
from generator.database import plainly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database import Connection
    from generator.render import Kind, Rendered

Status = Literal["CURRENT", "OUTDATED", "MISSING", "DISABLED", "ORPHANED"]

# Each row is a kind, a name as rendered, the table of a trigger, a definition as rendered, what
# DROP is to name, and whether everybody may run it.
_OBJECTS = r"""
SELECT
    'function',
    quote_ident(n.nspname) || '.' || quote_ident(p.proname),
    NULL,
    rtrim(pg_get_functiondef(p.oid), E'\n'),
    'ROUTINE ' || p.oid::regprocedure,
    has_function_privilege('public', p.oid, 'EXECUTE')
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
    'VIEW ' || c.oid::regclass,
    false
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
    'TYPE ' || c.reltype::regtype,
    false
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
    format('TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname),
    false
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE pn.nspname = 'rollup'
AND t.tgparentid = 0
"""


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
    is_foreign: bool = False
    """Of a function: whether its text is neither the rendered one nor the one last deployed."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" on {self.table}" if self.table else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Existing:
    name: str
    table: str | None
    definition: str
    drop: str
    is_open: bool


def compare(session: Connection, rendered: Iterable[Rendered]) -> list[Object]:
    """Compare types, functions, views and triggers with their rendering; orphans come last.

    Compares the texts that the catalog keeps, so a change by hand shows. Of a view it keeps none
    but prints its query anew: a view is current as long as it is rendered, and is printed, as when
    it was deployed. (So a server that prints otherwise after an upgrade makes it outdated, once.)
    A function that only its owner is to run is outdated where everybody may, as after a restore
    without privileges; what is granted to roles is its owner's business.
    Tables are durable state, compared by their columns: see generator.tables.
    """
    with plainly(session):
        existing = _existing(session)
        deployed = deployments.last(session)
    fingerprints = deployed.definitions if deployed else {}
    objects = []
    for one in rendered:
        if one.kind != "table":
            found = existing.pop(_place(one.kind, one.name, one.table), [])
            objects.append(_compared(one, found, fingerprints.get(_key(one))))
    orphans = (
        Object(
            kind=kind,
            name=found[0].name,
            table=found[0].table,
            status="ORPHANED",
            rendered=None,
            leftovers=tuple(one.drop for one in found),
        )
        for (kind, _, _), found in existing.items()
    )
    return [*objects, *orphans]


def definitions(session: Connection, rendered: Iterable[Rendered]) -> dict[str, str]:
    """Give a fingerprint of each function and view, right after they were made as rendered."""
    with plainly(session):
        existing = _existing(session)
    found = {}
    for one in rendered:
        if one.kind == "function":
            found[_key(one)] = _fingerprint(one.definition)
        elif one.kind == "view":
            [view] = existing[_place(one.kind, one.name, None)]
            found[_key(one)] = _fingerprint(one.definition, view.definition)
    return found


def _existing(session: Connection) -> dict[tuple[Kind, str, str | None], list[_Existing]]:
    found = defaultdict(list)
    for kind, name, table, definition, drop, is_open in session.execute(_OBJECTS):
        one = _Existing(name=name, table=table, definition=definition, drop=drop, is_open=is_open)
        found[_place(kind, name, table)].append(one)
    return dict(sorted(found.items(), key=str))


def _place(kind: Kind, name: str, table: str | None) -> tuple[Kind, str, str | None]:
    """Tell where an object is to be found: without quotes, for older servers need fewer."""
    return kind, _unquoted(name), table and _unquoted(table)


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _compared(one: Rendered, found: list[_Existing], deployed: str | None) -> Object:
    others = [other for other in found if not _is_as_rendered(one, other, deployed)]
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
        is_foreign=one.kind == "function"
        and any(_fingerprint(other.definition) != deployed for other in others),
    )


def _is_as_rendered(one: Rendered, found: _Existing, deployed: str | None) -> bool:
    if one.kind == "view":
        return _fingerprint(one.definition, found.definition) == deployed
    if one.kind == "trigger":
        lines = one.definition.replace("OR REPLACE ", "", 1).splitlines()
        written = " ".join(line.strip() for line in lines)
        return _unquoted(found.definition) == _unquoted(written)
    return found.definition == one.definition and not (found.is_open and one.is_closed)


def _key(one: Rendered) -> str:
    return f"{one.kind} {one.name}"


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
