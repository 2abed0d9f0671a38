"""Verification: ask the database for the differences between raw events and rollups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from generator.database import Connection

# One statement, and so one snapshot: what differs, and whether its day was claimed to be exact.
_DRIFT = """
SELECT
    d.*,
    coalesce(coalesce(m.covered, v.covered_but_for_gaps) @> d.date, false) AS covered
FROM rollup.drift(%s, %s, %s) d
LEFT JOIN rollup.coverage v ON v.account_id = d.account_id
LEFT JOIN rollup.metric_coverage m ON m.account_id = d.account_id
    AND m.dimension_type = d.dimension_type
    AND m.metric = d.metric
"""

_MAY_NOTE = """
SELECT
    has_column_privilege('rollup.accounts', 'verified_at', 'UPDATE')
    AND NOT current_setting('transaction_read_only')::boolean
"""

_VERIFIED = """
UPDATE rollup.accounts a
SET verified_at = clock_timestamp()
FROM rollup.coverage v
WHERE (%(account)s::bigint IS NULL OR a.account_id = %(account)s)
AND a.timezone = a.wanted
AND v.account_id = a.account_id
AND v.covered = '{(,)}'
"""

_SIZE = """
SELECT count(DISTINCT (r.account_id, r.date)), count(*)
FROM rollup.current_rollups r
WHERE (%(account)s::bigint IS NULL OR r.account_id = %(account)s)
AND (%(since)s::date IS NULL OR r.date >= %(since)s)
AND (%(until)s::date IS NULL OR r.date < %(until)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to verify: an account or, if None, all; days `since` (inclusive) `until` (exclusive)."""

    account_id: int | None = None
    since: date | None = None
    until: date | None = None


def drift(session: Connection, scope: Scope) -> list[dict[str, Any]]:
    """List the differences, truth minus rollups, with the columns of rollup.difference.

    `covered` tells those on days that were claimed to be exact from history not yet backfilled.
    Where a whole account shows none, that it was verified is written down, by who may write.
    """
    with session.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_DRIFT, (scope.account_id, scope.since, scope.until)).fetchall()
    is_whole = scope.since is None and scope.until is None
    if not rows and is_whole and session.execute(_MAY_NOTE).fetchone() == (True,):
        session.execute(_VERIFIED, {"account": scope.account_id})
    return rows


def size(session: Connection, scope: Scope) -> tuple[int, int]:
    """Count what there is to verify: days of accounts, and rollup rows."""
    names = {"account": scope.account_id, "since": scope.since, "until": scope.until}
    days, rows = session.execute(_SIZE, names).fetchone() or (0, 0)
    return days, rows


def repair(session: Connection, rows: Iterable[dict[str, Any]]) -> int:
    """Rebuild the days that differ, each account from its first to its last; return the changes."""
    days: dict[int, list[date]] = {}
    for row in rows:
        days.setdefault(row["account_id"], []).append(row["date"])
    changed = 0
    for account, dates in sorted(days.items()):
        bounds = (account, min(dates), max(dates))
        [count] = session.execute(
            "SELECT rollup.rebuild(%s, %s, %s::date + 1)", bounds
        ).fetchone() or (0,)
        changed += count
    return changed
