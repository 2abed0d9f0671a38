"""Backfill: fill in history in chunks, each a transaction of its own, beside live writers."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING

from generator.database.connection import connect
from generator.database.locks import SLOTS
from generator.operate.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.database.connection import Connection

CHUNK_EVENTS = 20_000

_PLAN = """
SELECT c.account_ids, c.since, c.until, c.events
FROM rollup.backfill_chunks(%s, %s, %s, %s) c
"""

_SETTLE = "SELECT rollup.catch_up()"

_FILL = "SELECT rollup.backfill_chunk(%s::bigint[], %s, %s)"

_DAYS = """
SELECT count(DISTINCT (r.account_id, r.date))
FROM unnest(%s::bigint[], %s::date[], %s::date[]) c (account_id, since, until)
JOIN rollup.current_rollups r ON r.account_id = c.account_id
WHERE (c.since IS NULL OR r.date >= c.since)
AND (c.until IS NULL OR r.date < c.until)
"""

_UNCOVERED = "SELECT u.account_id FROM rollup.uncovered(%s::bigint[], %s, %s) u (account_id)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A step: the days `since` (inclusive) to `until` (exclusive) of an account or of small ones.

    None stands for no bound. `events` is about how many events those days have.
    """

    account_ids: tuple[int, ...]
    since: date | str | None
    until: date | str | None
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A chunk that is committed, and how many rows it changed.

    Accounts are not covered whose time zone another session is changing: they are in the next plan.
    """

    chunk: Chunk
    changed: int
    uncovered: tuple[int, ...]


def settle(session: Connection) -> None:
    """Take over what the application has changed and could not hand over at once."""
    session.execute(_SETTLE)


def plan(
    session: Connection,
    account_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    *,
    chunk_events: int = CHUNK_EVENTS,
    newest_first: bool = False,
) -> list[Chunk]:
    """List the chunks that are not covered yet, for one account or for all that have a zone.

    Oldest first, account by account; with `newest_first`, the newest of all accounts first.
    """
    chunks = [
        Chunk(account_ids=tuple(accounts), since=first, until=end, events=events)
        for accounts, first, end, events in session.execute(
            _PLAN, (account_id, since, until, chunk_events)
        )
    ]
    if newest_first:
        chunks.sort(key=lambda chunk: order(chunk.until), reverse=True)
    return chunks


def days_with_totals(session: Connection, chunks: Sequence[Chunk]) -> int:
    """Count the days of accounts that have totals, among those of the chunks."""
    scopes = [
        (account, chunk.since and str(chunk.since), chunk.until and str(chunk.until))
        for chunk in chunks
        for account in chunk.account_ids
    ]
    columns = [list(column) for column in zip(*scopes, strict=True)]
    [days] = session.execute(_DAYS, columns).fetchone() or (0,)
    return int(days)


def order(day: date | str | None) -> date:
    """Give a day to sort by; None is the end, and text a day that Python has not."""
    if isinstance(day, str):
        return date.min if "BC" in day else date.max
    return day or date.max


def run(
    dsn: str, chunks: Sequence[Chunk], *, jobs: int = 1, pace: Pace | None = None
) -> Iterator[Done]:
    """Work off chunks over `jobs` connections and give each when it is committed.

    To stop iterating cancels what is under way. However it ends, the chunks that were given,
    and perhaps some more, are done: the next plan leaves them out.
    """
    queue = _Queue(chunks)
    results: SimpleQueue[Done | BaseException | None] = SimpleQueue()
    with ExitStack() as stack:
        needed = min(jobs, queue.lanes)
        sessions = [stack.enter_context(connect(dsn)) for _ in range(needed)]
        work = partial(_work, queue=queue, pace=pace or Pace(), results=results)
        workers = [Thread(target=work, args=(session,)) for session in sessions]
        stack.callback(_stop, queue, sessions, workers)
        for worker in workers:
            worker.start()
        working = len(workers)
        while working:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                working -= 1
            else:
                yield result


class _Queue:
    """The chunks that are left, given to workers so that no two of them wait for the same slot."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._lanes: dict[frozenset[int], deque[tuple[int, Chunk]]] = {}
        for number, chunk in enumerate(chunks):
            self._lanes.setdefault(_slots(chunk), deque()).append((number, chunk))
        self._busy: set[int] = set()
        self._changed = Condition()
        self.stopped = Event()

    def __iter__(self) -> Iterator[Chunk]:
        while chunk := self._take():
            try:
                yield chunk
            finally:
                with self._changed:
                    self._busy -= _slots(chunk)
                    self._changed.notify_all()

    @property
    def lanes(self) -> int:
        """How many chunks could be at work at once, at the most."""
        return len(self._lanes)

    def stop(self) -> None:
        """Give no more chunks."""
        with self._changed:
            self.stopped.set()
            self._lanes.clear()
            self._changed.notify_all()

    def _take(self) -> Chunk | None:
        with self._changed:
            while self._lanes:
                free = [slots for slots in self._lanes if not self._busy & slots]
                if free:
                    slots = min(free, key=lambda one: self._lanes[one][0][0])
                    _, chunk = self._lanes[slots].popleft()
                    if not self._lanes[slots]:
                        del self._lanes[slots]
                    self._busy |= slots
                    return chunk
                self._changed.wait()
        return None


def _slots(chunk: Chunk) -> frozenset[int]:
    return frozenset(account % SLOTS for account in chunk.account_ids)


def _work(
    session: Connection,
    *,
    queue: _Queue,
    pace: Pace,
    results: SimpleQueue[Done | BaseException | None],
) -> None:
    """Fill in chunk after chunk, and put what comes of it into `results`; None is the end."""
    try:
        for chunk in queue:
            pace.await_room(session, queue.stopped)
            if not queue.stopped.is_set():
                results.put(_filled(session, chunk, pace))
                pace.rest(queue.stopped)
    except BaseException as error:
        results.put(error)
    results.put(None)


def _filled(session: Connection, chunk: Chunk, pace: Pace) -> Done:
    scope = (list(chunk.account_ids), chunk.since, chunk.until)
    with pace.bounded(session):
        [changed] = session.execute(_FILL, scope).fetchone() or (0,)
    uncovered = tuple(account for [account] in session.execute(_UNCOVERED, scope))
    return Done(chunk=chunk, changed=changed, uncovered=uncovered)


def _stop(queue: _Queue, sessions: Sequence[Connection], workers: Sequence[Thread]) -> None:
    queue.stop()
    while any(worker.is_alive() for worker in workers):
        for session, worker in zip(sessions, workers, strict=True):
            if worker.is_alive():
                session.cancel_safe()
                worker.join(0.2)
