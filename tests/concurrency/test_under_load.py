"""Everything at once: whatever happens beside whatever else, every snapshot is exact."""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import IsolationLevel

from tests.support.events import ZONES, desk
from tests.support.oracle import assert_exact
from tests.support.write_modes import in_both_write_modes

if TYPE_CHECKING:
    from tests.support.databases import Connect

SECONDS = 20
WRITERS = 8
REBUILDERS = 2
LEAST_COMMITS = 400
LEAST_REBUILDS = 20
LEAST_CHECKS = 10

NAMES = [
    "conversation_resolved",
    "first_response",
    "reply_time",
    "conversation_bot_resolved",
    "conversation_bot_handoff",
    "conversation_opened",
]
LEVELS = [*[IsolationLevel.READ_COMMITTED] * 4, IsolationLevel.REPEATABLE_READ]

INSERT = """
INSERT INTO public.reporting_events (
    name, value, value_in_business_hours, account_id, inbox_id, user_id, conversation_id,
    created_at, updated_at
)
SELECT
    %(name)s, %(value)s, %(hours)s, %(account)s, %(inbox)s, %(agent)s, %(conversation)s,
    timestamp '2026-03-07' + i * %(minutes)s * interval '1 minute', now()
FROM generate_series(1, %(events)s) i
"""
SOME = """
    SELECT id
    FROM public.reporting_events
    WHERE id >= %(start)s
    ORDER BY id
    LIMIT %(events)s
    FOR UPDATE SKIP LOCKED
"""
UPDATE = f"""
UPDATE public.reporting_events
SET
    value = %(value)s,
    account_id = %(account)s,
    user_id = %(agent)s,
    conversation_id = %(conversation)s,
    created_at = created_at + %(minutes)s * interval '1 minute'
WHERE id IN ({SOME})
"""
DELETE = f"DELETE FROM public.reporting_events WHERE id IN ({SOME})"
NEWEST = "SELECT last_value FROM public.reporting_events_id_seq"

MAINTENANCE = [
    ["SELECT rollup.rebuild()"],
    ["SELECT rollup.rebuild(1)"],
    ["SELECT rollup.rebuild(2)"],
    ["SELECT rollup.rebuild(3, '2026-03-07', '2026-03-08')"],
    ["SELECT rollup.rebuild(NULL, '2026-03-08', NULL)"],
    ["SELECT rollup.fold()"],
    ["SELECT rollup.fold(1), rollup.fold(2)"],
    ["SELECT rollup.set_timezone(2, 'UTC')", "SELECT rollup.rebuild(2)"],
    ["SELECT rollup.set_timezone(2, 'America/New_York')", "CALL rollup.backfill(2)"],
    ["BEGIN", "SELECT rollup.set_timezone(3, 'Asia/Tokyo')", "SELECT rollup.rebuild(3)", "COMMIT"],
    ["BEGIN", "SELECT rollup.set_timezone(3, 'Europe/Rome')", "SELECT rollup.rebuild()", "COMMIT"],
]


def write_until(stop: Event, connection: psycopg.Connection[Any], seed: str) -> Counter[str]:
    """Commit transactions of several statements, and roll some back; count both.

    An application may meet its own conflicts at REPEATABLE READ, but none within our functions.
    """
    chance, done = random.Random(seed), Counter[str]()
    while not stop.is_set():
        connection.isolation_level = chance.choice(LEVELS)
        try:
            for _ in range(chance.randint(1, 5)):
                write_something(connection, chance)
            end = chance.choice(["commit"] * 9 + ["rollback"])
            getattr(connection, end)()
            done[end] += 1
        except psycopg.errors.SerializationFailure as failure:
            if "rollup" in (failure.diag.context or ""):
                raise
            connection.rollback()
            done["conflict"] += 1
    return done


def write_something(connection: psycopg.Connection[Any], chance: random.Random) -> None:
    [newest] = connection.execute(NEWEST).fetchone() or (1,)
    connection.execute(
        chance.choices([INSERT, UPDATE, DELETE], [4, 2, 2])[0],
        {
            "name": chance.choice(NAMES),
            "value": chance.choice([None, 10, 2.5, float("nan"), float("inf"), 1e300]),
            "hours": chance.choice([None, 1, 3]),
            "account": chance.choice([*ZONES, *ZONES, None, 4]),
            "agent": chance.choice([None, 1, 2]),
            "inbox": chance.choice([None, 1, 2]),
            "conversation": chance.choice([None, 1, 2, 3]),
            "minutes": chance.choice([1, 700, 900]),
            "events": chance.randint(1, 6),
            "start": chance.randint(1, max(newest, 1)),
        },
    )


def maintain_until(stop: Event, connection: psycopg.Connection[Any], seed: str) -> Counter[str]:
    """Rebuild, fold and change zones, in no order."""
    chance, done = random.Random(seed), Counter[str]()
    while not stop.wait(0.01):
        for statement in chance.choice(MAINTENANCE):
            connection.execute(statement)
        done["maintenance"] += 1
    return done


@in_both_write_modes
def test_no_snapshot_is_ever_wrong_and_no_session_blocks_another(
    database: str, connect: Connect
) -> None:
    seed = secrets.token_hex(4)
    print(f"seed: {seed}")
    watcher = desk(connect(database))
    stop, done, deadline = Event(), Counter[str](), time.monotonic() + SECONDS
    with ThreadPoolExecutor(WRITERS + REBUILDERS) as executor:
        threads = [
            executor.submit(
                write_until,
                stop,
                connect(database, autocommit=False, options="-c lock_timeout=2s"),
                f"{seed} writer {number}",
            )
            for number in range(WRITERS)
        ] + [
            executor.submit(maintain_until, stop, connect(database), f"{seed} rebuilder {number}")
            for number in range(REBUILDERS)
        ]
        try:
            while time.monotonic() < deadline and not any(thread.done() for thread in threads):
                assert_exact(watcher)
                done["check"] += 1
        finally:
            stop.set()
        for thread in threads:
            done += thread.result()
    print(dict(done))
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert_exact(watcher)
    watcher.execute("SELECT rollup.rebuild()")
    assert_exact(watcher)
    assert done["commit"] >= LEAST_COMMITS
    assert done["maintenance"] >= LEAST_REBUILDS
    assert done["check"] >= LEAST_CHECKS
