"""Rebuilds, truncates and zone changes beside writers: named by the pair, by which comes first."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import desk, mix, recorded_and_pending, rollups, write
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.waiting import PATIENCE, blockers, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Connect

    Open = Callable[[], psycopg.Connection[Any]]

pytestmark = pytest.mark.every_version

NEVER_WAITS = "-c lock_timeout=100ms"

TRUNCATE = "TRUNCATE public.reporting_events"
INSERT = (
    "INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)"
    " VALUES ('reply_time', 1, '2026-03-10', now())"
)
LEVELS = pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])

CHANGES = [
    "UPDATE public.reporting_events SET account_id = account_id % 3 + 1, value = 9",
    "UPDATE public.reporting_events SET name = 'conversation_bot_handoff'",
    "DELETE FROM public.reporting_events WHERE id % 2 = 0",
    """
    INSERT INTO public.reporting_events (name, account_id, conversation_id, created_at, updated_at)
    SELECT 'conversation_bot_handoff', account_id, id, created_at, now()
    FROM public.reporting_events
    """,
]


@pytest.fixture
def watcher(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@pytest.fixture
def writer(watcher: psycopg.Connection[Any], database: str, connect: Connect) -> Open:
    """Give a function that connects a writer; its transactions stay open, and it never waits."""
    return lambda: connect(database, autocommit=False, options=NEVER_WAITS)


@pytest.fixture
def rebuilder(watcher: psycopg.Connection[Any], database: str, connect: Connect) -> Open:
    """Give a function that connects a session that may wait, and whose transactions stay open."""
    return lambda: connect(database, autocommit=False)


def assert_truncated(session: psycopg.Connection[Any], level: str) -> None:
    """Fail unless a committed truncation has left nothing; above READ COMMITTED, to be covered."""
    if level != "READ COMMITTED":
        assert_exact_where_covered(session)
        session.execute("CALL rollup.backfill()")
    assert rollups(session) == []
    assert_exact(session)


@pytest.mark.parametrize("scope", ["", "1", "1, '2026-03-10', '2026-03-11'"])
def test_insert_and_rebuild_the_rebuild_waits_and_later_writers_append(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open, scope: str
) -> None:
    first, second, patient = writer(), writer(), rebuilder()
    write(first)
    with waiting(watcher, patient, f"SELECT rollup.rebuild({scope})") as rebuilt:
        assert blockers(watcher, patient) == [first.info.backend_pid]
        write(second)
        write(second, account_id=257)
        assert recorded_and_pending(second) == (0, 2)
        assert_exact(second)
        second.commit()
        assert_exact(watcher)
        first.commit()
    assert rebuilt.result() == [(3,)]
    assert_exact(patient)
    patient.commit()
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("change", CHANGES)
def test_rebuild_and_write_the_writer_appends(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open, change: str, end: str
) -> None:
    watcher.execute("SET session_replication_role = replica")
    mix(watcher, 60)
    watcher.execute("RESET session_replication_role")
    early, late, patient = writer(), writer(), rebuilder()
    early.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    mix(early, 20)
    patient.execute("SELECT rollup.rebuild()")
    assert_exact(patient)
    late.execute(change)
    late.commit()
    early.commit()
    getattr(patient, end)()
    if end == "rollback":
        watcher.execute("SELECT rollup.rebuild()")
    assert_exact(watcher)
    mix(watcher, 10)
    watcher.execute("SELECT rollup.fold()")
    assert_exact(watcher)


@pytest.mark.parametrize("change", CHANGES)
def test_write_and_rebuild_of_another_account_what_is_in_flight_is_in_neither(
    watcher: psycopg.Connection[Any], writer: Open, change: str
) -> None:
    mix(watcher, 60)
    watcher.execute("SET lock_timeout = '100ms'")
    in_flight = writer()
    in_flight.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    in_flight.execute(change)
    assert watcher.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert_exact(watcher)
    in_flight.commit()
    assert_exact(watcher)


def test_rebuild_and_rebuild_of_one_account_take_turns(
    watcher: psycopg.Connection[Any], rebuilder: Open
) -> None:
    watcher.execute("SET session_replication_role = replica")
    mix(watcher, 60)
    watcher.execute("RESET session_replication_role")
    first, second = rebuilder(), rebuilder()
    first.execute("SELECT rollup.rebuild(1)")
    with waiting(watcher, second, "SELECT rollup.rebuild()") as rebuilt:
        assert blockers(watcher, second) == [first.info.backend_pid]
        first.commit()
    assert rebuilt.result()[0][0] > 0
    second.commit()
    assert watcher.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert_exact(watcher)


def test_rebuild_and_rebuild_of_other_accounts_do_not_wait(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    first, second = writer(), writer()
    first.execute("SELECT rollup.rebuild(1)")
    second.execute("SELECT rollup.rebuild(2), rollup.fold()")
    first.commit()
    second.commit()
    assert_exact(watcher)


def test_rebuild_and_fold_the_fold_leaves_what_is_rebuilt(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    watcher.execute("SET default_transaction_isolation = 'repeatable read'")
    write(watcher)
    write(watcher, account_id=2)
    watcher.execute("RESET default_transaction_isolation")
    patient, folder = writer(), writer()
    patient.execute("SELECT rollup.rebuild(1)")
    assert folder.execute("SELECT rollup.fold()").fetchone() == (1,)
    folder.commit()
    assert_exact(watcher)
    patient.commit()
    assert recorded_and_pending(watcher) == (6, 0)
    assert_exact(watcher)


def test_rebuild_of_all_that_waits_for_one_account_keeps_no_session_from_writing(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open
) -> None:
    holder, other, patient = writer(), writer(), rebuilder()
    write(holder, account_id=2)
    with waiting(watcher, patient, "SELECT rollup.rebuild()"):
        mix(other, 60)
        other.execute("DELETE FROM public.reporting_events WHERE id % 3 = 0")
        other.commit()
        assert_exact(watcher)
        write(holder, account_id=1)
        write(holder, account_id=2)
        holder.commit()
    assert_exact(patient)
    patient.commit()
    assert recorded_and_pending(watcher)[1] == 0
    assert_exact(watcher)


def test_a_writer_that_is_killed_lets_go_of_its_slot_and_leaves_nothing(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open
) -> None:
    killed, patient = writer(), rebuilder()
    mix(killed, 60)
    with waiting(watcher, patient, "SELECT rollup.rebuild()") as rebuilt:
        watcher.execute("SELECT pg_terminate_backend(%s)", (killed.info.backend_pid,))
    assert rebuilt.result() == [(0,)]
    patient.commit()
    assert rollups(watcher) == []
    assert_exact(watcher)


def test_lock_timeout_of_a_waiting_rebuild_is_honoured(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    holder, impatient, other = writer(), writer(), writer()
    write(holder)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        impatient.execute("SELECT rollup.rebuild()")
    impatient.rollback()
    write(other, account_id=2)
    assert recorded_and_pending(other) == (3, 0)
    other.commit()
    holder.commit()
    assert_exact(watcher)


@LEVELS
def test_rebuild_and_truncate_and_a_rebuild_behind_it_take_turns(
    watcher: psycopg.Connection[Any], rebuilder: Open, level: str
) -> None:
    mix(watcher, 60)
    first, truncater, last = rebuilder(), rebuilder(), rebuilder()
    first.execute("SELECT rollup.rebuild()")
    truncater.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    with (
        waiting(watcher, truncater, TRUNCATE) as truncated,
        waiting(watcher, last, "SELECT rollup.rebuild(1)"),
    ):
        write(first)
        first.execute("SELECT rollup.rebuild(), rollup.fold()")
        first.commit()
        truncated.result()
        assert_exact_where_covered(truncater)
        truncater.commit()
    last.commit()
    assert_truncated(watcher, level)


@LEVELS
def test_a_rebuild_that_waits_for_a_slot_and_a_truncate_that_waits_for_it_take_turns(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open, level: str
) -> None:
    mix(watcher, 60)
    holder, patient, truncater = writer(), rebuilder(), rebuilder()
    write(holder)
    truncater.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    with (
        waiting(watcher, patient, "SELECT rollup.rebuild()") as rebuilt,
        waiting(watcher, truncater, TRUNCATE) as truncated,
    ):
        mix(holder, 20)
        holder.execute("DELETE FROM public.reporting_events WHERE id % 2 = 0")
        holder.commit()
        wait([rebuilt, truncated], PATIENCE, FIRST_COMPLETED)
        first, last = (patient, truncater) if rebuilt.done() else (truncater, patient)
        assert_exact_where_covered(first)
        first.commit()
    last.commit()
    assert_truncated(watcher, level)


@pytest.mark.parametrize(
    "change", [TRUNCATE, "ALTER TABLE public.reporting_events ADD COLUMN remark text"]
)
@pytest.mark.parametrize("call", ["SELECT rollup.rebuild()", "CALL rollup.backfill()"])
def test_insert_and_rebuild_and_then_a_writer_that_wants_the_whole_table_is_not_in_a_deadlock(
    watcher: psycopg.Connection[Any],
    writer: Open,
    database: str,
    connect: Connect,
    change: str,
    call: str,
) -> None:
    mix(watcher, 20)
    watcher.execute("UPDATE rollup.accounts SET covered = '{}'")
    holder, patient = writer(), connect(database)
    write(holder)
    with waiting(watcher, patient, call):
        holder.execute(change)
        holder.commit()
    assert_exact_where_covered(watcher)
    watcher.execute("CALL rollup.backfill()")
    assert_exact(watcher)


@LEVELS
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_truncate_and_insert_the_insert_counts_afterwards(
    watcher: psycopg.Connection[Any], rebuilder: Open, level: str, end: str
) -> None:
    mix(watcher, 60)
    truncater, inserter = rebuilder(), rebuilder()
    truncater.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    truncater.execute(TRUNCATE)
    write(truncater, account_id=2)
    with waiting(watcher, inserter, INSERT):
        getattr(truncater, end)()
    assert_exact_where_covered(inserter)
    inserter.commit()
    assert_exact_where_covered(watcher)
    if level == "READ COMMITTED" or end == "rollback":
        assert_exact(watcher)
    watcher.execute("CALL rollup.backfill()")
    assert_exact(watcher)


@LEVELS
def test_truncate_and_fold_the_fold_does_nothing(
    watcher: psycopg.Connection[Any], rebuilder: Open, level: str
) -> None:
    watcher.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(watcher, 60)
    watcher.execute("RESET default_transaction_isolation")
    truncater, folder = rebuilder(), rebuilder()
    truncater.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
    truncater.execute(TRUNCATE)
    assert folder.execute("SELECT rollup.fold()").fetchone() == (0,)
    folder.commit()
    truncater.commit()
    folder.execute("SELECT rollup.fold()")
    folder.commit()
    assert recorded_and_pending(watcher)[1] == 0
    assert_truncated(watcher, level)
