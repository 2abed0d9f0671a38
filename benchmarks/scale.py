"""How much is measured, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Events of a support desk, evenly over accounts, agents, inboxes and the last so many days."""

    events: int
    accounts: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The sizes of all cases."""

    rounds: int
    """Rounds of each case that count."""
    transactions: int
    """Of one turn, all clients together, where each is a statement."""
    seconds: int
    """Of one turn with transactions that are held open."""
    held_open: int
    """Clients that hold them."""
    month: Load
    """What is in the table already where single rows are written."""
    copied: Load
    copied_into_one: Load
    year: Load
    """What is rebuilt and read."""
    reads: int
    """Queries of one turn."""


FULL = Scale(
    rounds=5,
    transactions=8000,
    seconds=2,
    held_open=32,
    month=Load(events=200_000, accounts=200, days=30),
    copied=Load(events=200_000, accounts=200, days=7),
    copied_into_one=Load(events=200_000, accounts=1, days=365),
    year=Load(events=1_000_000, accounts=20, days=365),
    reads=20,
)

QUICK = Scale(
    rounds=3,
    transactions=1000,
    seconds=1,
    held_open=32,
    month=Load(events=20_000, accounts=200, days=30),
    copied=Load(events=20_000, accounts=200, days=7),
    copied_into_one=Load(events=20_000, accounts=1, days=365),
    year=Load(events=50_000, accounts=20, days=365),
    reads=5,
)
