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
    """That count, of cases whose turns are short."""
    long_rounds: int
    """That count, of the others."""
    transactions: int
    """Of one turn, all clients together."""
    seconds: int
    """Of one turn with transactions that are held open."""
    clients: int
    """That hold them."""
    recent: Load
    """What is in the table already where single rows are written."""
    copied: Load
    copied_into_one: Load
    rebuilt: Load
    reported: tuple[Load, ...]
    pending: int
    """Of the events that are reported, those not yet folded."""


FULL = Scale(
    rounds=5,
    long_rounds=3,
    transactions=8000,
    seconds=2,
    clients=32,
    recent=Load(events=200_000, accounts=200, days=7),
    copied=Load(events=200_000, accounts=200, days=7),
    copied_into_one=Load(events=200_000, accounts=1, days=365),
    rebuilt=Load(events=1_000_000, accounts=20, days=365),
    reported=tuple(
        Load(events=events, accounts=1, days=365) for events in (100_000, 1_000_000, 5_000_000)
    ),
    pending=1000,
)

QUICK = Scale(
    rounds=3,
    long_rounds=3,
    transactions=1500,
    seconds=1,
    clients=32,
    recent=Load(events=10_000, accounts=200, days=1),
    copied=Load(events=10_000, accounts=200, days=1),
    copied_into_one=Load(events=10_000, accounts=1, days=30),
    rebuilt=Load(events=20_000, accounts=10, days=30),
    reported=(Load(events=20_000, accounts=1, days=90),),
    pending=100,
)
