"""The case of growth: what it costs to see new events in totals, the more are there already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.bulk import BATCH
from benchmarks.contestants import (
    BARE_QUERY,
    MATERIALIZED_VIEW,
    NO_TRIGGER,
    OURS,
    PG_IVM,
    PLAIN_UPSERT,
    REFERENCE,
    ROLLUPS,
    TIMESCALEDB,
)
from benchmarks.measurement import compare
from benchmarks.pgbench import Turn
from benchmarks.scale import spaced

if TYPE_CHECKING:
    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Comparison
    from benchmarks.scale import Load

CONTESTANTS = (
    NO_TRIGGER,
    *OURS,
    REFERENCE,
    PLAIN_UPSERT,
    PG_IVM,
    TIMESCALEDB,
    MATERIALIZED_VIEW,
    BARE_QUERY,
)
LARGE = 5_000_000
FEW = (NO_TRIGGER, ROLLUPS, MATERIALIZED_VIEW, BARE_QUERY)
"""Events from which on only these take part: more such databases take too much disk and time."""
ROWS = 1000
TURNS = 24
"""Statements in a turn, of contestants that do not go through all events each time."""


def growth(arena: Arena) -> list[Comparison]:
    """Make 1 000 new events of an account visible in totals, after more and more others."""
    return [one for load in arena.scale.grown for one in _after(arena, load)]


def _after(arena: Arena, load: Load) -> list[Comparison]:
    what = f"after {spaced(load.events)} events"

    def milliseconds(contestant: Contestant, dsn: str) -> float:
        turn = Turn(
            variables={"accounts": load.accounts, "rows": ROWS},
            transactions=1 if contestant.reads_everything else TURNS,
        )
        return 1000 / turn.run(dsn, BATCH + contestant.after_batch)

    with arena.contest(load, *(FEW if load.events >= LARGE else CONTESTANTS)) as dsns:
        turns = {one.name: partial(milliseconds, one, dsn) for one, dsn in dsns.items()}
        return compare(what, "ms", arena.take_turns(what, turns, are_long=True))
