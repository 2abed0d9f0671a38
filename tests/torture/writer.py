"""A writer: transactions of every shape on events of its own, and a ledger of what it committed."""

from __future__ import annotations

import itertools
import time
from random import Random
from typing import TYPE_CHECKING, Any

import psycopg

from tests.torture.events import COLUMNS, Event
from tests.torture.statements import Hand, some_statement
from tests.torture.transactions import NEVER_WAITS, Transaction, generation, some_shape
from tests.torture.verdict import LostEventError

if TYPE_CHECKING:
    from threading import Event as Signal

    from tests.torture.arena import Arena
    from tests.torture.tally import Tally

    Connection = psycopg.Connection[Any]

ID_RANGE = 10**9
COMPARES_EVERY = 50  # transactions
PAUSE = 0.02  # seconds between two looks at what has to go first
SHOWN = 5

_PREDECESSORS = """
SELECT count(*)
FROM pg_stat_activity
WHERE application_name = current_setting('application_name')
AND pid <> pg_backend_pid()
"""
_LOCK = b"SET LOCAL lock_timeout = '30s'; LOCK TABLE public.reporting_events IN ACCESS SHARE MODE"
_OWN_EVENTS = f"""
SELECT {", ".join(COLUMNS).replace("_at", "_at::text")}
FROM public.reporting_events
WHERE id >= %s AND id < %s
"""


class Writer:
    """Writes until it is told to stop. Its events have ids of a range of its own."""

    def __init__(self, number: int, seed: str, arena: Arena, tally: Tally, stop: Signal) -> None:
        self._number = number
        self._name = f"writer {number}"
        self._chance = Random(f"{seed} {self._name}")
        self._arena, self._tally, self._stop = arena, tally, stop
        self._ids = itertools.count(number * ID_RANGE)
        self._numbers = itertools.count(1)
        self._ledger: dict[int, Event] = {}
        self._generation = 0
        self._open: Transaction | None = None

    def work(self) -> None:
        """Write, in one connection after the other, until it is time to stop."""
        while not self._stop.is_set():
            with self._arena.connected(self._name, lock_timeout=NEVER_WAITS) as connection:
                self._settle(connection)
                while not self._stop.is_set():
                    self._transact(connection)

    def finish(self) -> None:
        """Settle everything, once all is quiet."""
        with self._arena.connected(self._name) as connection:
            self._settle(connection)

    def _settle(self, connection: Connection) -> None:
        """Find out how the last transaction of a lost connection ended; compare the ledger."""
        while connection.execute(_PREDECESSORS).fetchone() != (0,):
            time.sleep(PAUSE)
        if self._open:
            if self._open.is_prepared(connection):
                self._open.end_prepared(connection)
            self._close(is_committed=self._open.is_committed(connection))
        self._compare(connection)

    def _transact(self, connection: Connection) -> None:
        transaction = self._open = Transaction(
            writer=self._number,
            number=next(self._numbers),
            shape=some_shape(self._chance),
        )
        end = self._run(connection, transaction)
        self._tally.add("transactions", f"{transaction.shape.level} {end}")
        self._close(is_committed=end.endswith("committed"))
        if transaction.number % COMPARES_EVERY == 0:
            self._compare(connection)

    def _run(self, connection: Connection, transaction: Transaction) -> str:
        """Run a transaction to its end, and tell what that was."""
        shape = transaction.shape
        try:
            transaction.begin(connection)
        except psycopg.errors.LockNotAvailable:
            if not shape.truncates:
                raise
            connection.execute("ROLLBACK")
            return "TRUNCATE given up"
        start = time.monotonic()
        try:
            self._write(connection, transaction)
            time.sleep(shape.pause)
            transaction.end(connection)
        except psycopg.errors.SerializationFailure:
            if not shape.may_conflict:
                raise
            connection.execute("ROLLBACK")
            return "conflicting"
        self._tally.took("writer's transaction", time.monotonic() - start - shape.pause)
        end = "committed" if shape.commits else "rolled back"
        if not shape.is_prepared:
            return end
        time.sleep(shape.pause or PAUSE)
        transaction.end_prepared(connection)
        return f"prepared and {end}"

    def _write(self, connection: Connection, transaction: Transaction) -> None:
        transaction.generation = generation(connection)
        if transaction.shape.truncates:
            transaction.live.clear()
            self._tally.add("statements", "truncate")
        else:
            self._forget_truncated(transaction.generation)
            transaction.live = dict(self._ledger)
        hand = Hand(
            connection=connection, chance=self._chance, ids=self._ids, live=transaction.live
        )
        for _ in range(transaction.shape.statements):
            if self._chance.random() < 0.2:
                self._write_and_undo(hand, transaction)
            self._write_something(hand, transaction)
        self._tally.add("rows", "written", hand.rows)

    def _write_and_undo(self, hand: Hand, transaction: Transaction) -> None:
        """Write something within a savepoint, keep it or not, and then release it or not."""
        before = dict(hand.live)
        hand.connection.execute("SAVEPOINT one")
        self._write_something(hand, transaction)
        if self._chance.random() < 0.6:
            hand.connection.execute("ROLLBACK TO one")
            hand.live.clear()
            hand.live.update(before)
            self._tally.add("savepoints", "rolled back")
        elif self._chance.random() < 0.5:
            hand.connection.execute("RELEASE one")
            self._tally.add("savepoints", "released")

    def _write_something(self, hand: Hand, transaction: Transaction) -> None:
        inserts_only = transaction.shape.inserts_only
        name = some_statement(self._chance, hand, inserts_only=inserts_only)
        hand.write(name)
        self._tally.add("statements", name)

    def _close(self, *, is_committed: bool) -> None:
        if is_committed and self._open:
            self._ledger, self._generation = self._open.live, self._open.generation
        self._open = None

    def _forget_truncated(self, current: int) -> None:
        """Forget the events that a session has truncated, whatever becomes of our transaction."""
        if current != self._generation:
            self._ledger, self._generation = {}, current

    def _compare(self, connection: Connection) -> None:
        """Raise LostEventError unless the events in the table are those in the ledger."""
        with connection.transaction():
            connection.execute(_LOCK)
            self._forget_truncated(generation(connection))
            rows = connection.execute(
                _OWN_EVENTS, (self._number * ID_RANGE, (self._number + 1) * ID_RANGE)
            ).fetchall()
        found = {row[0]: Event(**dict(zip(COLUMNS, row, strict=True))) for row in rows}
        wrong = [id_ for id_ in found | self._ledger if found.get(id_) != self._ledger.get(id_)]
        listed = [f"{found.get(id_)}, not {self._ledger.get(id_)}" for id_ in sorted(wrong)]
        if wrong:
            raise LostEventError(f"{len(wrong)} of {self._name}:\n" + "\n".join(listed[:SHOWN]))
        self._tally.add("checks", "of a ledger")
