"""Warnings about a deployment; none of them blocks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from generator.quoting import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.database.connection import Connection
    from generator.deploy.catalog import Object
    from generator.deploy.changes import Changes

_HAS_ROWS = sql.SQL("SELECT EXISTS (SELECT FROM {})")

_IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"

_WITHOUT_INDEX = """
SELECT t.name
FROM unnest(%(tables)s::text[]) WITH ORDINALITY t (name, nr)
JOIN pg_class c ON c.oid = to_regclass(t.name)
WHERE c.relkind = 'r'
AND NOT EXISTS (
    SELECT
    FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey [0]
    WHERE i.indrelid = c.oid
    AND i.indisvalid
    AND i.indpred IS NULL
    AND a.attname IN (%(account)s, %(time)s)
)
ORDER BY t.nr
"""

_VIEW_COLUMNS = """
SELECT a.attname, a.atttypid
FROM pg_attribute a
WHERE a.attrelid = to_regclass(%s)
AND a.attnum > 0
AND NOT a.attisdropped
ORDER BY a.attnum
"""


def caveats(session: Connection, changes: Changes) -> Iterator[str]:
    """Say what is to be known before a deployment makes these changes."""
    yield from _of_rollups(session, changes)
    if changes.has_sealed:
        yield (
            "days whose events were purged before an undeployment are sealed again: what has "
            "happened to events on them since then is not counted"
        )
    yield from _of_indexes(session, changes)
    yield from _of_partitions(changes)
    for one in changes.objects:
        if one.is_foreign:
            yield f"{one} is not as it was deployed: another role's change is overwritten"
    for one in changes.out_of_reach:
        yield f"{one} is on a table of another role, which alone may drop it; it does nothing there"
    yield from _of_dependents(session, changes)


def _of_rollups(session: Connection, changes: Changes) -> Iterator[str]:
    """Say who else may be writing the rollup table."""
    rollups = changes.registry.rollups
    name = qualified(rollups.schema, rollups.table)
    if session.execute(_IS_THERE, (name,)).fetchone() != (True,):
        return
    query = _HAS_ROWS.format(sql.Identifier(rollups.schema, rollups.table))
    if changes.last is None and session.execute(query).fetchone() == (True,):
        yield (
            f"{name} has rows already: an application that goes on writing it counts double; "
            "switch that off first, or name another table in the registry"
        )


def _of_indexes(session: Connection, changes: Changes) -> Iterator[str]:
    """Say which tables of events can only be read whole."""
    source = changes.registry.source
    values = {"tables": list(changes.events), "account": source.account, "time": source.time}
    names = [name for [name] in session.execute(_WITHOUT_INDEX, values)]
    if names:
        yield (
            f"{_listed(names)} has no valid index that begins with {source.account} or "
            f"{source.time}: backfill, verify and reports read the whole of it"
        )


def _of_partitions(changes: Changes) -> Iterator[str]:
    """Say which partitions are gone, and which were written to while nothing counted."""
    for gone in changes.gone:
        yield str(gone)
    fresh = {one.name: one for one in changes.fresh}
    for one in changes.fresh:
        if not one.is_untouched:
            yield (
                f"partition {one.name} is new or attached again, and was written to: its events "
                "have not been counted, and the days within its bounds are not covered until "
                "`backfill`"
            )
    lacking = {one.table for one in changes.objects if one.kind == "trigger" and one.rendered}
    names = [name for name in changes.events[1:] if name in lacking - fresh.keys()]
    if names and changes.last is not None:
        yield (
            f"triggers are missing or off on {_listed(names)}: statements straight on such a "
            "partition have not been counted"
        )


def _of_dependents(session: Connection, changes: Changes) -> Iterator[str]:
    """Say what depends on that which is dropped, so that the deployment fails."""
    gone = {
        *changes.drops,
        *(one.in_place.drop for one in changes.objects if one.is_recreated and one.in_place),
    }
    for one in changes.objects:
        if one.kind == "view" and one.in_place and not _keeps_columns(session, one):
            gone.add(one.in_place.drop)
    for dependent in changes.dependents:
        if dependent.on in gone and dependent.drop is None:
            yield (
                f"{dependent.name} depends on {_described(dependent.on)}, which has to be dropped: "
                "deploy fails as long as it does"
            )


def _keeps_columns(session: Connection, view: Object) -> bool:
    """Tell whether a view can be replaced, as far as its query can be understood already."""
    assert view.rendered is not None
    query = view.rendered.definition.partition(" AS\n")[2]
    old = session.execute(_VIEW_COLUMNS, (view.name,)).fetchall()
    try:
        with session.transaction(force_rollback=True):
            cursor = session.execute(f"SELECT * FROM ({query}) q LIMIT 0".encode())  # noqa: S608
            new = [(column.name, column.type_code) for column in cursor.description or ()]
    except psycopg.ProgrammingError:
        return True
    return new[: len(old)] == old


def _described(drop: str) -> str:
    kind, _, name = drop.partition(" ")
    return f"{'function' if kind == 'ROUTINE' else kind.lower()} {name}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
