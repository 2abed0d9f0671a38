"""The walk itself: station after station, beside the writers."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from generator.database.patience import Patience
from tests.support import programs
from tests.walk.steps import Stations
from tests.walk.writers import Writers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HELD_UP = 2 * Patience().lock_timeout
"""Seconds a writer waits for a lock: as long as deploy may, and as long for what it then does."""


def walk(
    dsn: str, elsewhere: str, *, folder: Path, events: int, writers: int, seed: str
) -> Iterator[str]:
    """Go from a database of Chatwoot's to one with rollups and back; tell of each station.

    `dsn` has Chatwoot's tables, `elsewhere` has nothing. Whatever is not as it should be is
    an AssertionError, or the error that a writer met.
    """
    with (
        closing(psycopg.connect(dsn, autocommit=True)) as session,
        closing(psycopg.connect(elsewhere, autocommit=True)) as other,
    ):
        stations = Stations(dsn=dsn, session=session, folder=folder)
        stations.arrive(events)
        tools = programs.find(session)
        with Writers(dsn, seed=seed, writers=writers, patience=HELD_UP) as live:
            life: dict[str, Callable[[], None]] = {
                "deploy": stations.deploy,
                "backfill": stations.backfill,
                "report": stations.report,
                "count more": stations.count_more,
                "count less": stations.count_less,
                "lose triggers": stations.lose_triggers,
                "move": stations.move,
                "report again": stations.report,
                "restore": partial(stations.restore, tools, other, elsewhere),
                "leave": stations.leave,
            }
            for name, station in life.items():
                began = time.monotonic()
                station()
                commits, longest = live.since_last_asked()
                yield (
                    f"{name:15} {time.monotonic() - began:7.1f} s {commits:7} transactions, "
                    f"the longest statement {longest * 1000:6.0f} ms"
                )
