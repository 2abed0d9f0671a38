"""The judge of reports: a query over the raw events, and what it makes of a request."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg import sql

if TYPE_CHECKING:
    from psycopg import Connection

QUERY = Path(__file__).with_name("report_oracle.sql").read_text()

EVENTS = {
    "resolutions_count": "conversation_resolved",
    "avg_resolution_time": "conversation_resolved",
    "avg_first_response_time": "first_response",
    "reply_time": "reply_time",
    "bot_resolutions_count": "conversation_bot_resolved",
    "bot_handoffs_count": "conversation_bot_handoff",
}
AVERAGES = ("avg_resolution_time", "avg_first_response_time", "reply_time")
SUMMARY = ("resolutions_count", *AVERAGES)

Point = tuple[datetime, float | None, int]

TIMESERIES = """
SELECT s.bucket_start, s.value, s.count
FROM rollup.timeseries(
    %(account)s, %(metric)s, %(type)s, %(id)s, %(since)s, %(until)s,
    %(unit)s, %(hours)s, %(asked_zone)s, %(week_start)s
) s
"""
AGGREGATE = """
SELECT rollup.aggregate(
    %(account)s, %(metric)s, %(type)s, %(id)s, %(since)s, %(until)s, %(hours)s
)
"""
SUMMARIES = (
    "SELECT s.* FROM rollup.summary(%(account)s, %(type)s, %(since)s, %(until)s, %(hours)s) s"
)
PARTS = """
SELECT p.begins, p.ends, p.source, p.reason
FROM rollup.explain_report(
    %(account)s, %(metric)s, %(type)s, %(id)s, %(since)s, %(until)s,
    %(unit)s, %(hours)s, %(asked_zone)s, %(week_start)s
) p
"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a report is asked; `zone` is that of its days, `asked_zone` how it was asked for."""

    account: int
    metric: str
    since: datetime
    until: datetime
    zone: str
    asked_zone: str | None = None
    type: str = "account"
    id: int | None = None
    unit: str = "day"
    hours: bool = False
    week_start: str = "sunday"

    @property
    def parameters(self) -> dict[str, Any]:
        """The request, as the parameters of a query."""
        return {**vars(self), "event": EVENTS[self.metric]}


def timeseries(
    connection: Connection[Any], request: Request, events: str = "reporting_events"
) -> list[Point]:
    """Say what rollup.timeseries() is to say."""
    if request.since == request.until:
        return []
    found = {row[1]: _numbers(request, row) for row in _rows(connection, request, events)}
    starts = sorted({*buckets(request), *found})
    return [(start, *found.get(start, (0.0, 0))) for start in starts]


def aggregate(
    connection: Connection[Any], request: Request, events: str = "reporting_events"
) -> float | None:
    """Say what rollup.aggregate() is to say."""
    rows = _rows(connection, replace(request, unit="range"), events)
    if rows:
        return _numbers(request, rows[0])[0]
    return None if request.metric in AVERAGES else 0.0


def summary(
    connection: Connection[Any], request: Request, events: str = "reporting_events"
) -> list[tuple[Any, ...]]:
    """Say what rollup.summary() is to say: a row per id."""
    found: dict[int, list[float | None]] = {}
    for place, metric in enumerate(SUMMARY):
        one = replace(request, metric=metric, unit="range", id=None)
        for row in _rows(connection, one, events, every_id=True):
            figures = found.setdefault(row[0], [0.0, None, None, None])
            figures[place] = _numbers(one, row)[0]
    return [(id_, *figures) for id_, figures in sorted(found.items())]


def same(one: Any, other: Any) -> bool:
    """Compare what a report says with what it is to say; floats depend on the order of adding."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def buckets(request: Request) -> list[datetime]:
    """List the starts of all buckets of a range, by walking through it in small steps."""
    zone = ZoneInfo(request.zone)
    step = timedelta(minutes=15) if request.unit == "hour" else timedelta(hours=6)
    last = request.until - timedelta(microseconds=1)
    moments = [last]
    moment = request.since
    while moment < last:
        moments.append(moment)
        moment += step
    return sorted({_start(moment.astimezone(zone), request) for moment in moments})


def _start(local: datetime, request: Request) -> datetime:
    """Go back to the start of the bucket of a local time."""
    if request.unit == "hour":
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return local.astimezone(ZoneInfo("UTC")) - past
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    match request.unit:
        case "week":
            past_days = day.isoweekday() % 7 if request.week_start == "sunday" else day.weekday()
            day -= timedelta(days=past_days)
        case "month":
            day = day.replace(day=1)
        case "quarter":
            day = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            day = day.replace(month=1, day=1)
    return _first(day, local.tzinfo)


def _first(day: datetime, zone: Any) -> datetime:
    """Find the moment at which clocks say so; the later one where they do twice or never."""
    utc = ZoneInfo("UTC")
    return max(day.replace(tzinfo=zone, fold=fold).astimezone(utc) for fold in (0, 1))


def _rows(
    connection: Connection[Any], request: Request, events: str, *, every_id: bool = False
) -> list[tuple[Any, ...]]:
    id_ = None if every_id else request.account if request.type == "account" else request.id
    query = sql.SQL(QUERY).format(events=sql.Identifier(events))
    rows = connection.execute(query, {**request.parameters, "id": id_}).fetchall()
    return [(one, bucket.astimezone(ZoneInfo("UTC")), *rest) for one, bucket, *rest in rows]


def _numbers(request: Request, row: tuple[Any, ...]) -> tuple[float | None, int]:
    """Pick the value and the number of events of a row of the oracle."""
    _, _, count, members, without, average, business = row
    match request.metric:
        case "bot_handoffs_count":
            return float(members), members
        case "bot_resolutions_count":
            return float(without), without
        case "resolutions_count":
            return float(count), count
    return (business if request.hours else average), count
