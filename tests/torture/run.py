"""A run of the torture, from the first connection to the last comparison."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from tests.support.write_modes import MODES
from tests.torture.arena import Arena
from tests.torture.checker import check
from tests.torture.meddlers import Folder, Killer, Rebuilder, ZoneChanger
from tests.torture.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from tests.support.write_modes import WriteMode
    from tests.torture.tally import Tally

LOOKS_EVERY = 0.1  # seconds, for whether a thread has found something wrong

_LEFT = """
SELECT
    (SELECT count(*) FROM pg_prepared_xacts),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
    (SELECT count(*) FROM rollup.pending_events)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, with how many writers, in which mode, and seconds from crash to crash."""

    seed: str
    seconds: float
    writers: int = 8
    rebuilders: int = 2
    crashes_every: float = 60.0
    write_mode: WriteMode = "inline"


def run(plan: Plan, tally: Tally) -> list[BaseException]:
    """Torture the product, and tell what was found wrong. The first such thing ends it."""
    with Arena(MODES[plan.write_mode]) as arena:
        return _Torture(plan, tally, arena).run()


class _Torture:
    def __init__(self, plan: Plan, tally: Tally, arena: Arena) -> None:
        self._plan, self._tally, self._arena = plan, tally, arena
        self._stop = Event()
        common = (plan.seed, arena, tally, self._stop)
        self._writers = [Writer(number, *common) for number in range(1, plan.writers + 1)]
        self._meddlers = [
            *[Rebuilder(f"rebuilder {number}", *common) for number in range(plan.rebuilders)],
            Folder("folder", *common),
            ZoneChanger("zone changer", *common),
            Killer("killer", *common),
        ]

    def run(self) -> list[BaseException]:
        work: list[Callable[[], None]] = [
            self._check,
            *[writer.work for writer in self._writers],
            *[meddler.work for meddler in self._meddlers],
        ]
        found: list[BaseException] = []
        with ThreadPoolExecutor(len(work)) as executor:
            working = [executor.submit(one) for one in work]
            try:
                self._oversee(working)
            except Exception as problem:
                found.append(problem)
            finally:
                self._stop.set()
                self._arena.open()
        found += filter(None, (one.exception() for one in working))
        if not found:
            try:
                self._finish()
            except Exception as problem:
                found.append(problem)
        return found

    def _oversee(self, working: list[Future[None]]) -> None:
        """Let the server crash now and then, until the time is over or a thread has stopped."""
        start = time.monotonic()
        crash = start + self._plan.crashes_every
        while time.monotonic() < start + self._plan.seconds:
            if any(one.done() for one in working):
                return
            time.sleep(LOOKS_EVERY)
            if time.monotonic() > crash:
                self._crash()
                crash = time.monotonic() + self._plan.crashes_every

    def _crash(self) -> None:
        """Have the server crash, and look at what is there before any other session does."""
        self._arena.crash()
        with closing(self._arena.visit()) as connection:
            check(connection)
        self._tally.add("crashes", "survived")
        self._arena.open()

    def _check(self) -> None:
        while not self._stop.is_set():
            with self._arena.connected("checker", is_victim=False) as connection:
                while not self._stop.is_set():
                    self._check_once(connection)

    def _check_once(self, connection: Connection[Any], *, everything: bool = False) -> None:
        start = time.monotonic()
        events = check(connection, everything=everything)
        self._tally.took("check", time.monotonic() - start)
        self._tally.add("checks", "of the rollups")
        self._tally.add("events", "in all checks", events)

    def _finish(self) -> None:
        """Compare everything once more, when all is quiet and folded, and after a rebuild."""
        for writer in self._writers:
            writer.finish()
        with closing(self._arena.visit()) as connection:
            self._check_once(connection)
            while connection.execute("SELECT rollup.fold()").fetchone() != (0,):
                pass
            assert connection.execute(_LEFT).fetchone() == (0, 0, 0), "something was left behind"
            self._check_once(connection)
            connection.execute("SELECT rollup.rebuild()")
            self._check_once(connection, everything=True)
