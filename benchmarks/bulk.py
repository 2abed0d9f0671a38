"""Cases of many rows at once: what COPY takes, and what a rebuild does."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, LiteralString

from benchmarks.arena import APPENDING, NO_TRIGGER, ROLLUPS, tidy
from benchmarks.errors import BenchmarkError
from benchmarks.measurement import Target, compare
from benchmarks.statements import execute, named
from generator.database import connect

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison, Rounds
    from benchmarks.scale import Load

BARE = "bare query"
REBUILD = "rollup.rebuild()"
FOLDED = "append mode, folded"
BLOCK = 1 << 20

_EVENTS = ("public.reporting_events",)
_RECORD = ("public.reporting_events_rollups", "rollup.distinct_members", "rollup.pending_events")
_PENDING = "SELECT EXISTS (SELECT FROM rollup.pending_events)"


def copy(arena: Arena) -> list[Comparison]:
    """COPY events into an empty table, and fold what then is pending; append mode also without."""
    targets = {
        ROLLUPS: Target(at_most=1.7),
        APPENDING: Target(at_most=1.25),
        FOLDED: Target(at_most=1.9),
    }
    many = _copies(arena, "200 accounts", arena.scale.copied)
    one = _copies(arena, "one account", arena.scale.copied_into_one)
    return [
        *compare("200 accounts", "s", many, targets),
        *compare("one account", "s", one),
    ]


def rebuild(arena: Arena) -> list[Comparison]:
    """Rebuild a year, right already or empty; the bare query computes, or inserts, the same."""
    with arena.contest(arena.scale.rebuilt, ROLLUPS) as dsns:
        dsn = dsns[ROLLUPS]
        with connect(dsn) as session:
            execute(session, "bare-totals")
        right = arena.take_turns(
            "nothing differs",
            {BARE: partial(_timed, dsn, named("compute-totals")), REBUILD: partial(_rebuilt, dsn)},
            are_long=True,
        )
        empty = arena.take_turns(
            "from nothing",
            {BARE: partial(_inserted, dsn), REBUILD: partial(_rebuilt_from_nothing, dsn)},
            are_long=True,
        )
    return [
        *compare("nothing differs", "s", right, {REBUILD: Target(at_most=1.5)}),
        *compare("from nothing", "s", empty, {REBUILD: Target(at_most=1.5)}),
    ]


def _copies(arena: Arena, what: str, load: Load) -> Rounds:
    rows = arena.copied(load)
    with arena.contest(None, NO_TRIGGER, ROLLUPS, APPENDING) as dsns:
        contestants = {
            NO_TRIGGER: partial(_copied, dsns[NO_TRIGGER], rows, _EVENTS),
            ROLLUPS: partial(_copied, dsns[ROLLUPS], rows, _EVENTS + _RECORD, fold=True),
            APPENDING: partial(_copied, dsns[APPENDING], rows, _EVENTS + _RECORD),
            FOLDED: partial(_copied, dsns[APPENDING], rows, _EVENTS + _RECORD, fold=True),
        }
        return arena.take_turns(what, contestants, are_long=True)


def _copied(
    dsn: str, rows: bytes, tables: tuple[LiteralString, ...], *, fold: bool = False
) -> float:
    _empty(dsn, tables)
    with connect(dsn) as session:
        start = perf_counter()
        with session.cursor().copy(named("copy-in")) as copying:
            for at in range(0, len(rows), BLOCK):
                copying.write(rows[at : at + BLOCK])
        if fold:
            while session.execute(_PENDING).fetchone() == (True,):
                session.execute("SELECT rollup.fold()")
        return perf_counter() - start


def _rebuilt(dsn: str) -> float:
    with connect(dsn) as session:
        start = perf_counter()
        [changed] = session.execute("SELECT rollup.rebuild()").fetchone() or (0,)
        seconds = perf_counter() - start
    if changed:
        raise BenchmarkError(f"a rebuild of what should be right changed {changed} rows")
    return seconds


def _rebuilt_from_nothing(dsn: str) -> float:
    _empty(dsn, _RECORD)
    return _timed(dsn, "SELECT rollup.rebuild()")


def _inserted(dsn: str) -> float:
    _empty(dsn, ("public.bare_rollups",))
    return _timed(dsn, named("insert-totals"))


def _empty(dsn: str, tables: tuple[LiteralString, ...]) -> None:
    with connect(dsn) as session:
        session.execute(f"TRUNCATE {', '.join(tables)}")
    tidy(dsn)


def _timed(dsn: str, statement: LiteralString) -> float:
    with connect(dsn) as session:
        start = perf_counter()
        session.execute(statement)
        return perf_counter() - start
