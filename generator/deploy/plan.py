"""What a deployment would do to a database, found out without changing anything there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.blockers import Lock, holders
from generator.database.connection import connect, snapshot
from generator.deploy import conversion, migrate, script, tables
from generator.deploy.caveats import caveats
from generator.deploy.changes import REMEMBER_COLUMNS, REMEMBER_PARTITIONS, VERBS, compute
from generator.deploy.deploy import check
from generator.render.objects import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.database.connection import Connection
    from generator.database.patience import Patience
    from generator.deploy.catalog import Object
    from generator.deploy.changes import Changes
    from generator.deploy.columns import Changed
    from generator.deploy.conversion import Conversion
    from generator.deploy.statements import Statement
    from generator.deploy.tables import Lack
    from generator.registry import Registry

_IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"

_COVERED = "SELECT count(*) FROM rollup.accounts a WHERE a.covered <> '{}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A lock that a deployment waits for: what for, and which sessions hold it now."""

    lock: Lock
    reasons: tuple[str, ...]
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """What is on no day known to be complete, after a deployment, until it is backfilled.

    Each metric in all dimensions, and each dimension in all metrics.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    accounts: int
    """How many have days that are covered now."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change, in words: what is done, to which kind of object, and what else is to say of it."""

    action: str
    kind: str
    name: str
    table: str | None = None
    remark: str = ""


_REMEMBERED = {
    REMEMBER_PARTITIONS: Change(action="remember", kind="table", name="partitions"),
    REMEMBER_COLUMNS: Change(action="remember", kind="table", name="columns"),
}
_SEALED = (Change(action="take over", kind="days", name="sealed days"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deployment would do."""

    migrations: tuple[str, ...]
    changes: Changes
    waits: tuple[Wait, ...]
    incomplete: Incomplete | None
    warnings: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.migrations and self.changes.is_nothing

    @property
    def listed(self) -> tuple[Change, ...]:
        """Every change, in the order in which a deployment makes or tells of them."""
        listed = (
            *(Change(action="apply", kind="migration", name=name) for name in self.migrations),
            *map(_of_table, self.changes.tables),
            *map(_of_object, self.changes.objects),
            *([_of_conversion(self.changes.conversion)] if self.changes.conversion else []),
            *map(_of_column, self.changes.changed_columns),
            *(_SEALED if self.changes.has_sealed else ()),
        )
        if listed or self.is_nothing:
            return listed
        if described := self.changes.described:
            return tuple(_REMEMBERED[one] for one in described)
        digest = self.changes.registry.digest
        return (Change(action="write down", kind="registry", name=digest[:12]),)


def plan(dsn: str, registry: Registry, patience: Patience) -> Plan:
    """Find out what `deploy` would do; what it would refuse is the same DatabaseError.

    All of it is read in one snapshot, by a transaction that may not write, takes no lock that
    holds up a writer, and waits for none longer than `patience` says.
    """
    with connect(dsn) as session, snapshot(session):
        session.execute(patience.setting)
        migrations, changes = look(session, registry)
        is_nothing = not migrations and changes.is_nothing
        return Plan(
            migrations=migrations,
            changes=changes,
            waits=() if is_nothing else tuple(_waits(session, changes)),
            incomplete=_incomplete(session, changes),
            warnings=tuple(caveats(session, changes)),
        )


def look(session: Connection, registry: Registry) -> tuple[tuple[str, ...], Changes]:
    """Find the migrations and the changes that a deployment would make, or why it would not."""
    check(session, registry)
    rendered = render(registry, tables.survey(session, registry))
    return tuple(migrate.pending(session)), compute(session, registry, rendered)


def diff(one: Object) -> list[str]:
    """Compare the catalog's text of what is replaced with the rendered one, line by line.

    Of a view the catalog keeps no text: PostgreSQL prints its query anew, in its own words.
    """
    if one.status != "OUTDATED" or one.in_place is None or one.rendered is None:
        return []
    old = one.in_place.definition.splitlines()
    new = one.rendered.definition.splitlines()
    where = "as the server prints it" if one.kind == "view" else "in the database"
    names = (f"{one} ({where})", f"{one} (rendered)")
    return list(difflib.unified_diff(old, new, *names, lineterm=""))


def _of_table(lack: Lack) -> Change:
    parts = {"columns": lack.columns, "defaults of": lack.defaults}
    return Change(
        action="create" if lack.is_missing else "complete",
        kind="table",
        name=lack.name,
        remark="; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names),
    )


def _of_object(one: Object) -> Change:
    others = (other.drop for other in one.leftovers if one.rendered and other != one.in_place)
    remarks = (
        *(["dropped first, grants on it as well"] if one.is_recreated else []),
        *(f"drops {drop.partition(' ')[2]}" for drop in others),
        *(["changed by another role"] if one.is_foreign else []),
    )
    return Change(
        action=VERBS[one.status],
        kind=one.kind,
        name=one.name,
        table=one.table,
        remark="; ".join(remarks),
    )


def _of_conversion(one: Conversion) -> Change:
    names = ", ".join(f"{old} to {new}" for old, new in one.renamed)
    remark = f"rename {names}" if names else "as this version stores it"
    return Change(action="convert", kind="table", name=conversion.TABLE, remark=remark)


def _of_column(one: Changed) -> Change:
    return Change(
        action="take over", kind="column", name=one.name, table=one.table, remark=one.change
    )


def _waits(session: Connection, changes: Changes) -> Iterator[Wait]:
    """List the locks that are waited for, each once, in the order in which they are taken."""
    reasons: dict[Lock, dict[str, None]] = {}
    for statement in _statements(changes):
        if statement.lock and _is_there(session, changes, statement.lock):
            reasons.setdefault(statement.lock, {})[statement.why] = None
    for lock, why in reasons.items():
        yield Wait(lock=lock, reasons=tuple(why), holders=tuple(holders(session, lock)))


def _statements(changes: Changes) -> Iterator[Statement]:
    yield from script.of_tables(changes)
    yield from script.of_objects(changes, tuple(map(str, changes.tables)))
    yield from script.of_accounts(changes.registry)


def _is_there(session: Connection, changes: Changes, lock: Lock) -> bool:
    """Tell whether a session can hold the lock: of what does not exist yet, none can."""
    if lock.mode == "SLOTS":
        return changes.last is not None
    rows = (session.execute(_IS_THERE, (name,)).fetchone() for name in lock.relations)
    return (True,) in rows


def _incomplete(session: Connection, changes: Changes) -> Incomplete | None:
    """Tell what is on no day known to be complete afterwards: all, or what is new."""
    new = changes.difference
    registry = changes.registry
    metrics = tuple(metric.name for metric in registry.metrics)
    if changes.last is None:
        return Incomplete(metrics=metrics, accounts=0, reasons=("nothing has been counted so far",))
    [accounts] = session.execute(_COVERED).fetchone() or (0,)
    reasons = changes.miscounts
    if changes.losses:
        reasons = (*reasons, "tables are missing or lack columns")
    if reasons and accounts:
        return Incomplete(metrics=metrics, accounts=accounts, reasons=reasons)
    if (new.metrics or new.dimensions) and accounts:
        return Incomplete(
            metrics=new.metrics,
            dimensions=new.dimensions,
            accounts=accounts,
            reasons=("new, or counted otherwise than before",),
        )
    return None
