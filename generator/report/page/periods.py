"""What a page is about: an account in a period, and the period right before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from generator.errors import RollupError
from generator.report import local_times, queries

if TYPE_CHECKING:
    from generator.database.connection import Connection

_LOCAL = """
SELECT CASE WHEN d.day AT TIME ZONE %(zone)s = d.moment THEN d.day ELSE d.local END
FROM (
    SELECT
        l.moment,
        l.moment AT TIME ZONE %(zone)s AS local,
        date_trunc('day', l.moment AT TIME ZONE %(zone)s) AS day
    FROM (SELECT coalesce(%(moment)s::timestamptz, now()) AS moment) l
) d
"""

_UNITS = ((93, "day"), (400, "week"), (12 * 366, "month"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a page shows: an account from `since` (inclusive) until `until` (exclusive).

    Both are moments, with a time zone of whatever kind; `zone` is that of the account's reports.
    """

    account_id: int
    since: datetime
    until: datetime
    zone: str
    business_hours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period: its moments, and when they are by local clocks.

    The beginning of a day is midnight, also where clocks leave midnight out.
    """

    since: datetime
    until: datetime
    begins: datetime
    ends: datetime
    offsets: tuple[str, str] = ("", "")
    """Of the beginning and the end from UTC, where clocks show these times twice."""

    @property
    def days(self) -> int:
        """How many days there are between its local dates."""
        return (self.ends.date() - self.begins.date()).days

    @property
    def is_whole_days(self) -> bool:
        """Whether it begins and ends where days do."""
        midnight = datetime.min.time()
        return self.begins.time() == self.ends.time() == midnight

    @property
    def unit(self) -> str:
        """What charts of it go by: day, week, month or year, for about ten to a hundred points."""
        return next((unit for most, unit in _UNITS if self.days <= most), "year")


def local_time(session: Connection, zone: str, moment: datetime | None = None) -> datetime:
    """Tell what local clocks show at a moment, or now, by the server's clock."""
    [(found,)] = session.execute(_LOCAL, {"zone": zone, "moment": moment})
    return queries.held(found)


def period_of(session: Connection, since: datetime, until: datetime, zone: str) -> Period:
    """Make a period of its moments."""
    begins, ends = local_time(session, zone, since), local_time(session, zone, until)
    first, last = local_times.offsets(session, zone, ((since, begins), (until, ends)))
    return Period(since=since, until=until, begins=begins, ends=ends, offsets=(first, last))


def before(session: Connection, period: Period, zone: str) -> Period | None:
    """Make the period that ends where another begins, and is as long; None before the year 1.

    As long means as many days, if that one consists of days, and else as many seconds.
    """
    try:
        if period.is_whole_days:
            first = period.begins.date() - timedelta(days=period.days)
            since = queries.moment(session, first, zone)
        else:
            since = period.since.astimezone(UTC)
            since -= period.until.astimezone(UTC) - since
        return period_of(session, since, period.since, zone)
    except (OverflowError, RollupError):
        return None


def following(start: datetime, unit: str) -> datetime:
    """Tell where the next day, week, month or year after the one that starts there does."""
    try:
        match unit:
            case "day" | "week":
                return start + timedelta(days=7 if unit == "week" else 1)
            case "month":
                return (start.replace(day=1) + timedelta(days=31)).replace(day=1)
        return start.replace(year=start.year + 1)
    except (OverflowError, ValueError):  # after the year 9999
        return datetime.max
