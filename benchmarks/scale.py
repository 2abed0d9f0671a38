"""How much is measured, and for how long: quick, normal and large."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Events of a support desk, evenly over accounts, agents, inboxes and the last so many days."""

    events: int
    accounts: int
    days: int

    def __str__(self) -> str:
        accounts = "one account" if self.accounts == 1 else f"{spaced(self.accounts)} accounts"
        days = {365: "a year", 7: "a week", 1: "a day"}.get(self.days, f"{self.days} days")
        return f"{spaced(self.events)} events, {accounts}, {days}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The sizes of all cases."""

    rounds: int
    """Of cases whose turns are short."""
    long_rounds: int
    """Of the others."""
    transactions: int
    """Of one turn of one client with one row each; the second half counts."""
    held: int
    """The same, where transactions are held open; where there are none, `seconds` count."""
    seconds: int
    aged: int
    """Transactions that an old snapshot has seen begin before those under it count."""
    updated: int
    """Events of the hour that makes tables bloat."""
    query_seconds: float
    """Of reports in one turn; at least one."""
    recent: Load
    """What is in the table already where single rows are written."""
    busy: Load
    """The same, of the one account that makes tables bloat."""
    copied: tuple[Load, ...]
    rebuilt: Load
    large_account: Load
    small_accounts: Load
    few_accounts: Load
    """Of those small ones, as many as can be filled in day by day."""
    reported: tuple[Load, ...]
    grown: tuple[Load, ...]
    pending: int
    """Of the events that are reported, those not yet folded."""


def spaced(number: int) -> str:
    """Write a number as the README does, 1 000 000."""
    return f"{number:,}".replace(",", " ")


def _year(events: int, accounts: int = 1) -> Load:
    return Load(events=events, accounts=accounts, days=365)


QUICK = Scale(
    rounds=1,
    long_rounds=1,
    transactions=200,
    held=96,
    seconds=0,
    aged=400,
    updated=1000,
    query_seconds=0.02,
    recent=Load(events=5000, accounts=200, days=1),
    busy=Load(events=2000, accounts=1, days=7),
    copied=(Load(events=2000, accounts=200, days=1),),
    rebuilt=Load(events=5000, accounts=10, days=30),
    large_account=Load(events=5000, accounts=1, days=30),
    small_accounts=_year(2000, 100),
    few_accounts=_year(20, 1),
    reported=(_year(5000),),
    grown=(_year(5000),),
    pending=100,
)

NORMAL = Scale(
    rounds=5,
    long_rounds=3,
    transactions=3000,
    held=0,
    seconds=2,
    aged=6000,
    updated=20_000,
    query_seconds=0.1,
    recent=Load(events=100_000, accounts=200, days=7),
    busy=Load(events=20_000, accounts=1, days=7),
    copied=(Load(events=200_000, accounts=200, days=7),),
    rebuilt=_year(150_000, 20),
    large_account=_year(100_000),
    small_accounts=_year(50_000, 5000),
    few_accounts=_year(400, 20),
    reported=(_year(10_000), _year(100_000), _year(1_000_000)),
    grown=(_year(100_000), _year(1_000_000)),
    pending=1000,
)

LARGE = Scale(
    rounds=9,
    long_rounds=5,
    transactions=5000,
    held=0,
    seconds=4,
    aged=16_000,
    updated=36_000,
    query_seconds=0.5,
    recent=Load(events=200_000, accounts=200, days=7),
    busy=Load(events=20_000, accounts=1, days=7),
    copied=(Load(events=200_000, accounts=200, days=7), _year(200_000)),
    rebuilt=_year(1_000_000, 20),
    large_account=_year(1_000_000),
    small_accounts=_year(1_000_000, 5000),
    few_accounts=_year(2000, 100),
    reported=(_year(100_000), _year(1_000_000), _year(5_000_000)),
    grown=(_year(100_000), _year(1_000_000), _year(10_000_000)),
    pending=1000,
)
