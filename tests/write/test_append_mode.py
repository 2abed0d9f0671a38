"""The write mode that queues events: a session holds a slot only to fold, and all stays exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.operate.status import inspect
from tests.support.events import ZONES, desk, mix, recorded_and_pending, write
from tests.support.oracle import assert_exact
from tests.support.write_modes import APPENDING, FOLD_AS_EVER, INLINE

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = [
    pytest.mark.every_version,
    pytest.mark.parametrize("database", ["appending_template"], ids=["append"], indirect=True),
]

SLOTS_HELD = """
SELECT count(*)
FROM pg_locks l
WHERE l.locktype = 'advisory'
AND l.pid = pg_backend_pid()
"""

TURN = 512
"""Events after which a writer folds."""

MOST = 2048
"""Events that one statement folds at most."""

TURN_OF_1_AND_2 = 16 + 6
"""A turn of the sixteenth that these accounts are in; account 3 is in the next one."""

MANY = """
INSERT INTO public.reporting_events (
    name, value, account_id, user_id, created_at, updated_at
)
SELECT
    'reply_time', 5, 1 + %(step)s * (i %% %(accounts)s), i %% 7,
    timestamp '2026-03-10' + i * interval '1 minute', '2026-03-10'
FROM generate_series(1, %(events)s) i
"""

NEXT = "SELECT setval('rollup.pending_events_id_seq', %s, false)"


def accounts_pending(session: Session) -> list[int]:
    found = session.execute(
        "SELECT DISTINCT p.account_id FROM rollup.pending_events p ORDER BY p.account_id"
    )
    return [account_id for [account_id] in found.fetchall()]


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    session = desk(connect(database))
    session.execute(FOLD_AS_EVER)
    return session


def test_events_are_set_aside_and_counted_at_once(session: Session) -> None:
    with session.transaction():
        write(session)
        write(session, name="conversation_bot_handoff")
        recorded, pending = recorded_and_pending(session)
        assert (recorded, pending) == (0, 2)
        assert_exact(session)
    assert_exact(session)


def test_events_that_are_not_counted_are_not_queued(session: Session) -> None:
    session.execute("SELECT rollup.fold()")
    write(session, name="conversation_opened")
    session.execute("UPDATE public.reporting_events SET value = 3")
    session.execute("DELETE FROM public.reporting_events")
    assert recorded_and_pending(session) == (0, 0)


def test_a_writer_that_completes_a_turn_folds_a_sixteenth_of_the_accounts(session: Session) -> None:
    write(session, account_id=1)
    session.execute(NEXT, (5 * TURN - 1,))
    write(session, account_id=3)
    write(session, account_id=2)
    assert accounts_pending(session) == [1, 2, 3]
    session.execute(NEXT, (TURN_OF_1_AND_2 * TURN - 2,))
    mix(session, 20)
    assert accounts_pending(session) == [3]
    assert_exact(session)


def test_accounts_with_the_same_last_bits_have_different_turns(session: Session) -> None:
    for _ in range(40):
        session.execute(MANY, {"events": TURN, "step": 16, "accounts": 200})
    assert recorded_and_pending(session)[1] < 20 * TURN


def test_the_smallest_account_id_fails_no_writer(session: Session, database: str) -> None:
    session.execute("ALTER TABLE public.accounts ALTER id TYPE bigint")
    session.execute("ALTER TABLE public.reporting_events ALTER account_id TYPE bigint")
    deploy(database, APPENDING)
    write(session, account_id=-(2**63))
    session.execute(NEXT, (TURN_OF_1_AND_2 * TURN,))
    write(session, account_id=1)
    assert accounts_pending(session) == [-(2**63)]
    assert_exact(session)


def test_accounts_with_half_of_a_turn_are_folded_in_every_turn(session: Session) -> None:
    write(session, account_id=2)
    session.execute(NEXT, (5 * TURN - TURN // 2 + 1,))
    for _ in range(TURN // 2 - 1):
        write(session, account_id=1)
    assert recorded_and_pending(session) == (0, TURN // 2)
    write(session, account_id=1)
    assert accounts_pending(session) == [2]
    assert_exact(session)


def test_a_statement_has_all_the_turns_that_it_passes(session: Session) -> None:
    for account_id in (1, 2, 3):
        write(session, account_id=account_id)
    session.execute(NEXT, (TURN_OF_1_AND_2 * TURN - 1,))
    session.execute(MANY, {"events": TURN + 2, "step": 0, "accounts": 1})
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_no_statement_folds_more_than_four_turns_bring(session: Session) -> None:
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.execute(MANY, {"events": 3 * MOST, "step": 0, "accounts": 1})
    for turn in range(20, 23):
        left = recorded_and_pending(session)[1]
        session.execute(NEXT, (turn * TURN,))
        write(session, account_id=1)
        assert recorded_and_pending(session)[1] == left + 1 - MOST
    assert_exact(session)


def test_all_that_came_lately_is_folded_in_time(session: Session) -> None:
    for _ in range(40):
        mix(session, 300)
        assert recorded_and_pending(session)[1] < len(ZONES) * TURN // 2 + TURN
    assert recorded_and_pending(session)[0] > 0
    assert_exact(session)


def test_a_writer_that_cannot_fold_in_its_turn_leaves_it_to_others(
    session: Session, database: str, connect: Connect
) -> None:
    other = connect(database, autocommit=False)
    other.execute("SELECT rollup.lock_record(ARRAY [1::bigint])")
    session.execute(NEXT, (6 * TURN,))
    write(session, account_id=1)
    assert recorded_and_pending(session) == (0, 1)
    other.rollback()
    session.execute(NEXT, (22 * TURN - 1,))
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session, account_id=1)
        write(session, account_id=1)
    assert recorded_and_pending(session) == (0, 3)
    session.execute(NEXT, (38 * TURN - 1,))
    mix(session, 20)
    assert session.execute(
        "SELECT count(*) FROM rollup.pending_events p WHERE p.id = %s", (6 * TURN,)
    ).fetchone() == (1,)
    assert recorded_and_pending(session)[0] > 0
    assert_exact(session)


def test_a_fold_leaves_out_accounts_that_another_session_is_folding(
    session: Session, database: str, connect: Connect
) -> None:
    other = connect(database, autocommit=False)
    other.execute("SELECT rollup.lock_record(ARRAY [1::bigint])")
    for _ in range(300):
        write(session, account_id=1)
        write(session, account_id=2)
    assert session.execute("SELECT rollup.fold()").fetchone() is not None
    left = session.execute("SELECT DISTINCT p.account_id FROM rollup.pending_events p")
    assert left.fetchall() == [(1,)]
    assert_exact(session)
    other.rollback()
    session.execute("SELECT rollup.fold()")
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_a_large_statement_is_queued_whole_and_folded_on_request(
    session: Session,
) -> None:
    mix(session, 20_000)
    assert recorded_and_pending(session)[1] > 10_000
    assert_exact(session)
    while session.execute("SELECT rollup.fold()").fetchone() != (0,):
        pass
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_transactions_above_read_committed_never_fold(session: Session) -> None:
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        for _ in range(200):
            write(session)
        assert session.execute(SLOTS_HELD).fetchone() == (0,)
    assert recorded_and_pending(session) == (0, 200)
    assert_exact(session)


def test_switching_the_mode_is_a_deploy_that_keeps_coverage(
    session: Session, database: str
) -> None:
    mix(session, 100)
    for registry in (INLINE, APPENDING):
        deployment = deploy(database, registry)
        assert deployment.changes == tuple(
            f"replace function rollup.{name}" for name in ("take_in", "take_in_event")
        )
        assert not deployment.coverage_voided
        assert deployment.incomplete == ()
        assert inspect(session, registry).is_current
        mix(session, 50)
        session.execute("UPDATE public.reporting_events SET value = value + 1 WHERE id % 3 = 0")
        session.execute("DELETE FROM public.reporting_events WHERE id % 7 = 0")
        assert_exact(session)


def test_purged_events_stay_counted(session: Session) -> None:
    mix(session, 300)
    before = session.execute(
        "SELECT sum(r.count) FROM rollup.current_rollups r WHERE r.account_id = 2"
    ).fetchone()
    session.execute("CALL rollup.purge_events('2026-03-12', 2)")
    after = session.execute(
        "SELECT sum(r.count) FROM rollup.current_rollups r WHERE r.account_id = 2"
    ).fetchone()
    assert after == before
    assert session.execute("SELECT rollup.drift()").fetchall() == []
