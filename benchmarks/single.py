"""Cases of single rows, each in a transaction of its own, as an application writes them."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from psycopg import IsolationLevel

from benchmarks.arena import APPENDING, NO_TRIGGER, PLAIN_UPSERT, ROLLUPS, tidy
from benchmarks.measurement import Target, compare
from benchmarks.pgbench import Turn
from benchmarks.statements import named
from generator.database import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison, Rounds

ALL_ACCOUNTS = {"first_account": 1, "last_account": 200}
ONE_ACCOUNT = {"first_account": 1, "last_account": 1}
COUNTED = {"first_name": 1, "last_name": 20}
NOT_COUNTED = {"first_name": 21, "last_name": 21}

_POSITION = "SELECT pg_current_wal_insert_lsn() - '0/0'"


def one_row(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction, over 200 accounts."""
    variables = ALL_ACCOUNTS | COUNTED
    transactions = arena.scale.transactions
    alone = Turn(script=named("event"), variables=variables, transactions=transactions)
    crowd = Turn(script=named("event"), variables=variables, transactions=transactions, clients=8)
    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        of_one = _turns(arena, dsns, "1 client", alone)
        of_eight = _turns(arena, dsns, "8 clients", crowd)
    return [
        *compare("1 client", "tps", of_one, _at_least(0.6, 0.75)),
        *compare("8 clients", "tps", of_eight),
    ]


def hot_account(arena: Arena) -> list[Comparison]:
    """Insert into one account from 32 clients, in transactions that are held open for 5 ms."""
    turn = Turn(
        script=f"BEGIN;\n{named('event')}\\sleep 5 ms\nCOMMIT;\n",
        variables=ONE_ACCOUNT | COUNTED,
        clients=arena.scale.clients,
        seconds=arena.scale.seconds,
    )
    what = f"{turn.clients} clients"
    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING, PLAIN_UPSERT) as dsns:
        numbers = _turns(arena, dsns, what, turn)
    return compare(what, "tps", numbers, _at_least(0.85, 0.92))


def old_snapshot(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction into one account, under a snapshot from as many ago."""
    turn = Turn(
        script=named("event"),
        variables=ONE_ACCOUNT | COUNTED,
        transactions=arena.scale.transactions,
    )

    def aged(dsn: str) -> float:
        tidy(dsn)
        with connect(dsn) as session:
            session.isolation_level = IsolationLevel.REPEATABLE_READ
            with session.transaction():
                session.execute("SELECT")
                turn.run(dsn)
                return turn.run(dsn)

    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        fresh = _turns(arena, dsns, "no old snapshot", turn)
        contestants = {name: partial(aged, dsn) for name, dsn in dsns.items()}
        old = arena.take_turns("old snapshot", contestants)
    return [
        *compare("none open", "tps", fresh),
        *compare(f"{turn.transactions:,} events ago", "tps", old, _at_least(0.5, 0.7)),
    ]


def irrelevant(arena: Arena) -> list[Comparison]:
    """Insert one event per transaction, of a name that nobody counts."""
    turn = Turn(
        script=named("event"),
        variables=ALL_ACCOUNTS | NOT_COUNTED,
        transactions=arena.scale.transactions,
    )
    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        numbers = _turns(arena, dsns, "1 client", turn)
    return compare("1 client", "tps", numbers, _at_least(0.93, 0.93))


def update_delete(arena: Arena) -> list[Comparison]:
    """Update, or delete, one event per transaction."""
    events = arena.scale.recent.events
    transactions = min(arena.scale.transactions, events // (arena.scale.rounds + 1))

    def delete(dsn: str, deleted: count[int]) -> float:
        tidy(dsn)
        return Turn(
            script=named("delete"),
            variables={"events": events, "number": next(deleted)},
            transactions=transactions,
        ).run(dsn)

    update = Turn(script=named("update"), variables={"events": events}, transactions=transactions)
    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        updates = _turns(arena, dsns, "update", update)
        deletes = arena.take_turns(
            "delete",
            {name: partial(delete, dsn, count(0, transactions)) for name, dsn in dsns.items()},
        )
    return [*compare("update", "tps", updates), *compare("delete", "tps", deletes)]


def wal(arena: Arena) -> list[Comparison]:
    """Write-ahead log per inserted event, of pages already written since the last checkpoint."""
    turn = Turn(
        script=named("event"),
        variables=ALL_ACCOUNTS | COUNTED,
        transactions=arena.scale.transactions,
    )

    def written(dsn: str) -> float:
        tidy(dsn)
        turn.run(dsn)
        before = _position(dsn)
        turn.run(dsn)
        return (_position(dsn) - before) / turn.transactions

    with arena.contest(arena.scale.recent, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        contestants = {name: partial(written, dsn) for name, dsn in dsns.items()}
        numbers = arena.take_turns("write-ahead log", contestants)
    targets = {ROLLUPS: Target(at_most=1.6), APPENDING: Target(at_most=1.35)}
    return compare("per event", "bytes", numbers, targets)


def _at_least(inline: float, append: float) -> dict[str, Target]:
    return {ROLLUPS: Target(at_least=inline), APPENDING: Target(at_least=append)}


def _turns(arena: Arena, dsns: Mapping[str, str], what: str, turn: Turn) -> Rounds:
    def fresh(dsn: str) -> float:
        tidy(dsn)
        return turn.run(dsn)

    return arena.take_turns(what, {name: partial(fresh, dsn) for name, dsn in dsns.items()})


def _position(dsn: str) -> float:
    with connect(dsn) as session:
        [position] = session.execute(_POSITION).fetchone() or (0,)
    return float(position)
