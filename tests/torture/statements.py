"""The statements that a writer's transaction is made of, and what they do to its events."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.torture.events import COLUMNS, Event, changed, some_event
from tests.torture.verdict import LostEventError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

    from psycopg import Connection, Cursor

_LIST = ", ".join(COLUMNS)
_SETTINGS = ", ".join(f"{name} = s.{name}" for name in COLUMNS[1:])
_SOURCE = "jsonb_populate_recordset(NULL::public.reporting_events, %s)"

_INSERT = f"INSERT INTO public.reporting_events ({_LIST}) SELECT {_LIST} FROM {_SOURCE} s"
_COPY = f"COPY public.reporting_events ({_LIST}) FROM STDIN"
_UPSERT = f"""
{_INSERT}
ON CONFLICT (id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
"""
_INSERT_MISSING = f"{_INSERT} ON CONFLICT (id) DO NOTHING"
_UPDATE = f"UPDATE public.reporting_events e SET {_SETTINGS} FROM {_SOURCE} s WHERE e.id = s.id"
_TOUCH = "UPDATE public.reporting_events SET value = value WHERE id = ANY (%s)"
_DELETE = "DELETE FROM public.reporting_events WHERE id = ANY (%s)"
_MERGE = f"""
MERGE INTO public.reporting_events e
USING {_SOURCE} s ON e.id = s.id
WHEN MATCHED AND s.value IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET {_SETTINGS}
WHEN NOT MATCHED THEN INSERT ({_LIST}) VALUES ({", ".join(f"s.{name}" for name in COLUMNS)})
"""
_INSERT_BATCH = "INSERT INTO torture.batches (id) VALUES (%s)"
_DELETE_BATCH = "DELETE FROM torture.batches WHERE id = %s"

MERGE_SINCE = 150000
MOST_EVENTS = 400


@dataclass(slots=True, kw_only=True)
class Hand:
    """A writer's hand in one transaction: `live` are its events as the transaction sees them.

    No statement touches events of another writer. Each fails unless it affects exactly the rows
    that it should.
    """

    connection: Connection[Any]
    chance: Random
    ids: Iterator[int]
    live: dict[int, Event]
    rows: int = field(default=0)

    def write(self, name: str) -> None:
        """Execute the statement of a name."""
        _STATEMENTS[name](self)

    def execute(self, statement: str, argument: object, expected: int) -> None:
        """Execute a statement that affects so many rows."""
        self.count(self.connection.execute(statement, (argument,)), expected)

    def count(self, cursor: Cursor[Any], expected: int) -> None:
        """Count the rows that a statement has affected, which must be so many."""
        if cursor.rowcount != expected:
            raise LostEventError(f"{cursor.rowcount} rows, not {expected}: {cursor.statusmessage}")
        self.rows += expected

    def put(self, events: Iterable[Event]) -> None:
        """Take note that events are now as given."""
        self.live.update((event.id, event) for event in events)

    def new(self, batch_id: int | None = None) -> list[Event]:
        """Make up some events that no writer has written yet."""
        many = self.chance.choice([1, 1, 1, 2, 5, 25])
        return [some_event(self.chance, next(self.ids), batch_id) for _ in range(many)]

    def old(self) -> list[Event]:
        """Choose some of the events."""
        many = min(len(self.live), self.chance.choice([1, 1, 2, 5, 20]))
        return self.chance.sample(list(self.live.values()), many)

    def old_changed(self) -> list[Event]:
        """Choose some of the events and make others of them."""
        return [changed(self.chance, event) for event in self.old()]


def some_statement(chance: Random, hand: Hand, *, inserts_only: bool) -> str:
    """Choose what to do next; a writer that has many events deletes more than it inserts."""
    if inserts_only:
        return chance.choice(["insert", "copy"])
    if len(hand.live) > MOST_EVENTS and chance.random() < 0.5:
        return "delete many"
    return chance.choice([name for name in _STATEMENTS if name != "merge" or _can_merge(hand)])


def _can_merge(hand: Hand) -> bool:
    return hand.connection.info.server_version >= MERGE_SINCE


def _insert(hand: Hand) -> None:
    events = hand.new()
    hand.execute(_INSERT, _documents(events), len(events))
    hand.put(events)


def _copy(hand: Hand) -> None:
    events = hand.new()
    with hand.connection.cursor() as cursor:
        with cursor.copy(_COPY) as copying:
            for event in events:
                copying.write_row(astuple(event))
        hand.count(cursor, len(events))
    hand.put(events)


def _insert_batch(hand: Hand) -> None:
    batch_id = next(hand.ids)
    events = hand.new(batch_id)
    hand.execute(_INSERT_BATCH, batch_id, 1)
    hand.execute(_INSERT, _documents(events), len(events))
    hand.put(events)


def _upsert(hand: Hand) -> None:
    events = hand.new() + hand.old_changed()
    hand.execute(_UPSERT, _documents(events), len(events))
    hand.put(events)


def _insert_missing(hand: Hand) -> None:
    events = hand.new()
    hand.execute(_INSERT_MISSING, _documents(events + hand.old_changed()), len(events))
    hand.put(events)


def _merge(hand: Hand) -> None:
    old, new = hand.old_changed(), hand.new()
    hand.execute(_MERGE, _documents(old + new), len(old + new))
    hand.put(new)
    hand.put(event for event in old if event.value is not None)
    for event in old:
        if event.value is None:
            del hand.live[event.id]


def _update(hand: Hand) -> None:
    events = hand.old_changed()
    hand.execute(_UPDATE, _documents(events), len(events))
    hand.put(events)


def _touch(hand: Hand) -> None:
    ids = [event.id for event in hand.old()]
    hand.execute(_TOUCH, ids, len(ids))


def _delete(hand: Hand) -> None:
    _delete_all(hand, [event.id for event in hand.old()])


def _delete_many(hand: Hand) -> None:
    _delete_all(hand, hand.chance.sample(list(hand.live), len(hand.live) // 2))


def _delete_all(hand: Hand, ids: list[int]) -> None:
    hand.execute(_DELETE, ids, len(ids))
    for id_ in ids:
        del hand.live[id_]


def _delete_batch(hand: Hand) -> None:
    batches = sorted({event.batch_id for event in hand.live.values() if event.batch_id})
    if batches:
        batch_id = hand.chance.choice(batches)
        hand.execute(_DELETE_BATCH, batch_id, 1)
        for event in [event for event in hand.live.values() if event.batch_id == batch_id]:
            del hand.live[event.id]


def _documents(events: list[Event]) -> Jsonb:
    return Jsonb([event.document() for event in events])


_STATEMENTS: dict[str, Callable[[Hand], None]] = {
    "insert": _insert,
    "copy": _copy,
    "insert batch": _insert_batch,
    "upsert": _upsert,
    "insert missing": _insert_missing,
    "merge": _merge,
    "update": _update,
    "touch": _touch,
    "delete": _delete,
    "delete many": _delete_many,
    "delete batch": _delete_batch,
}
