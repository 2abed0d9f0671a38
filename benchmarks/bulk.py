"""Cases of many rows at once: inserts of several rows, and COPY."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.contestants import (
    APPENDING,
    NO_TRIGGER,
    OURS,
    RIVALS,
    ROLLUPS,
    WRITERS,
)
from benchmarks.measurement import AtMost, behind, compare
from benchmarks.pgbench import Turn, race
from benchmarks.scale import spaced
from benchmarks.statements import named
from generator.database.connection import connect

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Comparison, Rounds, Target
    from benchmarks.scale import Load

FOLDED = "append mode, folded"
BLOCK = 1 << 20
FEWEST = 16
"""Statements of a turn at least: a session plans each of its first five anew."""
LARGE = 100_000
"""Events from which on a COPY is measured by its targets; fewer are over before they count."""

COPIERS = (NO_TRIGGER, *OURS, *RIVALS)
ROWS = (10, 1000)
BATCH = named("batch")

_PENDING = "SELECT EXISTS (SELECT FROM rollup.pending_events)"


def multi_row(arena: Arena) -> list[Comparison]:
    """Insert 10, or 1 000, events per statement, over 200 accounts."""
    found: list[Comparison] = []
    with arena.contest(arena.scale.recent, *WRITERS) as dsns:
        for rows in ROWS:
            turn = Turn(
                variables={"accounts": 200, "rows": rows},
                transactions=max(FEWEST, arena.scale.transactions // rows),
            )
            what = f"{spaced(rows)} rows"
            numbers = race(arena, what, dsns, turn, lambda one: BATCH + one.after_batch)
            found += compare(what, "tps", numbers, _rivals_behind(numbers))
    return found


def copy(arena: Arena) -> list[Comparison]:
    """COPY events into an empty table, and fold what is pending then; append mode also without."""
    return [one for load in arena.scale.copied for one in _copies(arena, load)]


def _copies(arena: Arena, load: Load) -> list[Comparison]:
    rows = arena.copied(load)
    what = str(load)

    def turn(contestant: Contestant, *, fold: bool) -> float:
        with arena.database(None, contestant) as dsn:
            return _copied(dsn, rows, fold=fold)

    contestants = [one for one in COPIERS if one not in arena.absent]
    turns = {one.name: partial(turn, one, fold=one is ROLLUPS) for one in contestants}
    turns[FOLDED] = partial(turn, APPENDING, fold=True)
    numbers = arena.take_turns(what, turns, are_long=True)
    targets: dict[str, Target] = {
        ROLLUPS.name: AtMost(limit=1.7),
        APPENDING.name: AtMost(limit=1.25),
        FOLDED: AtMost(limit=1.9),
    }
    is_targeted = load.events >= LARGE and load.accounts > 1
    return compare(what, "s", numbers, _rivals_behind(numbers) | (targets if is_targeted else {}))


def _copied(dsn: str, rows: bytes, *, fold: bool) -> float:
    with connect(dsn) as session:
        start = perf_counter()
        with session.cursor().copy(named("copy-in")) as copying:
            for at in range(0, len(rows), BLOCK):
                copying.write(rows[at : at + BLOCK])
        while fold and session.execute(_PENDING).fetchone() == (True,):
            session.execute("SELECT rollup.fold()")
        return perf_counter() - start


def _rivals_behind(numbers: Rounds) -> dict[str, Target]:
    return behind(ROLLUPS.name, numbers, [one.name for one in RIVALS])
