"""Who holds the lock that we could not have."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import psycopg

from generator.database.locks import DEPLOY_KEY, LOCK_CLASS
from generator.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from generator.database.connection import Connection

Mode = Literal["ACCESS EXCLUSIVE", "ACCESS SHARE", "SHARE ROW EXCLUSIVE", "ROWS", "SLOTS", "TURN"]

_HARMLESS: dict[Mode, list[str]] = {
    "ACCESS EXCLUSIVE": [],
    "ACCESS SHARE": [
        *("AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"),
        *("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"),
    ],
    "SHARE ROW EXCLUSIVE": ["AccessShareLock", "RowShareLock"],
    "ROWS": ["AccessShareLock"],
    "SLOTS": [],
    "TURN": [],
}
"""The modes in which others may hold a relation beside us."""

# A prepared transaction has no process; it is found by its lock on its own id.
_HOLDERS = """
SELECT DISTINCT
    h.pid,
    coalesce(a.usename, p.owner, 'the server'),
    date_trunc('second', clock_timestamp() - coalesce(a.xact_start, p.prepared)) AS age,
    p.gid
FROM pg_locks h
LEFT JOIN pg_stat_activity a ON a.pid = h.pid
LEFT JOIN pg_locks x ON h.pid IS NULL
    AND x.pid IS NULL
    AND x.locktype = 'transactionid'
    AND x.virtualtransaction = h.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE h.granted
AND h.pid IS DISTINCT FROM pg_backend_pid()
AND h.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
AND CASE h.locktype
    WHEN 'relation' THEN
        h.relation IN (SELECT to_regclass(r) FROM unnest(%(relations)s::text[]) r)
        AND h.mode <> ALL (%(harmless)s)
    WHEN 'advisory' THEN
        h.classid = %(slot_class)s
        AND h.objsubid = 2
        AND CASE %(mode)s
            WHEN 'SLOTS' THEN h.objid <> %(turn)s
            WHEN 'TURN' THEN h.objid = %(turn)s
        END
END
ORDER BY age DESC NULLS LAST, h.pid
LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that may have to be waited for: on relations, on rows of one, or on the slots."""

    mode: Mode
    relations: tuple[str, ...]


class Blocked(Exception):  # noqa: N818 (a circumstance, not yet an error)
    """A lock was not to be had in time."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock)
        self.lock = lock


@contextmanager
def waiting_for(mode: Mode, *relations: str) -> Iterator[None]:
    """Say of a block which lock it is that it may wait for: a Blocked tells."""
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise Blocked(Lock(mode, relations)) from error


def name_holders(session: Connection, lock: Lock) -> str:
    """Name the sessions that hold a lock, or one that conflicts with it; empty if none does now."""
    return "; ".join(holders(session, lock))


def holders(session: Connection, lock: Lock) -> list[str]:
    """Describe the five oldest of those who hold a lock, or one that goes with it as little."""
    wanted = {
        "relations": list(lock.relations),
        "harmless": _HARMLESS[lock.mode],
        "mode": lock.mode,
        "slot_class": LOCK_CLASS,
        "turn": DEPLOY_KEY,
    }
    return [_named(*row) for row in session.execute(_HOLDERS, wanted)]


def _named(pid: int | None, user: str, age: timedelta | None, gid: str | None) -> str:
    """Name a holder; the age of a transaction is for those to see who may."""
    if pid is None:
        return (
            f"prepared transaction {literal(gid)} of {user} has been there for {age}: "
            "COMMIT PREPARED or ROLLBACK PREPARED ends it"
        )
    if age is None:
        return f"process {pid} of {user} is in a transaction"
    return f"process {pid} of {user} has been in a transaction for {age}"
