"""The case of reports: what the rollups are for."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import IsolationLevel

from benchmarks.arena import tidy
from benchmarks.contestants import ROLLUPS
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import AtMost, compare
from benchmarks.scale import spaced
from benchmarks.statements import execute, named
from generator.database.connection import connect
from generator.report.comparison import is_same

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison
    from benchmarks.scale import Load

EVENTS = "raw events"
ODD = "rollups, from and to odd hours"
WHOLE_DAYS = "rollups, whole days"

YEAR = AtMost(limit=0.01)
"""At the largest scale: a hundred times faster."""
LARGE = 5_000_000


def reports(arena: Arena) -> list[Comparison]:
    """Ask for a year by day and a quarter by agent, from raw events and as reports."""
    return [one for load in arena.scale.reported for one in _of_size(arena, load)]


def _of_size(arena: Arena, load: Load) -> list[Comparison]:
    found: list[Comparison] = []
    with arena.contest(load, ROLLUPS) as dsns:
        dsn = dsns[ROLLUPS]
        _pend(dsn, arena.scale.pending, load.accounts)
        size = f"of {spaced(load.events)} events"
        for what, of_events, of_rollups in (
            ("a year by day", "year-of-events", "year-of-rollups"),
            ("a quarter by agent", "agents-of-events", "agents-of-rollups"),
        ):
            _expect_the_same(dsn, of_events, of_rollups)
            contestants = {EVENTS: of_events, ROLLUPS.name: of_rollups}
            target = {ROLLUPS.name: YEAR} if "year" in what and load.events >= LARGE else None
            numbers = _take_turns(arena, dsn, f"{what} {size}", contestants)
            found += compare(f"{what} {size}", "ms", numbers, target)
        contestants = {WHOLE_DAYS: "year-of-rollups", ODD: "odd-year-of-rollups"}
        what = f"a year by day {size}"
        found += compare(what, "ms", _take_turns(arena, dsn, what, contestants))
    return found


def _take_turns(
    arena: Arena, dsn: str, what: str, queries: dict[str, str]
) -> dict[str, tuple[float, ...]]:
    seconds = arena.scale.query_seconds
    contestants = {
        name: partial(_milliseconds, dsn, named(query), seconds) for name, query in queries.items()
    }
    return arena.take_turns(what, contestants)


def _pend(dsn: str, events: int, accounts: int) -> None:
    with connect(dsn) as session:
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        with session.transaction():
            execute(session, "pend", events=events, accounts=accounts)
    tidy(dsn)


def _expect_the_same(dsn: str, *queries: str) -> None:
    with connect(dsn) as session:
        session.execute("SET rollup.reads = 'on'")
        these, those = (session.execute(named(query)).fetchall() for query in queries)
    if not these or len(these) != len(those) or not all(map(_agree, these, those)):
        raise BenchmarkError("rollups and raw events do not say the same")


def _agree(these: tuple[Any, ...], those: tuple[Any, ...]) -> bool:
    return all(map(is_same, these, those))


def _milliseconds(dsn: str, query: LiteralString, seconds: float) -> float:
    """Return the mean of some seconds' queries, the first and its plan not included."""
    with connect(dsn) as session:
        session.execute("SET rollup.reads = 'on'")
        session.execute(query).fetchall()
        start = perf_counter()
        queries = 0
        while not queries or perf_counter() - start < seconds:
            session.execute(query).fetchall()
            queries += 1
        return (perf_counter() - start) * 1000 / queries
