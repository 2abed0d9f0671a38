"""Moments on the command line: days and local times, in the time zone of a report."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from generator import reports

if TYPE_CHECKING:
    from generator.database import Connection

DAYS = 30
"""How many days a report has that is not told which, today included."""


class Moment(click.ParamType[Any]):
    """A day, a local time, or a moment with its offset: ISO 8601."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> date | datetime:
        """Read a date or a time; where it is none, the use is wrong."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM[:SS][+HH:MM]")


def range_of(
    session: Connection, zone: str, since: date | datetime | None, until: date | datetime | None
) -> tuple[datetime, datetime]:
    """Find the moments of a range: by default the last 30 days, up to the end of today."""
    end = until or reports.today(session, zone) + timedelta(days=1)
    try:
        begin = since or (end - timedelta(days=DAYS))
    except OverflowError:
        raise click.UsageError(f"there are no {DAYS} days before {end}") from None
    return _moment(session, zone, begin), _moment(session, zone, end)


def _moment(session: Connection, zone: str, local: date | datetime) -> datetime:
    if isinstance(local, datetime) and local.tzinfo:
        return local
    return reports.moment(session, local, zone)
