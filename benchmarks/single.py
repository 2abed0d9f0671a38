"""Cases of single rows, each in a transaction of its own, as an application writes them."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from psycopg import IsolationLevel

from benchmarks.arena import tidy
from benchmarks.contestants import (
    APPENDING,
    NO_TRIGGER,
    OURS,
    PG_IVM,
    REFERENCE,
    RIVALS,
    ROLLUPS,
    WRITERS,
)
from benchmarks.measurement import AtLeast, behind, compare
from benchmarks.pgbench import Turn, race
from benchmarks.scale import spaced
from benchmarks.statements import named
from generator.database.connection import connect

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Comparison, Rounds, Target

ALL_ACCOUNTS = {"first_account": 1, "last_account": 200}
ONE_ACCOUNT = {"first_account": 1, "last_account": 1}
COUNTED = {"first_name": 1, "last_name": 20}
NOT_COUNTED = {"first_name": 21, "last_name": 21}

CROWD = 8
HOLDING = 32
"""Clients that write at the same time, and that hold their transactions open."""

EVENT = named("event")
HELD = f"BEGIN;\n{EVENT}\\sleep 5 ms\nCOMMIT;\n"


def one_row(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction, from 1 and 8 clients, over 200 accounts and into one."""
    found: list[Comparison] = []
    with arena.contest(arena.scale.recent, *WRITERS) as dsns:
        for accounts, variables in (("200 accounts", ALL_ACCOUNTS), ("one account", ONE_ACCOUNT)):
            for clients in (1, CROWD):
                turn = Turn(
                    variables=variables | COUNTED,
                    clients=clients,
                    transactions=arena.scale.transactions * (1 if clients == 1 else 2),
                )
                what = f"{_clients(clients)}, {accounts}"
                numbers = race(arena, what, dsns, turn, with_event)
                is_targeted = clients == 1 and variables is ALL_ACCOUNTS
                targets = at_least(0.6, 0.75) if is_targeted else _rivals_behind(numbers, clients)
                found += compare(what, "tps", numbers, targets)
    return found


def durable(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction, with synchronous_commit on: each waits for the disk."""
    turn = Turn(variables=ALL_ACCOUNTS | COUNTED, transactions=arena.scale.transactions // 2)
    what = "1 client, 200 accounts"
    contestants = NO_TRIGGER, *OURS, REFERENCE
    with arena.durable() as there, there.contest(there.scale.recent, *contestants) as dsns:
        numbers = race(there, what, dsns, turn, with_event)
    return compare(what, "tps", numbers, at_least(0.85, 0.92))


def hot_account(arena: Arena) -> list[Comparison]:
    """Insert into one account from 32 clients, in transactions that are held open for 5 ms."""
    turn = Turn(
        variables=ONE_ACCOUNT | COUNTED,
        clients=HOLDING,
        transactions=arena.scale.held,
        seconds=arena.scale.seconds,
    )
    what = _clients(HOLDING)
    with arena.contest(arena.scale.recent, *WRITERS) as dsns:
        numbers = race(arena, what, dsns, turn, lambda one: HELD + one.after_event)
    targets = at_least(0.85, 0.92) | _rivals_behind(numbers, HOLDING)
    return compare(what, "tps", numbers, targets)


def old_snapshot(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction into one account, under a snapshot from as many ago."""
    turn = Turn(variables=ONE_ACCOUNT | COUNTED, transactions=2 * arena.scale.aged)

    def aged(dsn: str) -> float:
        tidy(dsn)
        with connect(dsn) as session:
            session.isolation_level = IsolationLevel.REPEATABLE_READ
            with session.transaction():
                session.execute("SELECT")
                return turn.run(dsn, EVENT)

    what = f"{spaced(arena.scale.aged)} events ago and more"
    with arena.contest(arena.scale.recent, NO_TRIGGER, *OURS) as dsns:
        contestants = {one.name: partial(aged, dsn) for one, dsn in dsns.items()}
        numbers = arena.take_turns(what, contestants)
    return compare(what, "tps", numbers, at_least(0.5, 0.7))


def irrelevant(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction, of a name that is not counted."""
    turn = Turn(variables=ALL_ACCOUNTS | NOT_COUNTED, transactions=2 * arena.scale.transactions)
    what = _clients(1)
    with arena.contest(arena.scale.recent, NO_TRIGGER, *OURS) as dsns:
        numbers = race(arena, what, dsns, turn, lambda _: EVENT)
    return compare(what, "tps", numbers, at_least(0.93, 0.93))


def update_delete(arena: Arena) -> list[Comparison]:
    """Update, or delete, one event per transaction; contestants that never notice are left out."""
    events = arena.scale.recent.events
    transactions = min(arena.scale.transactions, events // (arena.scale.rounds + 1))
    update = Turn(variables={"events": events}, transactions=transactions)

    def delete(dsn: str, deleted: count[int]) -> float:
        tidy(dsn)
        variables = {"events": events, "number": next(deleted)}
        turn = Turn(variables=variables, transactions=transactions)
        return turn.run(dsn, named("delete"))

    with arena.contest(arena.scale.recent, NO_TRIGGER, *OURS, PG_IVM) as dsns:
        updates = race(arena, "update", dsns, update, lambda _: named("update"))
        deletes = arena.take_turns(
            "delete",
            {one.name: partial(delete, dsn, count(0, transactions)) for one, dsn in dsns.items()},
        )
    return [*compare("update", "tps", updates), *compare("delete", "tps", deletes)]


def with_event(contestant: Contestant) -> str:
    """Return the script of one event, and of what a client has to do about it."""
    return EVENT + contestant.after_event


def at_least(inline: float, append: float) -> dict[str, Target]:
    """Set a target for the throughput of this system, in both of its ways to write."""
    return {ROLLUPS.name: AtLeast(limit=inline), APPENDING.name: AtLeast(limit=append)}


def _rivals_behind(numbers: Rounds, clients: int) -> dict[str, Target]:
    return behind(ROLLUPS.name, numbers, [one.name for one in RIVALS]) if clients > 1 else {}


def _clients(number: int) -> str:
    return f"{number} client{'s' if number > 1 else ''}"
