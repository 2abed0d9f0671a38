"""The case of reports: what the rollups are for."""

from __future__ import annotations

import math
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import IsolationLevel

from benchmarks.arena import ROLLUPS, tidy
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import compare
from benchmarks.statements import execute, named
from generator.database import connect

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison

EVENTS = "raw events"
QUERIES = 20
"""Of one turn."""


def reads(arena: Arena) -> list[Comparison]:
    """Read an account's year by day, from raw events or from rollups of which some are pending."""
    with arena.contest(arena.scale.read, ROLLUPS) as dsns:
        dsn = dsns[ROLLUPS]
        _pend(dsn, arena.scale.pending, arena.scale.read.accounts)
        _expect_the_same(dsn)
        contestants = {
            EVENTS: partial(_milliseconds, dsn, named("days-of-events")),
            ROLLUPS: partial(_milliseconds, dsn, named("days-of-rollups")),
        }
        numbers = arena.take_turns("a year by day", contestants)
    return compare("a year by day", "ms", numbers)


def _pend(dsn: str, events: int, accounts: int) -> None:
    with connect(dsn) as session:
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        with session.transaction():
            execute(session, "pend", events=events, accounts=accounts)
    tidy(dsn)


def _expect_the_same(dsn: str) -> None:
    with connect(dsn) as session:
        of_events, of_rollups = (
            session.execute(named(query)).fetchall()
            for query in ("days-of-events", "days-of-rollups")
        )
    if not _agree(of_events, of_rollups):
        raise BenchmarkError("rollups and raw events do not say the same")


def _agree(these: list[tuple[Any, ...]], those: list[tuple[Any, ...]]) -> bool:
    return len(these) == len(those) and all(
        a[:2] == b[:2] and math.isclose(a[2], b[2], rel_tol=1e-9)
        for a, b in zip(these, those, strict=True)
    )


def _milliseconds(dsn: str, query: LiteralString) -> float:
    """Return the mean of some queries, the first and its plan not included."""
    with connect(dsn) as session:
        session.execute(query)
        start = perf_counter()
        for _ in range(QUERIES):
            session.execute(query).fetchall()
        return (perf_counter() - start) * 1000 / QUERIES
