"""Writers beside writers, folds and readers: named by the pair, and by which comes first.

Writers give up after a tenth of a second of waiting for any lock: none of them ever waits.
"""

from __future__ import annotations

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
from tests.support.waiting import PATIENCE, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Connect

    Writers = Callable[[], psycopg.Connection[Any]]

pytestmark = pytest.mark.every_version

NEVER_WAITS = "-c lock_timeout=100ms"
DELETE = "DELETE FROM public.reporting_events WHERE id = %s"


@pytest.fixture
def watcher(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@pytest.fixture
def writer(watcher: psycopg.Connection[Any], database: str, connect: Connect) -> Writers:
    """Give a function that connects a writer whose transactions stay open."""
    return lambda: connect(database, autocommit=False, options=NEVER_WAITS)


def _append(session: psycopg.Connection[Any], events: int) -> None:
    """Append events in a transaction that cannot record them."""
    session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    for _ in range(events):
        write(session)
    session.commit()


def hand_offs(connection: psycopg.Connection[Any]) -> int:
    """Tell how many conversations of account 1 the rollups count as handed off."""
    counted = ("account", 1, "bot_handoffs_count")
    return sum(row[3] for row in rollups(connection) if row[:3] == counted)


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("other_account", [1, 257], ids=["same account", "same slot"])
def test_insert_and_insert_the_second_appends(
    watcher: psycopg.Connection[Any], writer: Writers, other_account: int, end: str
) -> None:
    watcher.execute("SELECT rollup.set_timezone(257, 'UTC')")
    first, second = writer(), writer()
    write(first)
    write(second, account_id=other_account)
    assert recorded_and_pending(first) == (3, 0)
    assert recorded_and_pending(second) == (0, 1)
    assert_exact(first)
    assert_exact(second)
    second.commit()
    assert_exact(watcher)
    getattr(first, end)()
    assert recorded_and_pending(watcher) == (3 if end == "commit" else 0, 1)
    assert_exact(watcher)
    write_until_folded(watcher, account_id=other_account)
    assert_exact(watcher)


def test_insert_and_insert_into_different_accounts_both_are_recorded_at_once(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    first, second = writer(), writer()
    write(first)
    write(second, account_id=2)
    first.commit()
    second.commit()
    assert recorded_and_pending(watcher) == (6, 0)
    assert_exact(watcher)


def test_two_accounts_in_opposite_order_neither_waits(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    first, second = writer(), writer()
    write(first, account_id=1)
    write(second, account_id=2)
    write(first, account_id=2)
    write(second, account_id=1)
    assert recorded_and_pending(first) == recorded_and_pending(second) == (3, 1)
    assert_exact(first)
    assert_exact(second)
    second.commit()
    assert_exact(watcher)
    first.commit()
    assert recorded_and_pending(watcher) == (6, 2)
    assert_exact(watcher)


def test_a_statement_for_two_accounts_appends_only_for_the_one_whose_slot_is_taken(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    first, second = writer(), writer()
    write(first, account_id=2)
    mix(second, 70)
    pending = "SELECT DISTINCT account_id FROM rollup.pending_events"
    assert second.execute(pending).fetchall() == [(2,)]
    second.execute("UPDATE public.reporting_events SET account_id = account_id % 3 + 1")
    assert_exact(second)
    second.commit()
    first.commit()
    assert_exact(watcher)


def test_delete_appended_of_a_member_recorded(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    event = write(watcher, name=HANDOFF)
    holder, deleter = writer(), writer()
    write(holder)
    deleter.execute(DELETE, (event,))
    assert recorded_and_pending(deleter)[1] == 1
    assert hand_offs(deleter) == 0
    assert hand_offs(watcher) == 1
    deleter.commit()
    assert hand_offs(watcher) == 0
    assert_exact(watcher)
    holder.commit()
    write_until_folded(watcher, name=HANDOFF)
    assert hand_offs(watcher) == 1
    assert_exact(watcher)


def test_delete_recorded_of_a_member_appended(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    """Occurrences are negative in the table then, as what triggers fold themselves is bounded."""
    holder = writer()
    write(holder, user_id=None, inbox_id=None)
    event = write(watcher, name=HANDOFF)
    watcher.execute("SELECT nextval('rollup.pending_events_id_seq') FROM generate_series(1, 5000)")
    holder.commit()
    watcher.execute(DELETE, (event,))
    members = "SELECT DISTINCT occurrences FROM rollup.distinct_members"
    assert watcher.execute(members).fetchall() == [(-1,)]
    assert recorded_and_pending(watcher) == (1, 1)
    assert hand_offs(watcher) == 0
    assert_exact(watcher)
    write(watcher, name=HANDOFF)
    assert watcher.execute(members).fetchall() == [(0,)]
    assert hand_offs(watcher) == 1
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert watcher.execute(members).fetchall() == [(1,)]
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_hand_off_and_hand_off_of_one_conversation_count_once(
    watcher: psycopg.Connection[Any], writer: Writers, end: str
) -> None:
    first, second = writer(), writer()
    write(first, name=HANDOFF)
    write(second, name=HANDOFF)
    second.commit()
    assert hand_offs(watcher) == hand_offs(first) == 1
    assert_exact(first)
    getattr(first, end)()
    assert hand_offs(watcher) == 1
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_the_last_hand_off_goes_while_another_comes(
    watcher: psycopg.Connection[Any], writer: Writers, end: str
) -> None:
    event = write(watcher, name=HANDOFF)
    deleter, inserter = writer(), writer()
    deleter.execute(DELETE, (event,))
    write(inserter, name=HANDOFF)
    assert hand_offs(deleter) == 0
    inserter.commit()
    assert hand_offs(watcher) == hand_offs(deleter) == 1
    getattr(deleter, end)()
    assert hand_offs(watcher) == 1
    assert_exact(watcher)


def test_insert_and_fold_the_fold_leaves_what_the_writer_holds(
    watcher: psycopg.Connection[Any], writer: Writers
) -> None:
    holder, other = writer(), writer()
    write(holder)
    for account in (1, 2):
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(other, account_id=account)
        other.commit()
    watcher.execute("SET lock_timeout = '100ms'")
    assert watcher.execute("SELECT rollup.fold()").fetchone() == (1,)
    assert recorded_and_pending(watcher) == (3, 1)
    assert_exact(watcher)
    holder.commit()
    assert watcher.execute("SELECT rollup.fold()").fetchone() == (1,)
    assert recorded_and_pending(watcher) == (9, 0)
    assert_exact(watcher)


def test_a_fold_that_finds_no_slot_free_waits_for_one_and_holds_up_no_writer(
    watcher: psycopg.Connection[Any], writer: Writers, connect: Connect, database: str
) -> None:
    holder, other = writer(), writer()
    write(holder)
    _append(other, 3)
    folder = connect(database)
    with waiting(watcher, folder, "SELECT rollup.fold()") as folding:
        assert recorded_and_pending(watcher) == (0, 3)
        other.execute("SET lock_timeout = '100ms'")
        write(other)
        other.commit()
        assert recorded_and_pending(watcher) == (0, 4)
        holder.commit()
    assert folding.result() == [(4,)]
    assert recorded_and_pending(watcher)[1] == 0
    assert_exact(watcher)


def test_a_fold_gives_up_after_a_second_and_waits_in_no_transaction_that_has_written(
    watcher: psycopg.Connection[Any], writer: Writers, connect: Connect, database: str
) -> None:
    holder, other = writer(), writer()
    write(holder)
    _append(other, 1)
    with waiting(watcher, connect(database), "SELECT rollup.fold()") as folding:
        assert folding.result(PATIENCE) == [(0,)]
    other.execute("INSERT INTO public.accounts (id) VALUES (77)")
    other.execute("SET LOCAL statement_timeout = '900ms'")
    assert other.execute("SELECT rollup.fold()").fetchone() == (0,)
    assert recorded_and_pending(watcher)[1] == 1
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_fold_and_insert_the_writer_appends(
    watcher: psycopg.Connection[Any], writer: Writers, end: str
) -> None:
    watcher.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(watcher, 80)
    watcher.execute("RESET default_transaction_isolation")
    folder, inserter = writer(), writer()
    [folded] = folder.execute("SELECT rollup.fold()").fetchone() or (0,)
    assert folded == recorded_and_pending(watcher)[1] > 0
    assert_exact(folder)
    assert_exact(watcher)
    mix(inserter, 30)
    assert_exact(inserter)
    inserter.commit()
    assert_exact(watcher)
    getattr(folder, end)()
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert recorded_and_pending(watcher)[1] == 0
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE public.reporting_events SET account_id = 3, conversation_id = 1, value = 9",
        "UPDATE public.reporting_events SET name = 'conversation_bot_handoff'",
        "DELETE FROM public.reporting_events",
    ],
)
def test_update_and_fold_of_the_same_events(
    watcher: psycopg.Connection[Any], writer: Writers, change: str, end: str
) -> None:
    watcher.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(watcher, 60)
    watcher.execute("RESET default_transaction_isolation")
    folder, updater = writer(), writer()
    folder.execute("SELECT rollup.fold()")
    updater.execute(change)
    assert_exact(updater)
    updater.commit()
    assert_exact(watcher)
    getattr(folder, end)()
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert recorded_and_pending(watcher)[1] == 0
    assert_exact(watcher)


@pytest.mark.parametrize(
    "change",
    [
        "SELECT rollup.fold()",
        "SELECT rollup.rebuild()",
        "SELECT rollup.set_timezone(1, 'Pacific/Apia'), rollup.rebuild()",
        "SELECT rollup.set_timezone(1, NULL), rollup.rebuild(1)",
        "CALL rollup.backfill()",
        "DELETE FROM public.reporting_events WHERE id % 2 = 0",
        "UPDATE public.reporting_events SET account_id = account_id % 3 + 1",
    ],
)
def test_a_readers_snapshot_is_exact_before_and_after(
    watcher: psycopg.Connection[Any], writer: Writers, change: str
) -> None:
    watcher.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(watcher, 60)
    watcher.execute("RESET default_transaction_isolation")
    reader = writer()
    reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    before = rollups(reader)
    assert before
    watcher.execute(change)
    assert rollups(reader) == before
    assert_exact(reader)
    reader.commit()
    assert_exact(reader)
    assert_exact(watcher)
