"""Transactions as writers make them: what they are like, and how they are begun and ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from psycopg import Connection

    from tests.torture.events import Event

NEVER_WAITS = "400ms"
"""The lock_timeout of writers. They touch no rows of each other, and whatever others hold they hold
for longer than this every now and then: a writer that waits for one of us fails."""

LONGEST_PAUSE = 1.0  # seconds, within a transaction

# Only here may a writer wait: for a TRUNCATE, beside which no session can write.
_BEGIN = """
BEGIN ISOLATION LEVEL {level};
SET LOCAL lock_timeout = '30s';
LOCK TABLE public.reporting_events IN ROW EXCLUSIVE MODE;
SET LOCAL lock_timeout = '{never_waits}';
INSERT INTO torture.commits (writer, number) VALUES ({writer}, {number})
"""
_BEGIN_TRUNCATE = """
BEGIN ISOLATION LEVEL {level};
INSERT INTO torture.commits (writer, number) VALUES ({writer}, {number});
SET LOCAL lock_timeout = '5s';
TRUNCATE public.reporting_events;
SET LOCAL lock_timeout = '{never_waits}'
"""
_GENERATION = "SELECT pg_relation_filenode('public.reporting_events')"
_IS_COMMITTED = "SELECT count(*) FROM torture.commits WHERE (writer, number) = (%s, %s)"
_IS_PREPARED = "SELECT count(*) FROM pg_prepared_xacts WHERE gid = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a transaction is to be like."""

    level: str
    inserts_only: bool
    truncates: bool
    statements: int
    is_prepared: bool
    commits: bool
    pause: float

    @property
    def may_conflict(self) -> bool:
        """Say whether it may fail to serialize, because it reads pages that others write.

        Nothing else may: writers touch no rows of each other.
        """
        return self.level == "SERIALIZABLE" and not self.inserts_only


def some_shape(chance: Random) -> Shape:
    """Choose what the next transaction is to be like.

    A TRUNCATE above READ COMMITTED, which leaves nothing covered, would leave nothing to compare.
    """
    level = chance.choices(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"], [7, 2, 2])[0]
    inserts_only = chance.random() < 0.25
    can_conflict = level == "SERIALIZABLE" and not inserts_only
    return Shape(
        level=level,
        inserts_only=inserts_only,
        truncates=chance.random() < 0.001 and level == "READ COMMITTED",
        statements=chance.choice([1, 1, 2, 3, 5, 8]),
        is_prepared=chance.random() < 0.03 and not can_conflict,
        commits=chance.random() < 0.85,
        pause=chance.random() * LONGEST_PAUSE if chance.random() < 0.05 else 0.0,
    )


@dataclass(slots=True, kw_only=True)
class Transaction:
    """One whose end is not known yet.

    If it is committed, the events of its writer are those in `live`, in the table's `generation`.
    """

    writer: int
    number: int
    shape: Shape
    live: dict[int, Event] = field(default_factory=dict)
    generation: int = 0

    def begin(self, connection: Connection[Any]) -> None:
        """Begin, and write down by what one can tell later whether it was committed.

        Raises LockNotAvailable where it is to truncate and others write without end.
        """
        template = _BEGIN_TRUNCATE if self.shape.truncates else _BEGIN
        statements = template.format(
            level=self.shape.level,
            writer=self.writer,
            number=self.number,
            never_waits=NEVER_WAITS,
        )
        connection.execute(statements.encode())

    def end(self, connection: Connection[Any]) -> None:
        """Commit or roll back, unless it is to be prepared: then only do that."""
        if self.shape.is_prepared:
            connection.execute(f"PREPARE TRANSACTION '{self._gid}'".encode())
        else:
            connection.execute("COMMIT" if self.shape.commits else "ROLLBACK")

    def end_prepared(self, connection: Connection[Any]) -> None:
        """Commit or roll back what is prepared."""
        verb = "COMMIT" if self.shape.commits else "ROLLBACK"
        connection.execute(f"{verb} PREPARED '{self._gid}'".encode())

    def is_prepared(self, connection: Connection[Any]) -> bool:
        """Say whether it waits to be ended."""
        return connection.execute(_IS_PREPARED, (self._gid,)).fetchone() == (1,)

    def is_committed(self, connection: Connection[Any]) -> bool:
        """Say whether it was committed, once its connection is gone."""
        row = connection.execute(_IS_COMMITTED, (self.writer, self.number)).fetchone()
        return row == (1,)

    @property
    def _gid(self) -> str:
        return f"writer {self.writer}, transaction {self.number}"


def generation(connection: Connection[Any]) -> int:
    """Tell which file the events are in: another after each TRUNCATE, whatever one's snapshot.

    The caller has locked the table.
    """
    [node] = connection.execute(_GENERATION).fetchone() or (0,)
    return int(node)
