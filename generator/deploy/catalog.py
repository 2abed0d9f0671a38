"""What the database holds of ours, compared with what a registry renders."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator.database.connection import plainly
from generator.deploy import deployments
from generator.deploy.signatures import is_replaceable, signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database.connection import Connection
    from generator.render.objects import Kind, Rendered

Status = Literal["CURRENT", "OUTDATED", "MISSING", "DISABLED", "ORPHANED"]

# Each row is a kind, a name as rendered, the table of a trigger, a definition as rendered, whether
# it is enabled, what DROP is to name, and whether it is open: every role may run it or, where it
# has the rights of its owner, any other role. Last, whether this role may drop it.
_OBJECTS = r"""
SELECT
    'function',
    quote_ident(n.nspname) || '.' || quote_ident(p.proname),
    NULL,
    rtrim(pg_get_functiondef(p.oid), E'\n'),
    true,
    'ROUTINE ' || p.oid::regprocedure,
    EXISTS (
        SELECT
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        WHERE x.grantee <> p.proowner
        AND (x.grantee = 0 OR p.prosecdef)
    ),
    true
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
    true,
    'VIEW ' || c.oid::regclass,
    false,
    true
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
    true,
    'TYPE ' || c.reltype::regtype,
    false,
    true
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'rollup'
AND c.relkind = 'c'
UNION ALL
SELECT
    'trigger',
    quote_ident(t.tgname),
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    pg_get_triggerdef(t.oid),
    t.tgenabled = 'O',
    format('TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname),
    false,
    pg_has_role(c.relowner, 'USAGE')
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE pn.nspname = 'rollup'
AND t.tgparentid = 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """An object in the catalog: its text there, whether it is enabled, and what DROP is to name.

    `is_open` tells of a function whether every role may run it or, where it runs with the rights of
    its owner, any other role.
    """

    name: str
    table: str | None
    definition: str
    is_enabled: bool
    drop: str
    is_open: bool
    may_drop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object of ours: how it stands, and its rendering, which an orphan has not."""

    kind: Kind
    name: str
    table: str | None
    status: Status
    rendered: Rendered | None
    leftovers: tuple[Existing, ...] = ()
    """Each object of this name that is not as rendered."""
    is_foreign: bool = False
    """Of a function: whether its text is neither the rendered one nor the one last deployed."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" on {self.table}" if self.table else "")

    @property
    def is_out_of_reach(self) -> bool:
        """Whether it is a trigger that does nothing, on a table whose owner alone may drop it."""
        return self.status == "ORPHANED" and not all(one.may_drop for one in self.leftovers)

    @property
    def in_place(self) -> Existing | None:
        """The leftover whose place the rendering takes; the others are to be dropped."""
        if self.rendered is None:
            return None
        drop = unquoted(_drop_of(self.rendered))
        return next((one for one in self.leftovers if unquoted(one.drop) == drop), None)

    @property
    def is_recreated(self) -> bool:
        """Whether the function in place has to be dropped first, grants and all."""
        if self.kind != "function" or self.rendered is None or self.in_place is None:
            return False
        old = signature(self.in_place.definition, self.in_place.name)
        return not is_replaceable(old, signature(self.rendered.definition, self.rendered.name))


def compare(session: Connection, rendered: Iterable[Rendered]) -> list[Object]:
    """Compare types, functions, views and triggers with their rendering; orphans come last.

    Compares the texts that the catalog keeps, so a change by hand shows. Of a view it keeps none
    but prints its query anew: a view is current as long as it is rendered, and is printed, as when
    it was deployed. (So a server that prints otherwise after an upgrade makes it outdated, once.)
    A function that only its owner is to run is outdated where every role may, as after a restore
    without privileges; what is granted to roles is its owner's business, but for functions that run
    with their owner's rights, those of triggers.
    Tables are durable state, compared by their columns: see generator.deploy.tables.
    """
    with plainly(session):
        existing = _existing(session)
        deployed = deployments.last(session)
    kept = deployed.definitions if deployed else {}
    objects = []
    for one in rendered:
        if one.kind != "table":
            found = existing.pop(_place(one.kind, one.name, one.table), [])
            objects.append(_compared(one, found, kept.get(_key(one))))
    orphans = (
        Object(
            kind=kind,
            name=found[0].name,
            table=found[0].table,
            status="ORPHANED",
            rendered=None,
            leftovers=tuple(found),
        )
        for (kind, _, _), found in existing.items()
    )
    return [*objects, *orphans]


def fingerprints(rendered: Iterable[Rendered], kind: Kind) -> dict[str, str]:
    """Give a fingerprint of each rendered text of a kind: of a function, that of the catalog's.

    That of a view's is yet to be combined with what the server makes of it, by deployments.record.
    """
    return {_key(one): _fingerprint(one.definition) for one in rendered if one.kind == kind}


def _existing(session: Connection) -> dict[tuple[Kind, str, str | None], list[Existing]]:
    found = defaultdict(list)
    for kind, name, table, *facts in session.execute(_OBJECTS):
        definition, is_enabled, drop, is_open, may_drop = facts
        one = Existing(
            name=name,
            table=table,
            definition=definition,
            is_enabled=is_enabled,
            drop=drop,
            is_open=is_open,
            may_drop=may_drop,
        )
        found[_place(kind, name, table)].append(one)
    return dict(sorted(found.items(), key=str))


def _place(kind: Kind, name: str, table: str | None) -> tuple[Kind, str, str | None]:
    """Tell where an object is to be found: without quotes, for older servers need fewer."""
    return kind, unquoted(name), table and unquoted(table)


def unquoted(text: str) -> str:
    """Take the quotes out of names, which servers put around more of them than others."""
    return text.replace('"', "")


def _compared(one: Rendered, found: list[Existing], deployed: str | None) -> Object:
    others = [other for other in found if not _is_as_rendered(one, other, deployed)]
    status: Status = "CURRENT"
    if not found:
        status = "MISSING"
    elif not all(other.is_enabled for other in others):
        status = "DISABLED"
    elif others:
        status = "OUTDATED"
    return Object(
        kind=one.kind,
        name=one.name,
        table=one.table,
        status=status,
        rendered=one,
        leftovers=tuple(others),
        is_foreign=one.kind == "function"
        and any(_fingerprint(other.definition) != deployed for other in others),
    )


def _is_as_rendered(one: Rendered, found: Existing, deployed: str | None) -> bool:
    if one.kind == "view":
        return _fingerprint(_fingerprint(one.definition), found.definition) == deployed
    if one.kind == "trigger":
        lines = one.definition.replace("OR REPLACE ", "", 1).splitlines()
        written = " ".join(line.strip() for line in lines)
        return found.is_enabled and unquoted(found.definition) == unquoted(written)
    return found.definition == one.definition and not (found.is_open and one.is_closed)


def _drop_of(one: Rendered) -> str:
    match one.kind:
        case "function":
            return signature(one.definition, one.name).drop
        case "trigger":
            return f"TRIGGER {one.name} ON {one.table}"
    return f"{one.kind.upper()} {one.name}"


def _key(one: Rendered) -> str:
    return f"{one.kind} {one.name}"


def _fingerprint(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
