"""A support desk's year of events, made up: the same seed and anchor give the same events."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import pi, sin
from typing import TYPE_CHECKING, NamedTuple

from generator.demo import conversations
from generator.demo.companies import COMPANIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.demo.companies import Company

DAYS = 365
PER_CONVERSATION = 4.92
"""How many events a conversation has on average, measured."""

LEGACY = timedelta(days=60)
"""How long the application of old went on, which sometimes stored no values."""

_DAY = 24 * 3600
_WEEKDAYS = (1.0, 0.95, 0.9, 0.9, 0.8, 0.3, 0.2)  # from Monday
_HOURS = (1, 1, 1, 1, 1, 2, 5, 12, 25, 40, 45, 42, 35, 38, 44, 42, 38, 30, 20, 14, 10, 8, 5, 2)


class Conversation(NamedTuple):
    """A row of the table of conversations; its time is UTC."""

    id: int
    account_id: int
    inbox_id: int
    assignee_id: int
    created_at: datetime


class Event(NamedTuple):
    """A row of the table of events; values are seconds, times are UTC."""

    name: str
    value: float | None
    value_in_business_hours: float | None
    account_id: int
    inbox_id: int
    user_id: int | None
    conversation_id: int
    event_start_time: datetime
    event_end_time: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is in the tables, in the order in which it happened."""

    conversations: Sequence[Conversation]
    events: Sequence[Event]


def history(*, events: int, seed: int, anchor: date) -> History:
    """Make up about as many events, on the 365 days before the anchor.

    No event is later than the midnight, UTC, with which the day of the anchor begins.
    """
    rng = random.Random(seed)  # noqa: S311 (no secret)
    end = datetime.combine(anchor, time())
    legacy = end - timedelta(days=DAYS) + LEGACY
    count = max(len(COMPANIES), round(events / PER_CONVERSATION))
    opened = [
        (at, company, epoch, moment)
        for company in COMPANIES
        for epoch in [datetime(1970, 1, 1, tzinfo=company.clock())]
        for moment in _openings(rng, company, count, anchor)
        if (at := _utc(epoch, moment)) < end
    ]
    opened.sort(key=lambda one: one[0])
    rows: list[Conversation] = []
    found: list[Event] = []
    for number, (at, company, epoch, moment) in enumerate(opened, 1):
        inbox = rng.choice(company.inbox_ids)
        agent = company.id * 100 + 1 + int(len(company.staff) * rng.random() ** 1.4)
        rows.append(Conversation(number, company.id, inbox, agent, at))
        for happening in conversations.told(rng, company, agent, moment):
            event = _event(rng, rows[-1], epoch, happening, legacy)
            if event.created_at < end:
                found.append(event)
    found.sort(key=lambda event: event.created_at)
    return History(conversations=rows, events=found)


def _openings(rng: random.Random, company: Company, count: int, anchor: date) -> Iterator[int]:
    """Give the seconds of the company's clock at which its conversations begin."""
    first = anchor.toordinal() - date(1970, 1, 1).toordinal() - DAYS
    moods = [rng.uniform(0.85, 1.15) for _ in range(DAYS // 7 + 2)]
    weights = [
        _WEEKDAYS[(first + day + 3) % 7]
        * (0.75 + 0.5 * day / DAYS)
        * (1 + 0.2 * sin(2 * pi * day / 180 + company.id))
        * moods[day // 7]
        for day in range(DAYS)
    ]
    number = max(1, round(count * company.share))
    days = rng.choices(range(DAYS), weights, k=number)
    hours = rng.choices(range(24), _HOURS, k=number)
    for day, hour in zip(days, hours, strict=True):
        yield (first + day) * _DAY + hour * 3600 + int(rng.random() * 3600)


def _event(
    rng: random.Random,
    conversation: Conversation,
    epoch: datetime,
    happening: conversations.Happening,
    legacy: datetime,
) -> Event:
    """Make the row of what happened. It is written a moment later, by a job."""
    start = _utc(epoch, happening.since)
    end = max(start, _utc(epoch, happening.until))  # a clock put forward skips an hour
    value: float | None = (end - start).total_seconds()
    in_hours: float | None = conversations.working_seconds(happening.since, happening.until)
    created = end + timedelta(microseconds=int(rng.random() * 3e6))
    if created < legacy:
        luck = rng.random()
        in_hours = None if luck < 0.5 else in_hours
        value = None if luck < 0.04 else value
    return Event(
        happening.name,
        value,
        in_hours,
        conversation.account_id,
        conversation.inbox_id,
        happening.agent,
        conversation.id,
        start,
        end,
        created,
        created,
    )


def _utc(epoch: datetime, moment: int) -> datetime:
    """Turn seconds since a clock's own 1970 into a time, UTC, without a zone."""
    shown = epoch + timedelta(seconds=moment)  # moves the hands, whatever happens to the clock
    return shown.astimezone(UTC).replace(tzinfo=None)
