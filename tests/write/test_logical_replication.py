"""A subscriber that replicates events and rollups together: exact, and never at work itself."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.embedded import EmbeddedServer
from generator.registry import load
from tests.support import reference
from tests.support.databases import SETTINGS
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.waiting import PAUSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    Session = psycopg.Connection[Any]

PATIENCE = 60.0  # seconds, after which a test has failed

PUBLISH = """
CREATE PUBLICATION reports FOR TABLE
    public.accounts,
    public.reporting_events,
    public.reporting_events_rollups,
    rollup.accounts,
    rollup.distinct_members,
    rollup.gaps,
    rollup.invalidations,
    rollup.pending_events
"""

SYNCHRONISED = "SELECT bool_and(s.srsubstate = 'r') FROM pg_subscription_rel s"

CAUGHT_UP = """
SELECT coalesce(bool_and(r.replay_lsn >= %s::pg_lsn), false)
FROM pg_stat_replication r
"""


# Sequences are not replicated.
SEQUENCES = (
    "SELECT setval('public.reporting_events_id_seq', max(id)) FROM public.reporting_events",
    "SELECT setval('rollup.pending_events_id_seq', max(id)) FROM rollup.pending_events",
)


@pytest.fixture
def servers() -> Iterator[tuple[str, str]]:
    """Give a publisher and a subscriber, both with the product and nothing to count."""
    programs = os.environ.get("TEST_PG_BIN")
    binaries = Path(programs) if programs else None
    with ExitStack() as running:
        dsns = []
        for _ in range(2):
            server = EmbeddedServer(
                binaries=binaries, ephemeral=True, settings={**SETTINGS, "wal_level": "logical"}
            )
            dsn = running.enter_context(server).dsn()
            reference.install(dsn)
            deploy(dsn, load())
            dsns.append(dsn)
        yield dsns[0], dsns[1]


def await_true(session: Session, query: str, *values: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while session.execute(query, values or None).fetchone() != (True,):
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(PAUSE)


def catch_up(publisher: Session) -> None:
    [position] = publisher.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone() or ("",)
    await_true(publisher, CAUGHT_UP, position)


def write_above_read_committed(session: Session) -> None:
    """Insert an event that stays pending."""
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session)


def test_a_subscriber_has_the_same_totals_and_adds_nothing(servers: tuple[str, str]) -> None:
    with (
        psycopg.connect(servers[0], autocommit=True) as publisher,
        psycopg.connect(servers[1], autocommit=True) as subscriber,
    ):
        desk(publisher)
        mix(publisher, 200)
        publisher.execute(PUBLISH)
        subscriber.execute(
            f"CREATE SUBSCRIPTION reports CONNECTION '{servers[0]}' PUBLICATION reports"
        )
        await_true(subscriber, SYNCHRONISED)
        assert_exact(subscriber)
        mix(publisher, 100)
        publisher.execute("DELETE FROM public.reporting_events WHERE id % 3 = 0")
        write_above_read_committed(publisher)
        catch_up(publisher)
        assert_exact(subscriber)
        assert subscriber.execute("SELECT count(*) FROM rollup.pending_events").fetchone() == (1,)
        publisher.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
        publisher.execute("CALL rollup.backfill()")
        catch_up(publisher)
        assert_exact(subscriber)
        assert subscriber.execute("SELECT rollup.drift()").fetchall() == []
        write_above_read_committed(publisher)
        catch_up(publisher)
        subscriber.execute("ALTER SUBSCRIPTION reports DISABLE")
        subscriber.execute("ALTER SUBSCRIPTION reports SET (slot_name = NONE)")
        subscriber.execute("DROP SUBSCRIPTION reports")
        for sequence in SEQUENCES:
            subscriber.execute(sequence)
        write_above_read_committed(subscriber)
        write(subscriber, account_id=2, user_id=77)
        assert_exact(subscriber)
        subscriber.execute("SELECT rollup.fold()")
        assert_exact(subscriber)
