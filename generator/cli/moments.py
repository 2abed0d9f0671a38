"""Moments and days on the command line: as dates, times or words, in the time zone of a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from generator import reports

if TYPE_CHECKING:
    from generator.database import Connection

DAYS = 30
"""How many days a report has that is not told which, today included."""

WORDS = "today, yesterday, 7d or 2w (so many days or weeks ago)"
_NAMED = {"tomorrow": -1, "today": 0, "yesterday": 1}
_AGO = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, which messages repeat, and what it means.

    That is a day, a time, or so long ago: whole days before today or, of `is_exact`, before now.
    """

    text: str
    value: date | datetime | timedelta
    is_exact: bool = False

    def __str__(self) -> str:
        return self.text


class Day(click.ParamType[Typed]):
    """A day: ISO 8601, or a word."""

    name = "day"
    wanted = f"neither YYYY-MM-DD nor {WORDS}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Typed:
        """Read a day; where it is none, the use is wrong."""
        if isinstance(value, Typed):
            return value
        try:
            found = _word(value) or self._iso(value)
        except (ValueError, OverflowError):
            found = None
        if found is None or (found.is_exact and not isinstance(self, Moment)):
            self.fail(f"{value!r} is {self.wanted}", param, ctx)
        return found

    def _iso(self, value: str) -> Typed:
        return Typed(value, date.fromisoformat(value))


class Moment(Day):
    """A day, a local time, or a moment with its offset: ISO 8601, or a word."""

    name = "moment"
    wanted = f"neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM[:SS][+HH:MM] nor now, 24h, {WORDS}"

    def _iso(self, value: str) -> Typed:
        try:
            return super()._iso(value)
        except ValueError:
            return Typed(value, datetime.fromisoformat(value))


def _word(value: str) -> Typed | None:
    word = value.strip().lower()
    if word == "now":
        return Typed(value, timedelta(), is_exact=True)
    if word in _NAMED:
        return Typed(value, timedelta(days=_NAMED[word]))
    if match := _AGO.fullmatch(word):
        return Typed(value, int(match[1]) * _UNITS[match[2]], is_exact=match[2] == "h")
    return None


def days_of(
    session: Connection, account_id: int | None, since: Typed | None, until: Typed | None
) -> tuple[date | None, date | None]:
    """Find the days of --since and --until; that there are none between is wrong use.

    Words are about the time zone of the account or, where it is about all of them, about UTC.
    """

    def found(typed: Typed | None) -> date | None:
        if typed is None or not isinstance(typed.value, timedelta):
            return typed and typed.value  # type: ignore[return-value]
        zone = "UTC" if account_id is None else reports.zone_of(session, account_id)
        return _before(typed, reports.today(session, zone))

    first, end = found(since), found(until)
    if first and end and first >= end:
        raise click.UsageError(f"--until {until} must be after --since {since}")
    return first, end


def range_of(
    session: Connection, zone: str, since: Typed | None, until: Typed | None
) -> tuple[datetime, datetime]:
    """Find the moments of a range: by default the last 30 days, up to the end of today."""
    today = reports.today(session, zone)
    end = _local(session, zone, until) if until else today + timedelta(days=1)
    try:
        begin = _local(session, zone, since) if since else end - timedelta(days=DAYS)
    except OverflowError:
        raise click.UsageError(f"there are no {DAYS} days before {until or end}") from None
    first, last = _moment(session, zone, begin), _moment(session, zone, end)
    if first >= last:
        raise click.UsageError(f"--until {until or end} must be after --since {since}")
    return first, last


def _local(session: Connection, zone: str, typed: Typed) -> date | datetime:
    if not isinstance(typed.value, timedelta):
        return typed.value
    if typed.is_exact:
        return reports.now(session) - typed.value
    return _before(typed, reports.today(session, zone))


def _before(typed: Typed, today: date) -> date:
    """Give the day that is so long before today."""
    assert isinstance(typed.value, timedelta)
    try:
        return today - typed.value
    except OverflowError:
        raise click.UsageError(f"there is no day {typed}") from None


def _moment(session: Connection, zone: str, local: date | datetime) -> datetime:
    if isinstance(local, datetime) and local.tzinfo:
        return local
    return reports.moment(session, local, zone)
