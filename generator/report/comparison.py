"""Comparing the two ways to answer a report: from rollups, and from raw events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from generator.report import queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.database.connection import Connection
    from generator.report.queries import Reads

Answer = TypeVar("Answer")

RUNS = 3
"""How often each way is tried; the fastest counts."""
LONG = 1.0
"""Seconds above which once is enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Generic[Answer]):
    """Two answers of one snapshot, and how many seconds each took."""

    of_rollups: Answer
    of_events: Answer
    rollups_seconds: float
    events_seconds: float

    @property
    def times(self) -> float:
        """How many times faster rollups were."""
        return self.events_seconds / self.rollups_seconds


def compare(session: Connection, ask: Callable[[], Answer]) -> Comparison[Answer]:
    """Ask a question both ways, within a snapshot, whatever the account's reads are."""
    of_rollups, rollups_seconds = _timed(session, "on", ask)
    of_events, events_seconds = _timed(session, "off", ask)
    return Comparison(
        of_rollups=of_rollups,
        of_events=of_events,
        rollups_seconds=rollups_seconds,
        events_seconds=events_seconds,
    )


def is_same(one: Any, other: Any) -> bool:
    """Compare two figures; sums of floats depend on the order of adding."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def _timed(session: Connection, reads: Reads, ask: Callable[[], Answer]) -> tuple[Answer, float]:
    queries.read(session, reads)
    fastest = math.inf
    for _ in range(RUNS):
        start = perf_counter()
        answer = ask()
        fastest = min(fastest, perf_counter() - start)
        if fastest > LONG:
            break
    return answer, fastest
