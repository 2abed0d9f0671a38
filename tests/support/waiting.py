"""Statements that have to wait: watched in the server's own tables, not by the clock."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

Rows = list[tuple[Any, ...]]

SLOT_WAITERS = """
SELECT count(*)
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database()
AND l.locktype = 'advisory'
AND NOT l.granted
"""

WAITED_FOR = """
SELECT EXISTS (
    SELECT
    FROM pg_locks l
    WHERE l.relation = %s::regclass
    AND l.mode = %s
    AND NOT l.granted
)
"""

PATIENCE = 20.0  # seconds, after which a test has failed
PAUSE = 0.005  # seconds between two looks


@contextmanager
def waiting(
    watcher: Connection[Any], connection: Connection[Any], statement: str
) -> Iterator[Future[Rows]]:
    """Start a statement; once it waits for a lock that is held, give its future result.

    The session that holds it has to let go of it within the block. Should the block fail, the
    statement is cancelled.
    """
    with ThreadPoolExecutor(max_workers=1) as executor:
        future = executor.submit(_rows, connection, statement)
        try:
            _await_lock(watcher, connection, future)
            yield future
            future.result(PATIENCE)
        finally:
            if not future.done():
                connection.cancel_safe()


def _rows(connection: Connection[Any], statement: str) -> Rows:
    cursor = connection.execute(statement)
    return cursor.fetchall() if cursor.description else []


def _await_lock(
    watcher: Connection[Any], connection: Connection[Any], future: Future[Rows]
) -> None:
    deadline = time.monotonic() + PATIENCE
    while not blockers(watcher, connection):
        if future.done():
            raise AssertionError(f"it did not wait, and returned {future.result()}")
        assert time.monotonic() < deadline, "it neither waits nor ends"
        time.sleep(PAUSE)


def blockers(watcher: Connection[Any], connection: Connection[Any]) -> list[int]:
    """List the processes that a connection waits for; a prepared transaction counts as 0."""
    pid = connection.info.backend_pid
    [found] = watcher.execute("SELECT pg_blocking_pids(%s)", (pid,)).fetchone() or ([],)
    return list(found)


def await_slot_waiters(watcher: Connection[Any], waiters: int = 1) -> None:
    """Wait until so many sessions wait for a slot, or for another advisory lock."""
    deadline = time.monotonic() + PATIENCE
    while watcher.execute(SLOT_WAITERS).fetchone() != (waiters,):
        assert time.monotonic() < deadline, "no session waits for a slot"
        time.sleep(PAUSE)


def await_lock(watcher: Connection[Any], relation: str, mode: str) -> None:
    """Wait until a session waits for a lock on a relation."""
    deadline = time.monotonic() + PATIENCE
    while watcher.execute(WAITED_FOR, (relation, mode)).fetchone() != (True,):
        assert time.monotonic() < deadline, f"no session waits for {mode} on {relation}"
        time.sleep(PAUSE)
