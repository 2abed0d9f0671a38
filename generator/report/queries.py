"""Reports: ask the database for figures, and where they come from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, LiteralString

from generator.errors import RollupError
from generator.report import local_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from generator.database.connection import Connection

Reads = Literal["account", "on", "off"]
"""Whether reports read rollups: as each account says, or on, or off."""

_ZONE = """
SELECT rollup.report_timezone(%(timezone)s, a.wanted, %(unit)s)
FROM (SELECT) one
LEFT JOIN rollup.accounts a ON a.account_id = %(account_id)s
"""

_MOMENT = """
SELECT m.moment, m.moment AT TIME ZONE 'UTC'
FROM (SELECT %(local)s::timestamp AT TIME ZONE %(zone)s AS moment) m
"""

_TODAY = "SELECT (now() AT TIME ZONE %(zone)s)::date"

_TIMESERIES = """
SELECT s.bucket_start, s.bucket_start AT TIME ZONE %(zone)s, s.value, s.count
FROM rollup.timeseries(
    %(account_id)s, %(metric)s, %(dimension_type)s, %(dimension_id)s, %(since)s, %(until)s,
    %(group_by)s, %(business_hours)s, %(zone)s, %(week_start)s
) s
"""

_AGGREGATE = """
SELECT rollup.aggregate(
    %(account_id)s, %(metric)s, %(dimension_type)s, %(dimension_id)s, %(since)s, %(until)s,
    %(business_hours)s
)
"""

_SUMMARY = """
SELECT s.*
FROM rollup.summary(
    %(account_id)s, %(dimension_type)s, %(since)s, %(until)s, %(business_hours)s
) s
"""

_PARTS = """
SELECT
    p.begins,
    p.begins AT TIME ZONE %(zone)s,
    p.ends,
    p.ends AT TIME ZONE %(zone)s,
    p.source,
    p.reason
FROM rollup.explain_report(
    %(account_id)s, %(metric)s, %(dimension_type)s, %(dimension_id)s, %(since)s, %(until)s,
    %(group_by)s, %(business_hours)s, %(asked_zone)s, %(week_start)s
) p
"""

_IS_AVERAGE = """
SELECT q.is_average
FROM rollup.resolve_report(
    %(account_id)s, %(metric)s, %(dimension_type)s, %(dimension_id)s, %(since)s, %(until)s,
    %(group_by)s, %(business_hours)s, %(zone)s, %(week_start)s
) q
"""

_READS = "SELECT set_config('rollup.reads', %s, true)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a report is asked: see rollup.timeseries().

    `since` (inclusive) and `until` (exclusive) are moments; `zone` is the time zone of its days.
    """

    account_id: int
    metric: str
    since: datetime
    until: datetime
    zone: str
    dimension_type: str | None = None
    """None: the account as a whole."""
    dimension_id: int | str | None = None
    group_by: str = "day"
    business_hours: bool = False
    week_start: str = "sunday"


@dataclass(frozen=True, slots=True)
class Point:
    """A bucket: when it starts, as a moment and in local time, its value, and its events.

    Times are text where Python cannot hold them: the first week of the year 1 starts before it.
    """

    start: datetime | str
    local_start: datetime | str
    value: float | None
    count: int
    offset: str = ""
    """Of an hour: that of its start from UTC, where clocks show that time twice."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a range, in local times: where its figures come from, and why.

    Times are text where Python cannot hold them.
    """

    begins: datetime | str
    ends: datetime | str
    source: str
    reason: str
    offsets: tuple[str, str] = ("", "")
    """Of the beginning and the end from UTC, where clocks show these times twice."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The key figures of every dimension: the names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@contextmanager
def snapshot(session: Connection) -> Iterator[None]:
    """Ask all reports of the block of one snapshot."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def read(session: Connection, reads: Reads) -> None:
    """Let reports read rollups or not, until the transaction ends."""
    session.execute(_READS, (reads,))


def zone_of(
    session: Connection, account_id: int, timezone: str | None = None, unit: str = "day"
) -> str:
    """Name the time zone of an account's reports: the given one or its own, or else UTC."""
    names = {"account_id": account_id, "timezone": timezone, "unit": unit}
    zone: str = _one(session, _ZONE, names)
    return zone


def moment(session: Connection, local: date | datetime, zone: str) -> datetime:
    """Tell the moment of a local time, or of the beginning of a day.

    A RollupError where it is in no year that Python has, 1 to 9999, nor in UTC.
    """
    names = {"local": local, "zone": zone}
    own, universal = session.execute(_MOMENT, names).fetchone() or (None, None)
    if isinstance(own, datetime):
        return own
    if isinstance(universal, datetime):
        return universal.replace(tzinfo=UTC)
    raise RollupError(
        f"no moment that a report can have: {universal} in UTC",
        hint="give --since and --until in the years 1 to 9999",
    )


def held(time: datetime | str) -> datetime:
    """Give a time that Python can hold; a RollupError where it is text because it cannot."""
    if isinstance(time, str):
        raise RollupError(
            f"a page shows the years 1 to 9999, and this range reaches {time}",
            hint="give --since and --until within these years",
        )
    return time


def today(session: Connection, zone: str) -> date:
    """Tell which day it is in a time zone, by the server's clock."""
    found: date = _one(session, _TODAY, {"zone": zone})
    return found


def now(session: Connection) -> datetime:
    """Tell the moment, by the server's clock."""
    found: datetime = _one(session, "SELECT now()", {})
    return found


def timeseries(session: Connection, request: Request) -> list[Point]:
    """Ask for a report by hour, day, week, month, quarter or year."""
    points = [Point(*row) for row in session.execute(_TIMESERIES, asdict(request))]
    if request.group_by != "hour":
        return points
    times = ((one.start, one.local_start) for one in points)
    offsets = local_times.offsets(session, request.zone, times)
    return [replace(one, offset=offset) for one, offset in zip(points, offsets, strict=True)]


def aggregate(session: Connection, request: Request) -> float | None:
    """Ask for a report as one number; None where there is nothing to average."""
    value: float | None = _one(session, _AGGREGATE, asdict(request))
    return value


def is_average(session: Connection, request: Request) -> bool:
    """Tell whether the values of a report are averages, and so durations in seconds."""
    found: bool | None = _one(session, _IS_AVERAGE, asdict(request))
    return bool(found)


def summary(session: Connection, request: Request) -> Summary:
    """Ask for the key figures of every dimension of a type."""
    cursor = session.execute(_SUMMARY, asdict(request))
    return Summary(tuple(one.name for one in cursor.description or ()), cursor.fetchall())


def parts(session: Connection, request: Request) -> list[Part]:
    """Ask where the figures come from: the parts of the range, in order.

    A report that is one bucket has no days of its own, and so reads those of the account.
    """
    asked = None if request.group_by == "range" else request.zone
    names = {**asdict(request), "asked_zone": asked}
    rows = session.execute(_PARTS, names).fetchall()
    begins = local_times.offsets(session, request.zone, [row[0:2] for row in rows])
    ends = local_times.offsets(session, request.zone, [row[2:4] for row in rows])
    return [
        Part(begin, end, source, reason, both)
        for (_, begin, _, end, source, reason), both in zip(
            rows, zip(begins, ends, strict=True), strict=True
        )
    ]


def _one(session: Connection, query: LiteralString, names: dict[str, Any]) -> Any:
    row = session.execute(query, names).fetchone()
    return row[0] if row else None
