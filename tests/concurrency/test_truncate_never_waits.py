"""A TRUNCATE of events waits for nothing of ours: readers and writers of events wait behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from generator.database.locks import LOCK_CLASS, SLOTS
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact, assert_exact_where_covered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

TRUNCATE = "TRUNCATE public.reporting_events"
STRANGER = "a_stranger_who_may_connect"
COVERED = "SELECT DISTINCT v.covered::text FROM rollup.coverage v"
ALL_KEYS = f"SELECT pg_advisory_lock({LOCK_CLASS}, i) FROM generate_series(0, {3 * SLOTS}) i"

HELD = {
    "a slot": f"SELECT pg_advisory_lock({LOCK_CLASS}, 7)",
    "a rollup row": "SELECT FROM public.reporting_events_rollups LIMIT 1 FOR UPDATE",
    "the rollup table": "LOCK TABLE public.reporting_events_rollups IN SHARE MODE",
    "a membership": "SELECT FROM rollup.distinct_members LIMIT 1 FOR UPDATE",
    "a pending event": "SELECT FROM rollup.pending_events LIMIT 1 FOR UPDATE",
    "a row of accounts": "SELECT FROM rollup.accounts WHERE account_id = 2 FOR UPDATE",
}


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with events, one of them pending; a lock that is waited for is an error."""
    session = desk(connect(database, options="-c lock_timeout=30s"))
    mix(session)
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    mix(session, 3)
    session.execute("COMMIT")
    return session


@pytest.fixture
def stranger(session: Session, database: str, connect: Connect) -> Iterator[Session]:
    """Connect as a role that may do nothing but that."""
    session.execute(f"DROP ROLE IF EXISTS {STRANGER}")
    session.execute(f"CREATE ROLE {STRANGER} LOGIN")
    [name] = session.execute("SELECT current_database()").fetchone() or ("",)
    grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
    session.execute(grant.format(sql.Identifier(name), sql.Identifier(STRANGER)))
    connection = connect(database, user=STRANGER)
    yield connection
    connection.close()
    session.execute(f"DROP OWNED BY {STRANGER}; DROP ROLE {STRANGER}")


def truncate_without_waiting(session: Session) -> None:
    """Truncate with a timeout that a wait would reach; the setting is as before afterwards."""
    session.execute("SET lock_timeout = '20s'")
    session.execute("SET statement_timeout = '10s'")
    session.execute(TRUNCATE)
    assert session.execute("SHOW lock_timeout").fetchone() == ("20s",)


def test_a_role_that_may_only_connect_and_holds_all_our_keys_does_not_delay_a_truncate(
    session: Session, stranger: Session
) -> None:
    stranger.execute(ALL_KEYS)
    truncate_without_waiting(session)
    assert_exact_where_covered(session)
    stranger.execute("SELECT pg_advisory_unlock_all()")
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_whatever_of_ours_another_session_holds_a_truncate_goes_on(
    held: str, session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database, autocommit=False)
    holder.execute(held)
    truncate_without_waiting(session)
    assert_exact_where_covered(session)
    holder.execute("SELECT pg_advisory_unlock_all()")
    holder.rollback()
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_truncate_that_finds_all_free_covers_every_day_at_once(session: Session) -> None:
    truncate_without_waiting(session)
    assert_exact(session)
    assert session.execute(COVERED).fetchall() == [("{(,)}",)]


def test_a_fold_beside_a_truncate_holds_no_slot_that_the_truncate_needs(
    session: Session, database: str, connect: Connect
) -> None:
    folder = connect(database, autocommit=False)
    with session.transaction():
        session.execute("LOCK TABLE public.reporting_events IN ACCESS EXCLUSIVE MODE")
        assert folder.execute("SELECT rollup.fold()").fetchone() == (0,)
        truncate_without_waiting(session)
    folder.rollback()
    assert_exact(session)
    assert session.execute(COVERED).fetchall() == [("{(,)}",)]
