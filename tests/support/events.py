"""How the tests write events, and how they look at what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from psycopg import Connection

ZONES = {1: "Asia/Kolkata", 2: "America/New_York", 3: "Europe/Rome"}

PLAIN = {
    "name": "first_response",
    "value": 60,
    "value_in_business_hours": 30,
    "account_id": 1,
    "user_id": 11,
    "inbox_id": 21,
    "conversation_id": 31,
    "created_at": "2026-03-10 12:00",
    "updated_at": "2026-03-10 12:00",
}
HANDOFF = "conversation_bot_handoff"

INSERT = sql.SQL("INSERT INTO public.reporting_events ({}) VALUES ({}) RETURNING id")

MIXTURE = """
INSERT INTO public.reporting_events (
    name, value, value_in_business_hours, account_id, user_id, inbox_id, conversation_id,
    created_at, updated_at
)
SELECT
    (ARRAY [
        'conversation_resolved', 'first_response', 'reply_time', 'conversation_bot_resolved',
        'conversation_bot_handoff', 'conversation_opened', 'conversation_bot_handoff'
    ]) [1 + i %% 7],
    nullif(i %% 11, 0) * 1.25,
    nullif(i %% 13, 0) * 0.5,
    nullif(i %% 4, 0),
    nullif(i %% 5, 0),
    nullif(i %% 3, 0),
    nullif(i %% 6, 0),
    timestamp '2026-03-07' + i * interval '47 minutes',
    timestamp '2026-03-07'
FROM generate_series(1, %s) i
"""

ROLLUPS = """
SELECT
    r.dimension_type,
    r.dimension_id,
    r.metric,
    r.count,
    r.sum_value,
    r.sum_value_business_hours
FROM rollup.current_rollups r
WHERE %(day)s::date IS NULL OR r.date = %(day)s
ORDER BY r.dimension_type, r.dimension_id, r.metric, r.date
"""

COUNTS = """
SELECT
    (SELECT coalesce(sum(r.count), 0) FROM public.reporting_events_rollups r),
    (SELECT count(*) FROM rollup.pending_events)
"""

ROW_VERSIONS = """
SELECT 'rollup', r.ctid::text, r.xmin::text, r::text FROM public.reporting_events_rollups r
UNION ALL
SELECT 'member', m.ctid::text, m.xmin::text, m::text FROM rollup.distinct_members m
UNION ALL
SELECT 'pending', p.ctid::text, p.xmin::text, p::text FROM rollup.pending_events p
"""


def desk(connection: Connection[Any]) -> Connection[Any]:
    """Give three accounts their time zones, so that all their days are covered, and return it."""
    for account, zone in ZONES.items():
        connection.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    connection.execute("SELECT rollup.rebuild()")
    return connection


def write(connection: Connection[Any], **columns: Any) -> int:
    """Insert an event, plain but for the given columns, and return its id."""
    event = {**PLAIN, **columns}
    statement = INSERT.format(
        sql.SQL(", ").join(map(sql.Identifier, event)),
        sql.SQL(", ").join([sql.Placeholder()] * len(event)),
    )
    [id_] = connection.execute(statement, list(event.values())).fetchone() or (0,)
    return int(id_)


def write_until_folded(connection: Connection[Any], **columns: Any) -> int:
    """Insert plain events until one of them has folded what was pending; return how many.

    One statement in eight looks for that, as the clock has it: of 200, all but surely some.
    """
    for events in range(1, 201):
        write(connection, **columns)
        if recorded_and_pending(connection)[1] == 0:
            return events
    raise AssertionError(f"{recorded_and_pending(connection)[1]} events are still pending")


def mix(connection: Connection[Any], events: int = 100) -> None:
    """Insert events of every kind in one statement, with NULLs, for the accounts of the desk."""
    connection.execute(MIXTURE, (events,))


def rollups(connection: Connection[Any], day: str | None = None) -> list[tuple[Any, ...]]:
    """Read the rollups, of a day or all: type, id, metric, count and the two sums."""
    return connection.execute(ROLLUPS, {"day": day}).fetchall()


def recorded_and_pending(connection: Connection[Any]) -> tuple[int, int]:
    """Tell how much the counts in the rollup table add up to, and how many events are pending."""
    recorded, pending = connection.execute(COUNTS).fetchone() or (0, 0)
    return int(recorded), int(pending)


def row_versions(connection: Connection[Any]) -> set[tuple[str, ...]]:
    """List the versions of all rows of the record and of what is pending: a write adds some."""
    return set(connection.execute(ROW_VERSIONS).fetchall())
