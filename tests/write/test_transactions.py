"""Transactions end in many ways, at several isolation levels: the rollups follow every one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import (
    HANDOFF,
    desk,
    mix,
    recorded_and_pending,
    rollups,
    write,
    write_until_folded,
)
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect

SLOTS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"

ABOVE_READ_COMMITTED = pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


def test_a_rollback_leaves_nothing_behind(connection: psycopg.Connection[Any]) -> None:
    mix(connection, 20)
    before = rollups(connection)
    with connection.transaction(force_rollback=True):
        mix(connection, 50)
        connection.execute("UPDATE public.reporting_events SET account_id = 2")
        connection.execute("DELETE FROM public.reporting_events WHERE id % 2 = 0")
        assert_exact(connection)
    assert rollups(connection) == before
    assert_exact(connection)


def test_a_failed_statement_leaves_nothing_behind(connection: psycopg.Connection[Any]) -> None:
    id_ = write(connection)
    with suppress(psycopg.errors.UniqueViolation), connection.transaction():
        mix(connection, 20)
        write(connection, id=id_)
        pytest.fail("two events have one id")
    assert recorded_and_pending(connection) == (3, 0)
    assert_exact(connection)


def test_savepoints_undo_only_what_came_after_them(connection: psycopg.Connection[Any]) -> None:
    with connection.transaction():
        write(connection, name=HANDOFF)
        with connection.transaction(force_rollback=True):
            write(connection, name=HANDOFF)
            write(connection, name=HANDOFF, conversation_id=32, account_id=2)
            with connection.transaction():
                connection.execute("DELETE FROM public.reporting_events")
            assert_exact(connection)
        assert_exact(connection)
        with connection.transaction():
            write(connection, name=HANDOFF, conversation_id=33)
        assert_exact(connection)
    assert [row[3] for row in rollups(connection)] == [2, 2, 2]
    assert_exact(connection)


def test_a_savepoint_that_is_undone_lets_go_of_the_slot_that_it_took(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    other = connect(database)
    with connection.transaction():
        write(connection)
        with connection.transaction(force_rollback=True):
            write(connection, account_id=2)
            assert connection.execute(SLOTS).fetchone() == (2,)
        assert connection.execute(SLOTS).fetchone() == (1,)
        write(other, account_id=2)
        assert recorded_and_pending(other) == (3, 0)
        write(other)
        assert recorded_and_pending(other) == (3, 1)
        assert_exact(connection)
    assert_exact(connection)


def test_an_exception_block_undoes_only_what_is_within_it(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(
        """
        DO $$
        BEGIN
            INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
            VALUES ('reply_time', 1, now(), now());
            BEGIN
                INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
                VALUES ('reply_time', 1, now(), now()), ('reply_time', 2, now(), now());
                PERFORM 1 / 0;
            EXCEPTION WHEN division_by_zero THEN
                INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
                VALUES ('reply_time', 2, now(), now());
            END;
        END $$
        """
    )
    assert [row[1:4] for row in rollups(connection)] == [(1, "reply_time", 1), (2, "reply_time", 1)]
    assert_exact(connection)


@pytest.mark.parametrize("end", ["COMMIT PREPARED", "ROLLBACK PREPARED"])
def test_a_prepared_transaction_counts_when_it_is_committed(
    connection: psycopg.Connection[Any], database: str, connect: Connect, end: str
) -> None:
    if connection.execute("SHOW max_prepared_transactions").fetchone() == ("0",):
        pytest.skip("max_prepared_transactions is 0")
    watcher = connect(database, options="-c lock_timeout=100ms")
    mix(connection, 20)
    with connection.transaction():
        mix(connection, 50)
        connection.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0 AND id <= 20")
        connection.execute("PREPARE TRANSACTION 'written'")
    assert_exact(watcher)
    mix(watcher, 30)
    assert recorded_and_pending(watcher)[1] > 0
    assert_exact(watcher)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        watcher.execute("SELECT rollup.rebuild(1)")
    connection.execute(f"{end} 'written'")
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert recorded_and_pending(watcher)[1] == 0
    assert_exact(watcher)


@ABOVE_READ_COMMITTED
def test_a_writer_above_read_committed_appends(
    connection: psycopg.Connection[Any], level: str
) -> None:
    mix(connection, 50)
    recorded, _ = recorded_and_pending(connection)
    connection.execute(f"BEGIN ISOLATION LEVEL {level}")
    mix(connection, 50)
    assert_exact(connection)
    connection.execute("UPDATE public.reporting_events SET account_id = 2, user_id = 1")
    assert_exact(connection)
    connection.execute("DELETE FROM public.reporting_events WHERE id % 3 = 0")
    assert_exact(connection)
    assert connection.execute(SLOTS).fetchone() == (0,)
    assert recorded_and_pending(connection)[0] == recorded
    connection.execute("COMMIT")
    assert recorded_and_pending(connection)[0] == recorded
    assert_exact(connection)
    connection.execute("SELECT rollup.fold()")
    assert recorded_and_pending(connection)[1] == 0
    assert_exact(connection)


@ABOVE_READ_COMMITTED
def test_writers_above_read_committed_do_not_fail_for_one_another(
    connection: psycopg.Connection[Any], database: str, connect: Connect, level: str
) -> None:
    mix(connection, 10)
    writers = [connect(database) for _ in range(3)]
    for writer in writers:
        writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    for _ in range(2):
        for account, writer in enumerate(writers, 1):
            write(writer, account_id=account)
            write(writer, account_id=1)
    for writer in writers:
        writer.execute("COMMIT")
    assert recorded_and_pending(connection)[1] == 12
    assert_exact(connection)


@ABOVE_READ_COMMITTED
def test_a_writer_above_read_committed_does_not_fail_for_what_others_committed(
    connection: psycopg.Connection[Any], database: str, connect: Connect, level: str
) -> None:
    mix(connection, 30)
    writer = connect(database)
    writer.execute(f"BEGIN ISOLATION LEVEL {level}")
    writer.execute("SELECT count(*) FROM public.accounts")
    mix(connection, 30)
    connection.execute("SELECT rollup.rebuild(), rollup.fold()")
    mix(writer, 30)
    mix(connection, 30)
    connection.execute("SELECT rollup.set_timezone(1, 'Pacific/Apia'), rollup.rebuild()")
    writer.execute("DELETE FROM public.reporting_events WHERE id <= 10")
    writer.execute("COMMIT")
    assert_exact(connection)


@pytest.mark.parametrize("function", ["rebuild", "fold", "switch_timezone"])
@ABOVE_READ_COMMITTED
def test_nothing_but_a_truncate_changes_the_record_above_read_committed(
    connection: psycopg.Connection[Any], level: str, function: str
) -> None:
    connection.execute(f"BEGIN ISOLATION LEVEL {level}")
    call = {"switch_timezone": "rollup.switch_timezone(ARRAY [1::bigint])"}.get(
        function, f"rollup.{function}()"
    )
    with pytest.raises(psycopg.errors.ActiveSqlTransaction) as raised:
        connection.execute(f"SELECT {call}")
    assert raised.value.sqlstate == "25001"
    assert raised.value.diag.message_hint
    connection.execute("ROLLBACK")
    assert_exact(connection)


def test_read_uncommitted_is_read_committed(connection: psycopg.Connection[Any]) -> None:
    connection.execute("BEGIN ISOLATION LEVEL READ UNCOMMITTED")
    write(connection)
    assert recorded_and_pending(connection) == (3, 0)
    connection.execute("SELECT rollup.rebuild()")
    connection.execute("COMMIT")
    assert_exact(connection)


def test_what_a_transaction_has_appended_it_folds_once_it_holds_the_slot(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    other = connect(database, autocommit=False)
    write(other, name=HANDOFF)
    with connection.transaction():
        id_ = write(connection, name=HANDOFF)
        connection.execute("DELETE FROM public.reporting_events WHERE id = %s", (id_,))
        write(connection, name=HANDOFF)
        assert recorded_and_pending(connection) == (0, 3)
        other.commit()
        assert_exact(connection)
        events = write_until_folded(connection, value=5)
        assert recorded_and_pending(connection) == (3 + 3 * events, 0)
        assert_exact(connection)
    assert_exact(other)
