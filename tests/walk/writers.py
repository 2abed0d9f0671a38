"""Writers that never stop, and complain when a session holds them up."""

from __future__ import annotations

import random
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Self

import psycopg
from psycopg import IsolationLevel

if TYPE_CHECKING:
    from types import TracebackType

ACCOUNTS = 9

NAMES = (
    "conversation_resolved",
    "first_response",
    "reply_time",
    "conversation_bot_resolved",
    "conversation_bot_handoff",
    "conversation_opened",
)

INSERT = """
INSERT INTO public.reporting_events (
    name, value, value_in_business_hours, account_id, user_id, inbox_id, conversation_id,
    created_at, updated_at
)
SELECT %(name)s, %(value)s::float, %(value)s::float / 2, %(account)s, %(agent)s, %(inbox)s,
    %(conversation)s, timestamp '2026-06-01' + %(minutes)s * interval '1 minute', now()
FROM generate_series(1, %(events)s)
"""
UPDATE = """
UPDATE public.reporting_events
SET value = value + 1, user_id = %(agent)s
WHERE id = %(id)s
"""
DELETE = "DELETE FROM public.reporting_events WHERE id = %(id)s"
NEWEST = "SELECT last_value FROM public.reporting_events_id_seq"

LEVELS = (IsolationLevel.READ_COMMITTED,) * 4 + (IsolationLevel.REPEATABLE_READ,)


class Writers:
    """Threads that commit small transactions, each waiting for a lock `patience` seconds at most.

    What a writer meets that an application without rollups would not ends the walk.
    """

    def __init__(self, dsn: str, *, seed: str, writers: int, patience: float) -> None:
        self._dsn, self._seed, self._patience = dsn, seed, patience
        self._threads = [Thread(target=self._write, args=(number,)) for number in range(writers)]
        self._stop, self._lock = Event(), Lock()
        self._longest = 0.0
        self.commits = 0
        self.errors: list[BaseException] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def since_last_asked(self) -> tuple[int, float]:
        """Tell how many transactions there were, and how long the longest statement took."""
        if self.errors:
            raise self.errors[0]
        with self._lock:
            told = self.commits, self._longest
            self.commits, self._longest = 0, 0.0
        return told

    def _write(self, number: int) -> None:
        chance = random.Random(f"{self._seed} {number}")
        timeout = f"-c lock_timeout={round(self._patience * 1000)}"
        try:
            with psycopg.connect(self._dsn, options=timeout) as connection:
                while not self._stop.is_set():
                    self._transact(connection, chance)
        except BaseException as error:
            self.errors.append(error)

    def _transact(self, connection: psycopg.Connection[Any], chance: random.Random) -> None:
        connection.isolation_level = chance.choice(LEVELS)
        longest = 0.0
        try:
            for _ in range(chance.randint(1, 3)):
                began = time.monotonic()
                _write_something(connection, chance)
                longest = max(longest, time.monotonic() - began)
            connection.commit()
        except psycopg.errors.SerializationFailure as conflict:
            if "rollup" in (conflict.diag.context or ""):
                raise
            connection.rollback()  # two writers changed one event above READ COMMITTED
        with self._lock:
            self.commits += 1
            self._longest = max(self._longest, longest)


def _write_something(connection: psycopg.Connection[Any], chance: random.Random) -> None:
    [newest] = connection.execute(NEWEST).fetchone() or (1,)
    connection.execute(
        chance.choices((INSERT, UPDATE, DELETE), (6, 2, 1))[0],
        {
            "name": chance.choice(NAMES),
            "value": chance.choice((None, 5.0, 60.0, 1234.5)),
            "account": chance.randint(1, ACCOUNTS),
            "agent": chance.choice((None, 1, 2, 3)),
            "inbox": chance.choice((None, 1, 2)),
            "conversation": chance.choice((None, 1, 2, 3, 4)),
            "minutes": chance.randint(0, 60 * 24 * 30),
            "events": chance.choice((1, 1, 1, 20)),
            "id": chance.randint(1, max(newest, 1)),
        },
    )
