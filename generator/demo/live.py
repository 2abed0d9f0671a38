"""Live traffic: several connections that write, and one that rebuilds everything beside them."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from statistics import median
from threading import Event
from typing import TYPE_CHECKING

import psycopg

from generator.database.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.demo.events import Conversation

WRITERS = 4
LOCK_TIMEOUT = 250
"""After how many milliseconds of waiting for a lock a writer's transaction fails."""

_INSERT = """
INSERT INTO public.reporting_events (
    name,
    value,
    value_in_business_hours,
    account_id,
    inbox_id,
    user_id,
    conversation_id,
    event_start_time,
    event_end_time,
    created_at,
    updated_at
)
SELECT
    %(name)s,
    %(value)s,
    %(value)s,
    %(account)s,
    %(inbox)s,
    %(agent)s,
    %(id)s,
    t.at - make_interval(secs => %(value)s),
    t.at,
    t.at,
    t.at
FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS at) t
"""

_UPDATE = """
UPDATE public.reporting_events e
SET
    value = %(value)s,
    value_in_business_hours = %(value)s,
    user_id = %(agent)s,
    updated_at = clock_timestamp() AT TIME ZONE 'UTC'
WHERE e.conversation_id = %(id)s
AND e.name = 'reply_time'
"""

_DELETE = "DELETE FROM public.reporting_events e WHERE e.conversation_id = %(id)s"

_NAMES = ("reply_time", "reply_time", "conversation_resolved", "conversation_bot_handoff")


@dataclass(slots=True, kw_only=True)
class Traffic:
    """What writers did: seconds of each committed transaction, rows by verb, what went wrong."""

    times: list[float] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    rebuilds: list[float] = field(default_factory=list)

    def add(self, other: Traffic) -> None:
        """Add what another one did."""
        self.times += other.times
        self.rows += other.rows
        self.failures += other.failures
        self.rebuilds += other.rebuilds

    @property
    def median(self) -> float:
        """The median of the transactions' seconds; 0 where there are none."""
        return median(self.times) if self.times else 0.0


def traffic(
    dsn: str,
    conversations: Sequence[Conversation],
    *,
    seconds: float,
    seed: int,
    ticked: Callable[[float], None],
) -> Traffic:
    """Write for so many seconds, and meanwhile rebuild everything again and again.

    Each writer has conversations of its own, so that none waits for another's rows.
    """
    stop = Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        futures = [pool.submit(_rebuild, dsn, stop)]
        for number in range(WRITERS):
            rng = random.Random(f"{seed} {number}")  # noqa: S311 (no secret)
            own = conversations[number::WRITERS]
            futures.append(pool.submit(_write, dsn, own, rng, stop))
        try:
            _watch(futures, seconds, ticked)
        finally:
            stop.set()
    total = Traffic()
    for future in futures:
        total.add(future.result())
    return total


def _watch(futures: list[Future[Traffic]], seconds: float, ticked: Callable[[float], None]) -> None:
    """Wait for the time to be over or for a thread to break down."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        pause = min(left, 0.1)
        if wait(futures, pause, FIRST_EXCEPTION).done:
            return
        ticked(pause)


def _rebuild(dsn: str, stop: Event) -> Traffic:
    done = Traffic()
    with connect(dsn) as session:
        while not stop.wait(0.2):
            start = time.perf_counter()
            session.execute("SELECT rollup.rebuild()")
            done.rebuilds.append(time.perf_counter() - start)
    return done


def _write(dsn: str, own: Sequence[Conversation], rng: random.Random, stop: Event) -> Traffic:
    done = Traffic()
    with connect(dsn) as session:
        session.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT}ms",))
        while own and not (stop.is_set() or session.closed):
            start = time.perf_counter()
            try:
                with session.transaction():
                    rows = _change(session, rng, rng.choice(own))
            except psycopg.Error as error:
                done.failures.append(error.diag.message_primary or str(error))
            else:
                done.times.append(time.perf_counter() - start)
                done.rows += rows
    return done


def _change(session: Connection, rng: random.Random, conversation: Conversation) -> Counter[str]:
    """Do in a transaction what the application does: mostly add, at times repair or destroy."""
    values = {
        "id": conversation.id,
        "account": conversation.account_id,
        "inbox": conversation.inbox_id,
        "agent": conversation.assignee_id,
        "value": float(rng.randrange(30, 3600)),
    }
    luck = rng.random()
    if luck < 0.04:
        return Counter(deleted=session.execute(_DELETE, values).rowcount)
    if luck < 0.20:
        return Counter(updated=session.execute(_UPDATE, values).rowcount)
    statements = rng.randrange(1, 4)
    for _ in range(statements):
        session.execute(_INSERT, {**values, "name": rng.choice(_NAMES)})
    return Counter(inserted=statements)
