"""Totals whose events were never restored: as after pg_dump --exclude-table-data of the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.deploy import tables
from generator.quoting import literal, qualified

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.registry import Registry

# An event that goes leaves its pages until vacuum, and what its going makes of totals is counted.
_HAS_PAGES = """
SELECT coalesce(sum(pg_relation_size(to_regclass(t))), 0) > 0
FROM unnest(ARRAY [{names}]::text[]) t
"""

_MAY_READ = """
SELECT bool_and(coalesce(has_table_privilege(to_regclass(t), 'SELECT'), false))
FROM unnest(ARRAY [
    {totals},
    'rollup.accounts',
    'rollup.coverage',
    'rollup.pending_events'
]::text[]) t
"""

_HAS_TOTALS = """
SELECT EXISTS (
    SELECT
    FROM rollup.accounts a
    JOIN rollup.coverage v ON v.account_id = a.account_id
    JOIN {totals} r ON r.account_id = a.account_id
    WHERE r.count <> 0
    AND v.covered @> r.date
    AND NOT a.sealed @> r.date
    AND NOT EXISTS (
        SELECT
        FROM rollup.pending_events p
        WHERE p.account_id = a.account_id
    )
)
"""


def problems(session: Connection, registry: Registry) -> list[str]:
    """Say so where covered days have totals while the events have not one page, as far as read."""
    source, rollups = registry.source, registry.rollups
    events = qualified(source.schema, source.table)
    totals = qualified(rollups.schema, rollups.table)
    if tables.find(session, source.schema, source.table) is None:
        return []
    names = ", ".join(map(literal, (events, *tables.partitions(session, registry))))
    if session.execute(_HAS_PAGES.format(names=names)).fetchone() == (True,):
        return []
    if session.execute(_MAY_READ.format(totals=literal(totals))).fetchone() != (True,):
        return []
    if session.execute(_HAS_TOTALS.format(totals=totals)).fetchone() != (True,):
        return []
    return [
        f"{events} is empty, and covered days have totals: restored without its events? Restore "
        "them with its triggers off, or `python -m generator verify --repair` deletes these totals"
    ]
