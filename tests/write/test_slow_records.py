"""A session to which recording events has become slow appends them for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import ZONES, desk, mix, recorded_and_pending, write
from tests.support.oracle import assert_exact
from tests.support.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Connect

    Session = Any

LOCK_TOTALS = "SELECT count(*) FROM (SELECT FROM public.reporting_events_rollups FOR UPDATE) r"
INSERT_ONE = """
INSERT INTO public.reporting_events (name, value, account_id, created_at, updated_at)
VALUES ('reply_time', 5, 1, '2026-03-10 12:00', '2026-03-10 12:00')
"""
UNTIL = """
SELECT set_config(
    'rollup.append_until', (extract(epoch FROM clock_timestamp()) + %s)::text, false
)
"""
APPENDS = """
SELECT current_setting('rollup.append_until')::numeric
    BETWEEN extract(epoch FROM now()) AND extract(epoch FROM clock_timestamp()) + 1
"""
NEXT = "SELECT setval('rollup.pending_events_id_seq', %s, false)"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    session = desk(connect(database))
    session.execute(INSERT_ONE)
    session.execute("SET rollup.lateness = '0'")  # it had to be planned
    return session


@pytest.fixture
def be_slow(session: Session, database: str, connect: Connect) -> Callable[[int], None]:
    """Give a function that writes events, each of which takes 1.5 ms to record."""
    watcher = connect(database)
    holder = connect(database, autocommit=False)

    def write_slowly(events: int) -> None:
        for _ in range(events):
            holder.execute(LOCK_TOTALS)
            with waiting(watcher, session, INSERT_ONE):
                holder.execute("SELECT pg_sleep(0.0015)")  # no lock tells how long it was held
                holder.rollback()

    return write_slowly


def lateness(session: Session) -> int:
    [found] = session.execute("SELECT current_setting('rollup.lateness')::integer").fetchone()
    return int(found)


def test_when_events_have_taken_too_long_a_session_appends_for_a_second(
    session: Session, be_slow: Callable[[int], None], database: str, connect: Connect
) -> None:
    with session.transaction():
        session.execute("SELECT")  # now() is from here
    for number in range(40):
        if lateness(session) == 20_000:
            break
        be_slow(1)
        if number % 4 == 3:  # some are quick all the same
            session.execute(INSERT_ONE)
    assert recorded_and_pending(session)[1] == 0
    assert session.execute(APPENDS).fetchone() == (True,)
    session.execute(UNTIL, (60,))
    for account_id in ZONES:
        write(session, account_id=account_id)
    assert recorded_and_pending(session)[1] == len(ZONES)
    write(connect(database))
    assert recorded_and_pending(session)[1] <= len(ZONES)
    assert_exact(session)


def test_then_it_tries_again(session: Session, be_slow: Callable[[int], None]) -> None:
    session.execute("SET rollup.lateness = '20000'")
    session.execute(UNTIL, (-1,))
    be_slow(1)
    assert recorded_and_pending(session)[1] == 0
    assert lateness(session) == 20_000
    assert session.execute(APPENDS).fetchone() == (True,)


def pending_of(session: Session, account_id: int) -> int:
    [found] = session.execute(
        "SELECT count(*) FROM rollup.pending_events p WHERE p.account_id = %s", (account_id,)
    ).fetchone()
    return int(found)


def write_until_in_time(session: Session) -> None:
    """Write until lateness is made up for; the first events have to be planned, and are slow."""
    for _ in range(200):
        write(session)
        if lateness(session) == 0:
            return
    raise AssertionError("lateness is not made up for")


def test_lateness_is_made_up_for(session: Session) -> None:
    session.execute("SET rollup.lateness = '5000'")
    write_until_in_time(session)
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_a_few_slow_events_are_not_enough(session: Session, be_slow: Callable[[int], None]) -> None:
    be_slow(10)
    assert lateness(session) == 12_000
    assert session.execute("SELECT current_setting('rollup.append_until', true)").fetchone() == (
        None,
    )
    write(session)
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_what_a_transaction_found_slow_is_forgotten_when_it_is_rolled_back(
    session: Session,
) -> None:
    with session.transaction(force_rollback=True):
        session.execute(UNTIL, (60,))
        write(session)
        assert recorded_and_pending(session)[1] == 1
    write(session)
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_a_session_that_is_no_longer_slow_folds_what_its_account_has_left_behind(
    session: Session,
) -> None:
    session.execute(UNTIL, (60,))
    write(session)
    write(session, account_id=2)
    session.execute(NEXT, (5000,))  # further back than others look
    write(session, account_id=2)
    session.execute(UNTIL, (-1,))
    session.execute("SET rollup.lateness = '1000'")
    write_until_in_time(session)
    assert recorded_and_pending(session)[1] == 2
    assert_exact(session)


def test_of_that_each_event_folds_five_hundred_at_most(session: Session) -> None:
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        mix(session, 6000)
    session.execute(UNTIL, (-1,))
    session.execute("SET rollup.lateness = '1'")
    before = pending_of(session, 1)
    assert before > 1000
    while before:
        write(session)
        after = pending_of(session, 1)
        assert after >= before - 500
        before = after
    write_until_in_time(session)
    assert session.execute("SELECT current_setting('rollup.append_until')").fetchone() == ("",)
    assert_exact(session)


def test_what_is_appended_meanwhile_is_folded_in_turn(session: Session) -> None:
    session.execute(UNTIL, (60,))
    session.execute(NEXT, (22 * 512 - 3,))
    ids = [write(session, account_id=account_id) for account_id in (1, 3, 1)]
    assert recorded_and_pending(session)[1] == 3
    write(session, account_id=3)
    assert recorded_and_pending(session)[1] == 2
    session.execute(NEXT, (38 * 512 - 1,))
    session.execute("DELETE FROM public.reporting_events WHERE id = %s", (ids[0],))
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session, account_id=1)
    assert recorded_and_pending(session)[1] == 4
    assert_exact(session)


def test_statements_of_many_events_are_recorded_all_the_same(session: Session) -> None:
    session.execute(UNTIL, (60,))
    mix(session, 100)
    assert recorded_and_pending(session)[1] < 100
    assert_exact(session)


def test_a_clock_that_is_set_back_fails_no_write(session: Session) -> None:
    noted = session.execute("SELECT rollup.note_pace(1, interval '-1 year')").fetchone()
    assert noted == (False,)
