"""Partitions of the source table: new ones, and those that are gone since the last deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.blockers import Lock
from generator.deploy.statements import Statement
from generator.quoting import Sql, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from generator.database.connection import Connection
    from generator.deploy.catalog import Object

TRIGGERS = 4
"""How many triggers of ours are on each table of events."""

FUNCTIONS = frozenset(
    f"rollup.{name}" for name in ("current_partitions", "days_around", "gone_partitions")
)
"""The functions that compare the partitions with those of the last deployment."""

# The tree of a table that inherits in the old way, without being a partition, is empty.
_PAGES = """
SELECT pg_relation_size(to_regclass({name})) + coalesce(sum(pg_relation_size(t.relid)), 0)
FROM pg_partition_tree(to_regclass({name})) t
"""

_IS_THERE = "SELECT to_regclass('rollup.partitions') IS NOT NULL"

_IS_REMEMBERED = """
SELECT EXISTS (
    SELECT
    FROM rollup.partitions p
    WHERE p.relation = to_regclass(%(name)s)
)
"""

# A deployment of a version that remembered no partitions knows names alone: a table of a name that
# had our triggers is not new to it, even where it was made again.
_IS_KNOWN = """
SELECT EXISTS (
    SELECT
    FROM rollup.deployments d
    CROSS JOIN LATERAL unnest(d.changes) c (change)
    WHERE c.change LIKE '%% trigger %%'
    AND right(c.change, length(%(ending)s)) = %(ending)s
)
"""

_IS_NAMED = """
SELECT EXISTS (
    SELECT
    FROM rollup.partitions p
    WHERE format('%%I.%%I', p.schema_name, p.table_name) = %(name)s
)
"""

_VOID = """
UPDATE rollup.accounts a
SET covered = a.covered - p.days
FROM (
    SELECT rollup.days_around(c.since, c.until) AS days
    FROM rollup.current_partitions() c
    WHERE c.relation = to_regclass({name})
) p
WHERE a.covered && p.days
"""

_IF_WRITTEN = """AND ({pages}) > 0
"""

_FORGET = """
DELETE FROM rollup.partitions p
WHERE (p.source, p.relation) NOT IN (SELECT g.source, g.relation FROM rollup.gone_partitions() g)
"""

_REMEMBER = """
INSERT INTO rollup.partitions (source, relation, schema_name, table_name, since, until)
SELECT c.source, c.relation, c.schema_name, c.table_name, c.since, c.until
FROM rollup.current_partitions() c
WHERE c.holds_events
ON CONFLICT DO NOTHING
"""

_IS_CHANGED = """
WITH present AS MATERIALIZED (
    SELECT c.source, c.relation, c.schema_name, c.table_name, c.since, c.until
    FROM rollup.current_partitions() c
    WHERE c.holds_events
),
remembered AS MATERIALIZED (
    SELECT p.source, p.relation, p.schema_name, p.table_name, p.since, p.until
    FROM rollup.partitions p
    WHERE (p.source, p.relation) NOT IN (
        SELECT g.source, g.relation
        FROM rollup.gone_partitions() g
    )
)
SELECT
    EXISTS (TABLE present EXCEPT TABLE remembered)
    OR EXISTS (TABLE remembered EXCEPT TABLE present)
"""

_MAY_READ = """
SELECT
    to_regprocedure('rollup.gone_partitions(bigint[], date, date)') IS NOT NULL
    AND to_regprocedure('rollup.current_partitions()') IS NOT NULL
    AND coalesce(has_table_privilege(to_regclass('rollup.partitions'), 'SELECT'), false)
    AND coalesce(has_table_privilege(to_regclass('rollup.pending_events'), 'SELECT'), false)
"""

_GONE = "SELECT g.partition, g.days::text FROM rollup.gone_partitions() g"

# With the partitioned tables that went with them.
_DETACHED = """
WITH RECURSIVE family AS (
    SELECT c.oid
    FROM rollup.partitions p
    JOIN pg_class c ON c.oid = p.relation
    WHERE c.oid NOT IN (SELECT x.relation FROM rollup.current_partitions() x)
    UNION
    SELECT i.inhparent
    FROM family f
    JOIN pg_inherits i ON i.inhrelid = f.oid
)
SELECT g.partition
FROM rollup.gone_partitions() g
WHERE g.relation = to_regclass(g.partition)
UNION
SELECT format('%I.%I', n.nspname, c.relname)
FROM family f
JOIN pg_class c ON c.oid = f.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A partition without any trigger of ours: it is new, or was detached and attached again."""

    name: str
    is_known: bool
    """Whether it had triggers before, so that its events were counted once."""
    is_empty: bool
    """Whether nothing was ever written to it. Having no rows would not do: an event that was
    written straight to the partition and deleted by way of its parent was taken off without having
    been added."""

    @property
    def is_untouched(self) -> bool:
        """Whether missing triggers have missed nothing."""
        return self.is_empty and not self.is_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A partition that was dropped or detached, and the days whose totals may be all of it."""

    name: str
    days: str
    """The days, as PostgreSQL writes a multirange."""

    def __str__(self) -> str:
        days = "days that are not known" if self.days == "{(,)}" else f"days {self.days}"
        return (
            f"partition {self.name} is gone with its events, and totals of {days} may be all that "
            "is left of them; to keep these, or let them be deleted: "
            f"SELECT rollup.forget_partition({literal(self.name)}, keep_totals => true), or false"
        )


def fresh(
    session: Connection, objects: Iterable[Object], partitions: Collection[str]
) -> tuple[Fresh, ...]:
    """List the partitions that have no trigger of ours, and of which none is a leftover."""
    missing: dict[str, int] = {}
    for one in objects:
        if one.kind == "trigger" and one.table and one.status == "MISSING" and not one.leftovers:
            missing[one.table] = missing.get(one.table, 0) + 1
    return tuple(
        Fresh(name=name, is_known=_is_known(session, name), is_empty=_is_empty(session, name))
        for name, triggers in missing.items()
        if triggers == TRIGGERS and name in partitions
    )


def gone(session: Connection) -> tuple[Gone, ...]:
    """List the partitions that are gone with totals to lose, as far as this role may know."""
    if session.execute(_MAY_READ).fetchone() != (True,):
        return ()
    return tuple(Gone(name=name, days=days) for name, days in session.execute(_GONE))


def detached(session: Connection) -> frozenset[str]:
    """Name the tables that were partitions at the last deployment, and are none now."""
    if session.execute(_MAY_READ).fetchone() != (True,):
        return frozenset()
    return frozenset(name for [name] in session.execute(_DETACHED))


def are_changed(session: Connection) -> bool:
    """Tell whether the partitions are others than those that the last deployment wrote down."""
    return session.execute(_IS_CHANGED).fetchone() == (True,)


def void(one: Fresh) -> Statement:
    """Void coverage of the days for which a partition has room.

    Where it never had our triggers, only if it was written to before its lock was had.
    """
    name = literal(one.name)
    text = _VOID.format(name=name)
    if not one.is_known:
        text += _IF_WRITTEN.format(pages=_PAGES.format(name=name).strip())
    return Statement(
        text=text, lock=Lock("ROWS", ("rollup.accounts",)), why="no day is covered any more"
    )


def remembered() -> tuple[Statement, ...]:
    """Write down the partitions as they are, and keep those that are gone with totals to lose."""
    return Statement(text=_FORGET), Statement(text=_REMEMBER)


def _is_known(session: Connection, name: str) -> bool:
    if session.execute(_IS_THERE).fetchone() == (True,):
        if session.execute(_IS_REMEMBERED, {"name": name}).fetchone() == (True,):
            return True
        if session.execute(_IS_NAMED, {"name": name}).fetchone() == (True,):
            return False
    return session.execute(_IS_KNOWN, {"ending": f" on {name}"}).fetchone() == (True,)


def _is_empty(session: Connection, name: str) -> bool:
    return session.execute(Sql(_PAGES.format(name=literal(name)))).fetchone() == (0,)
