"""What a repair would delete: totals of whole days, of which no event is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.database.connection import Connection

# The days of which every total differs by all of itself. Dates go as text: the server has some that
# Python has not.
_EMPTIED = """
WITH wrong AS MATERIALIZED (
    SELECT w.account_id, w.date::date AS date, w.dimension_type, w.dimension_id, w.metric, w.count
    FROM unnest(
        %(account_id)s::bigint[],
        %(date)s::text[],
        %(dimension_type)s::text[],
        %(dimension_id)s::text[],
        %(metric)s::text[],
        %(count)s::bigint[]
    ) w (account_id, date, dimension_type, dimension_id, metric, count)
),
emptied AS (
    SELECT r.account_id, r.date
    FROM rollup.current_rollups r
    LEFT JOIN wrong w ON w.account_id = r.account_id
        AND w.date = r.date
        AND w.dimension_type = r.dimension_type
        AND w.dimension_id = r.dimension_id::text
        AND w.metric = r.metric
        AND w.count = - r.count
    WHERE (r.account_id, r.date) IN (SELECT n.account_id, n.date FROM wrong n)
    GROUP BY r.account_id, r.date
    HAVING bool_and(w.account_id IS NOT NULL)
)
SELECT e.account_id, min(e.date)::text, max(e.date)::text, count(*)
FROM emptied e
GROUP BY e.account_id
ORDER BY e.account_id
"""

_COLUMNS = ("account_id", "date", "dimension_type", "dimension_id", "metric", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The days of an account of which a repair would delete all totals."""

    account_id: int
    first: str
    last: str
    days: int


def of_repair(session: Connection, rows: Sequence[dict[str, Any]]) -> list[Loss]:
    """List, by account, the days of which repairing these differences deletes all totals.

    No event of these days is left. That is right where events were deleted while nothing counted,
    and the end of the last that is known of them where a partition was dropped.
    """
    gone = [row for row in rows if row["count"] < 0]
    values = {name: [str(row[name]) for row in gone] for name in _COLUMNS}
    return [
        Loss(account_id=account, first=first, last=last, days=days)
        for account, first, last, days in session.execute(_EMPTIED, values)
    ]
