"""New partitions of the source table to which nothing has ever been written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.blockers import Lock
from generator.quoting import Sql, literal
from generator.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.catalog import Object
    from generator.database import Connection

# The tree of a table that inherits in the old way, without being a partition, is empty.
_PAGES = """
SELECT pg_relation_size(to_regclass({name})) + coalesce(sum(pg_relation_size(t.relid)), 0)
FROM pg_partition_tree(to_regclass({name})) t
"""

# By name: a table of a name that had our triggers is not new, even where it was made again.
_IS_KNOWN = """
SELECT EXISTS (
    SELECT
    FROM rollup.deployments d
    CROSS JOIN LATERAL unnest(d.changes) c (change)
    WHERE c.change LIKE '%% trigger %%'
    AND right(c.change, length(%(ending)s)) = %(ending)s
)
"""

_VOID_IF_WRITTEN = """
UPDATE rollup.accounts
SET covered = '{{}}'
WHERE covered <> '{{}}'
AND ({pages}) > 0
"""


def untouched(session: Connection, objects: Iterable[Object]) -> tuple[str, ...]:
    """Name the partitions without any trigger of ours that never had any, nor any page.

    Being empty would not do: an event that was written straight to the partition and deleted by way
    of its parent was taken off without having been added.
    """
    objects = tuple(objects)
    missing: dict[str, int] = {}
    for one in objects:
        if one.kind == "trigger" and one.table and one.status == "MISSING" and not one.leftovers:
            missing[one.table] = missing.get(one.table, 0) + 1
    return tuple(
        name for name, triggers in missing.items() if triggers == 4 and _is_untouched(session, name)
    )


def void_if_written(name: str) -> Statement:
    """Void coverage where a partition was written to before its lock was had."""
    return Statement(
        text=_VOID_IF_WRITTEN.format(pages=_PAGES.format(name=literal(name)).strip()),
        lock=Lock("ROWS", ("rollup.accounts",)),
        why="no day is covered any more",
    )


def _is_untouched(session: Connection, name: str) -> bool:
    known = session.execute(_IS_KNOWN, {"ending": f" on {name}"}).fetchone()
    pages = session.execute(Sql(_PAGES.format(name=literal(name)))).fetchone()
    return known == (False,) and pages == (0,)
