"""Verification: ask the database for the differences between raw events and rollups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from generator.deploy import columns, partitions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from generator.database.connection import Connection
    from generator.deploy.columns import Changed
    from generator.deploy.partitions import Gone

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
    AND has_table_privilege('rollup.verifications', 'INSERT')
    AND NOT current_setting('transaction_read_only')::boolean
"""

_NOTE = "SELECT rollup.note_verification(%s, %s, %s, %s)"

_SAMPLE = "SELECT d.*, true AS covered FROM rollup.verify_sample(%s) d"

_SAMPLED = """
SELECT count(*)
FROM rollup.verifications v
WHERE v.xmin = pg_current_xact_id()::xid
"""

_IS_AMONG = """
SELECT EXISTS (SELECT FROM unnest(%s::date[]) d (date) WHERE d.date <@ %s::datemultirange)
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

_UNSETTLED = """
SELECT
    account_id,
    CASE
        WHEN m.account_id IS NOT NULL
            THEN 'time zone changed in the application, not yet taken over'
        WHEN a.wanted IS NULL THEN 'switched off, not yet removed'
        WHEN a.timezone = a.wanted THEN 'time zone gone from the server'
        ELSE 'time zone changed, not yet rebuilt'
    END
FROM rollup.accounts a
FULL JOIN rollup.missed_settings(%(account)s) m USING (account_id)
WHERE (%(account)s::bigint IS NULL OR account_id = %(account)s)
AND (
    m.account_id IS NOT NULL
    OR a.timezone IS DISTINCT FROM a.wanted
    OR NOT rollup.knows_timezone(a.timezone)
)
ORDER BY account_id
"""

_UNKEPT = "SELECT t.problem, t.cure FROM rollup.trigger_problems() t ORDER BY t.problem"

# Days go as text: the server has some that Python has not.
_DAY_AFTER = """
SELECT CASE WHEN d.day < '5874897-12-31' THEN (d.day + 1)::text END
FROM (SELECT %s::date AS day) d
"""

_REBUILD = "SELECT rollup.rebuild(%s, %s::date, %s::date)"

_REQUIRE_COLUMNS = "SELECT rollup.require_columns()"

_REQUIRE_PARTITIONS = "SELECT rollup.require_partitions(ARRAY [%s], %s::date, %s::date)"

# No bound where there is no day after: an altered rollup may be of the last day, or of infinity.
_BOUNDS = """
SELECT
    w.account_id,
    min(w.date)::text,
    CASE WHEN max(w.date) < '5874897-12-31' THEN (max(w.date) + 1)::text END
FROM unnest(%s::bigint[], %s::date[]) w (account_id, date)
GROUP BY w.account_id
ORDER BY w.account_id
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
    since: date | str | None = None
    until: date | str | None = None


def drift(session: Connection, scope: Scope) -> list[dict[str, Any]]:
    """List the differences, truth minus rollups, with the columns of rollup.difference.

    `covered` tells those on days that were claimed to be exact from history not yet backfilled.
    What was found is written down in rollup.verifications, by who may write.
    """
    bounds = (scope.account_id, scope.since, scope.until)
    with session.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_DRIFT, bounds).fetchall()
    if session.execute(_MAY_NOTE).fetchone() == (True,):
        session.execute(_NOTE, (*bounds, sum(row["covered"] for row in rows)))
        if not rows and scope.since is None and scope.until is None:
            session.execute(_VERIFIED, {"account": scope.account_id})
    return rows


def sample(session: Connection, account_days: int) -> tuple[list[dict[str, Any]], int]:
    """Compare random days of accounts; give the differences, and how many days were compared."""
    with session.transaction(), session.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_SAMPLE, (account_days,)).fetchall()
        [compared] = session.execute(_SAMPLED).fetchone() or (0,)
    return rows, compared


def require_repairable(session: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Fail where a column has changed, or rebuilding could delete what is left of a partition."""
    session.execute(_REQUIRE_COLUMNS)
    for bounds in _bounds(session, rows):
        session.execute(_REQUIRE_PARTITIONS, bounds)


def on_gone_days(session: Connection, rows: Iterable[dict[str, Any]]) -> list[Gone]:
    """List the partitions that are gone, on whose days something differs."""
    dates = sorted({str(row["date"]) for row in rows})
    return [
        one
        for one in partitions.gone(session)
        if session.execute(_IS_AMONG, (dates, one.days)).fetchone() == (True,)
    ]


def drift_of(session: Connection, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """List the differences on the days of others, each day by itself."""
    days = sorted({(row["account_id"], str(row["date"])) for row in rows})
    found = []
    for account, day in days:
        [after] = session.execute(_DAY_AFTER, (day,)).fetchone() or (None,)
        found += drift(session, Scope(account_id=account, since=day, until=after))
    return found


def unsettled(session: Connection, scope: Scope) -> list[tuple[int, str]]:
    """List the accounts in scope whose record is not that of the zone they are to have, and why."""
    return session.execute(_UNSETTLED, {"account": scope.account_id}).fetchall()


def unkept(session: Connection) -> list[tuple[str, str]]:
    """Say why events come and go uncounted, or count twice, and what to do about each reason."""
    return session.execute(_UNKEPT).fetchall()


def changed_columns(session: Connection) -> tuple[Changed, ...]:
    """List the columns that are no longer as the last deployment found them."""
    return columns.changed(session)


def size(session: Connection, scope: Scope) -> tuple[int, int]:
    """Count what there is to verify: days of accounts, and rollup rows."""
    names = {"account": scope.account_id, "since": scope.since, "until": scope.until}
    days, rows = session.execute(_SIZE, names).fetchone() or (0, 0)
    return days, rows


def repair(session: Connection, rows: Iterable[dict[str, Any]]) -> int:
    """Rebuild the days that differ, each account from its first to its last; return the changes."""
    changed = 0
    for bounds in _bounds(session, rows):
        [count] = session.execute(_REBUILD, bounds).fetchone() or (0,)
        changed += count
    return changed


def _bounds(
    session: Connection, rows: Iterable[dict[str, Any]]
) -> list[tuple[int, str, str | None]]:
    """Give, for each account, the first day of those that differ and the day after the last."""
    days = [(row["account_id"], str(row["date"])) for row in rows]
    accounts, dates = [account for account, _ in days], [day for _, day in days]
    return session.execute(_BOUNDS, (accounts, dates)).fetchall()
