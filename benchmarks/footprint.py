"""Cases of what is written and kept: the write-ahead log, storage, and bloat."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from benchmarks.arena import tidy
from benchmarks.contestants import (
    APPENDING,
    NO_TRIGGER,
    OURS,
    PLAIN_UPSERT,
    REFERENCE,
    ROLLUPS,
    WRITERS,
)
from benchmarks.measurement import AtMost, compare
from benchmarks.pgbench import Turn
from benchmarks.scale import spaced
from benchmarks.single import ALL_ACCOUNTS, COUNTED, CROWD, ONE_ACCOUNT, with_event
from generator.database.connection import connect

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Comparison, Rounds

AFRESH = "written afresh"

_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0')::double precision"

_SIZE = """
SELECT sum(pg_total_relation_size(c.oid))::double precision
FROM pg_class c
WHERE c.relnamespace IN (to_regnamespace('public'), to_regnamespace('rollup'))
AND c.relkind IN ('r', 'm')
"""

_SIZE_OF = "SELECT pg_total_relation_size(%s::regclass)"

_TABLES_OF_TOTALS = """
SELECT t.schemaname, t.tablename
FROM pg_tables t
WHERE (t.schemaname, t.tablename) IN (
    ('public', 'reporting_events_rollups'),
    ('rollup', 'distinct_members'),
    ('rollup', 'pending_events')
)
"""


def wal(arena: Arena) -> list[Comparison]:
    """Write-ahead log per inserted event, of pages already written since the last checkpoint."""
    turn = Turn(variables=ALL_ACCOUNTS | COUNTED, transactions=arena.scale.transactions)

    def written(contestant: Contestant, dsn: str) -> float:
        tidy(dsn)
        before = _number(dsn, _POSITION)
        turn.run(dsn, with_event(contestant))
        return (_number(dsn, _POSITION) - before) / turn.transactions

    with arena.contest(arena.scale.recent, *WRITERS) as dsns:
        for one, dsn in dsns.items():
            arena.report(f"writing pages a first time: {one.name}")
            turn.run(dsn, with_event(one))
        turns = {one.name: partial(written, one, dsn) for one, dsn in dsns.items()}
        numbers = arena.take_turns("write-ahead log", turns)
    targets = {ROLLUPS.name: AtMost(limit=1.6), APPENDING.name: AtMost(limit=1.35)}
    return compare("per event", "bytes", numbers, targets)


def storage(arena: Arena) -> list[Comparison]:
    """Bytes per event of all tables and indexes, events and totals, of a year."""
    load = arena.scale.rebuilt
    with arena.contest(load, NO_TRIGGER, *OURS, REFERENCE) as dsns:
        numbers: Rounds = {
            one.name: (_number(dsn, _SIZE) / load.events,) for one, dsn in dsns.items()
        }
    return compare(str(load), "bytes", numbers)


def bloat(arena: Arena) -> list[Comparison]:
    """Size of the totals of one account after an hour's inserts in a minute, to that afresh."""
    turn = Turn(variables=ONE_ACCOUNT | COUNTED, clients=CROWD, transactions=arena.scale.updated)
    what = f"{spaced(turn.transactions)} events"
    found: list[Comparison] = []
    with arena.contest(arena.scale.busy, *OURS, REFERENCE, PLAIN_UPSERT) as dsns:
        for one, dsn in dsns.items():
            arena.report(f"an hour's inserts: {one.name}")
            turn.run(dsn, with_event(one))
            size = _size_of_totals(dsn)
            afresh = _size_of_totals(dsn, afresh=True)
            found += compare(what, "bytes", {AFRESH: (afresh,), one.name: (size,)})
    return found


def _size_of_totals(dsn: str, *, afresh: bool = False) -> float:
    with connect(dsn) as session:
        tables = [sql.Identifier(*names) for names in session.execute(_TABLES_OF_TOTALS)]
        if afresh:
            session.execute(sql.SQL("VACUUM FULL {}").format(sql.SQL(", ").join(tables)))
        sizes = (session.execute(_SIZE_OF, (table.as_string(),)).fetchone() for table in tables)
        return float(sum(size for [size] in filter(None, sizes)))


def _number(dsn: str, query: LiteralString) -> float:
    with connect(dsn) as session:
        [number] = session.execute(query).fetchone() or (0,)
    return float(number)
