"""What the writers write: events of few keys on few days, so that all writers meet each other."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

KEPT = (1, 2, 3, 257)
"""Accounts that always have a zone, which only rebuilds of all their days put into force: their
rollups are exact in every snapshot. 1 and 257 share a slot."""

SWITCHED = (11, 12, 267)
"""Accounts that are switched on and off, and backfilled: exact on their covered days."""

FOLLOWED = (21, 22)
"""Accounts whose zone is the application's setting, of which the same can be said."""

ZONES = ("America/New_York", "Europe/Rome", "Asia/Kolkata", "Pacific/Apia", "UTC")

DAYS = (
    datetime(2011, 12, 30),  # which Apia left out
    datetime(2026, 3, 8),  # the clocks go forward in New York
    datetime(2026, 3, 9),
    datetime(2026, 3, 29),  # and in Rome
    datetime(2026, 11, 1),  # the clocks go back in New York
)

_NAMES = (
    "conversation_resolved",
    "first_response",
    "reply_time",
    "conversation_bot_resolved",
    *["conversation_bot_handoff"] * 3,
    "conversation_opened",
    None,
)
_ACCOUNTS = (*KEPT * 3, *SWITCHED * 2, *FOLLOWED, 99, None)
_VALUES = (None, 0.0, 1.25, 60.0, 3600.5, -7.0, 1e300, float("inf"))
_SMALL = (None, 1, 2, 3)
_CONVERSATIONS = (None, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The columns of an event that are written; `created_at` is written as the server would."""

    id: int
    name: str | None
    value: float | None
    value_in_business_hours: float | None
    account_id: int | None
    user_id: int | None
    inbox_id: int | None
    conversation_id: int | None
    created_at: str
    updated_at: str
    batch_id: int | None

    def document(self) -> dict[str, object]:
        """Return the columns in JSON's types, which know no infinity."""
        return {
            name: str(column) if isinstance(column, float) else column
            for name, column in zip(COLUMNS, astuple(self), strict=True)
        }


COLUMNS = tuple(field.name for field in fields(Event))


def some_event(chance: Random, id_: int, batch_id: int | None = None) -> Event:
    """Make an event up."""
    return Event(
        id=id_,
        name=chance.choice(_NAMES),
        value=chance.choice(_VALUES),
        value_in_business_hours=chance.choice(_VALUES),
        account_id=chance.choice(_ACCOUNTS),
        user_id=chance.choice(_SMALL),
        inbox_id=chance.choice(_SMALL),
        conversation_id=chance.choice(_CONVERSATIONS),
        created_at=_some_moment(chance),
        updated_at="2026-12-01 00:00:00",
        batch_id=batch_id,
    )


def changed(chance: Random, event: Event) -> Event:
    """Make another event of one, which moves between keys by some or all of its columns."""
    other = some_event(chance, event.id, event.batch_id)
    names = chance.sample(COLUMNS[1:-1], chance.randint(1, len(COLUMNS) - 2))
    return replace(event, **{name: getattr(other, name) for name in names})


def _some_moment(chance: Random) -> str:
    if chance.random() < 0.01:
        return chance.choice(["infinity", "-infinity", "0044-03-15 12:00:00 BC"])
    moment = chance.choice(DAYS) + timedelta(hours=chance.randint(0, 47))
    return str(moment - timedelta(microseconds=chance.randint(0, 1)))
