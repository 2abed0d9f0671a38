"""Cases of what is there already: filling in history, and rebuilding what is right or lost."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, LiteralString

from benchmarks import day_by_day
from benchmarks.contestants import DEPLOYED, REFERENCE, ROLLUPS
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import AtLeast, AtMost, compare
from benchmarks.statements import execute, named
from generator.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison, Target
    from benchmarks.scale import Load

BARE = "bare query"
REBUILD = "rollup.rebuild()"
BACKFILL = "rollup.backfill()"
DAY_BY_DAY = "Chatwoot's way"

_RECORD = "TRUNCATE public.reporting_events_rollups, rollup.distinct_members, rollup.pending_events"


def rebuild(arena: Arena) -> list[Comparison]:
    """Rebuild a year, right already or lost; the bare query computes, and reads or inserts, it."""
    load = arena.scale.rebuilt
    with arena.contest(load, ROLLUPS) as dsns:
        dsn = dsns[ROLLUPS]
        with connect(dsn) as session:
            execute(session, "bare-rollups")
        right = arena.take_turns(
            "nothing differs",
            {BARE: partial(_computed_and_read, dsn), REBUILD: partial(_rebuilt, dsn)},
            are_long=True,
        )
        lost = arena.take_turns(
            "from nothing",
            {BARE: partial(_inserted, dsn), REBUILD: partial(_rebuilt_from_nothing, dsn)},
            are_long=True,
        )
    target = {REBUILD: AtMost(limit=1.5)}
    return [
        *compare(f"nothing differs in {load}", "s", right, target),
        *compare(f"from nothing: {load}", "s", lost, target),
    ]


def backfill(arena: Arena) -> list[Comparison]:
    """Fill in history, beside a bare query that inserts it all, and Chatwoot's, day by day."""
    scale = arena.scale
    return [
        *_filled(arena, scale.large_account),
        *_filled(arena, scale.small_accounts, AtMost(limit=2)),
        *_day_by_day(arena, scale.large_account),
        *_day_by_day(arena, scale.few_accounts),
    ]


def _filled(arena: Arena, load: Load, target: Target | None = None) -> list[Comparison]:
    """Compare with one query over everything, whatever the time zones and days."""
    turns = {BARE: partial(_bare, arena, load), BACKFILL: partial(_backfilled, arena, load)}
    numbers = arena.take_turns(str(load), turns, are_long=True)
    return compare(str(load), "s", numbers, {BACKFILL: target} if target else None)


def _day_by_day(arena: Arena, load: Load) -> list[Comparison]:
    def reference() -> float:
        with arena.database(load, REFERENCE) as dsn:
            return day_by_day.fill(dsn)

    turns: dict[str, Callable[[], float]] = {
        BACKFILL: partial(_backfilled, arena, load),
        DAY_BY_DAY: reference,
    }
    numbers = arena.take_turns(f"{load}, day by day", turns, are_long=True)
    return compare(f"{load}, day by day", "s", numbers, {DAY_BY_DAY: AtLeast(limit=20)})


def _bare(arena: Arena, load: Load) -> float:
    with arena.database(load, DEPLOYED) as dsn:
        return _timed(dsn, named("insert-totals"))


def _backfilled(arena: Arena, load: Load) -> float:
    with arena.database(load, DEPLOYED) as dsn:
        seconds = _timed(dsn, "CALL rollup.backfill()")
        ROLLUPS.expect_right(dsn)
        return seconds


def _computed_and_read(dsn: str) -> float:
    return _timed(dsn, named("compute-totals")) + _timed(dsn, named("read-rollups"))


def _rebuilt(dsn: str) -> float:
    with connect(dsn) as session:
        start = perf_counter()
        [changed] = session.execute("SELECT rollup.rebuild()").fetchone() or (0,)
        seconds = perf_counter() - start
    if changed:
        raise BenchmarkError(f"a rebuild of what should be right changed {changed} rows")
    return seconds


def _rebuilt_from_nothing(dsn: str) -> float:
    with connect(dsn) as session:
        session.execute(_RECORD)
    return _timed(dsn, "SELECT rollup.rebuild()")


def _inserted(dsn: str) -> float:
    with connect(dsn) as session:
        session.execute("TRUNCATE public.bare_rollups")
    return _timed(dsn, named("insert-totals"))


def _timed(dsn: str, statement: LiteralString) -> float:
    with connect(dsn) as session:
        start = perf_counter()
        session.execute(statement)
        return perf_counter() - start
