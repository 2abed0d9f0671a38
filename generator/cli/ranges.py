"""The days and moments that --since and --until mean, in the zone of a report, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from generator.report import queries
from generator.report.local_times import with_offset

if TYPE_CHECKING:
    from generator.cli.moments import Typed
    from generator.database.connection import Connection

DAYS = 30
"""How many days a report has that is not told which, today included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days from `since` (inclusive) until `until` (exclusive); None is no bound.

    `text` is what follows `all days`: bounds as they were typed or, of words, the days they mean.
    """

    since: date | None
    until: date | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The moments from `since` (inclusive) until `until` (exclusive), and the range in words.

    `is_relative` tells whether its words say more than what was typed.
    """

    since: datetime
    until: datetime
    text: str
    is_relative: bool


def days_of(
    session: Connection, account_id: int | None, since: Typed | None, until: Typed | None
) -> Days:
    """Find the days of --since and --until; that there are none between is wrong use.

    Words are about the time zone of the account or, where it is about all of them, about UTC.
    """

    def found(typed: Typed | None) -> date | None:
        if typed is None or not typed.is_relative:
            return typed and typed.value  # type: ignore[return-value]
        zone = "UTC" if account_id is None else queries.zone_of(session, account_id)
        return _before(typed, queries.today(session, zone))

    first, end = found(since), found(until)
    if first and end and first >= end:
        raise click.UsageError(_reversed(since, first, until, end))
    return Days(since=first, until=end, text=_words(_echo(since, first), _echo(until, end)))


def range_of(session: Connection, zone: str, since: Typed | None, until: Typed | None) -> Range:
    """Find the moments of a range: by default the last 30 days, up to the end of today."""
    today = queries.today(session, zone)
    end = _local(session, zone, until) if until else today + timedelta(days=1)
    try:
        begin = _local(session, zone, since) if since else end - timedelta(days=DAYS)
    except OverflowError:
        raise click.UsageError(f"there are no {DAYS} days before {until or end}") from None
    first, last = _moment(session, zone, begin), _moment(session, zone, end)
    begins, ends = (
        with_offset(session, zone, one) if typed and typed.is_exact else one
        for typed, one in ((since, begin), (until, end))
    )
    if first >= last:
        raise click.UsageError(_reversed(since, begins, until, ends))
    return Range(
        since=first,
        until=last,
        text=_words(_echo(since, begins), _echo(until, ends)).lstrip(),
        is_relative=not (since and until) or since.is_relative or until.is_relative,
    )


def _words(since: object, until: object) -> str:
    if since is None:
        return "" if until is None else f" before {until}"
    return f" from {since} on" if until is None else f" from {since} until {until}"


def _echo(typed: Typed | None, meant: object) -> object:
    """Repeat what was typed; of a word, and where nothing was typed, say what it means."""
    return meant if typed is None or typed.is_relative else typed


def _reversed(since: Typed | None, first: object, until: Typed | None, end: object) -> str:
    def named(typed: Typed | None, meant: object) -> str:
        return f"{typed} ({meant})" if typed and typed.is_relative else str(typed or meant)

    return f"--until {named(until, end)} must be after --since {named(since, first)}"


def _local(session: Connection, zone: str, typed: Typed) -> date | datetime:
    if not isinstance(typed.value, timedelta):
        return typed.value
    if typed.is_exact:
        return queries.now(session) - typed.value
    return _before(typed, queries.today(session, zone))


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
    return queries.moment(session, local, zone)
