"""A backfill over several connections: quick, considerate, and whole whatever happens to it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.locks import LOCK_CLASS
from generator.errors import DatabaseError
from generator.operate import backfill
from generator.operate.pace import Pace
from tests.support.command import fail, run, succeed, terminal
from tests.support.events import ZONES, mix
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.waiting import PATIENCE, PAUSE, SLOT_WAITERS, await_slot_waiters

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

COVERED = "SELECT a.account_id FROM rollup.accounts a WHERE a.covered = '{(,)}' ORDER BY 1"

HOLD = "SELECT pg_advisory_lock(%s, %s)"

WATCHES_LOAD = """
SELECT EXISTS (
    SELECT
    FROM pg_stat_activity a
    WHERE a.datname = current_database()
    AND a.application_name = 'reporting-rollups'
    AND a.query LIKE '%pg_stat_activity%'
)
"""

KILL = """
SELECT pg_terminate_backend(l.pid)
FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database()
AND l.locktype = 'advisory'
AND NOT l.granted
"""


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with the history of forty accounts, none of it backfilled."""
    session = connect(database)
    session.execute("SET session_replication_role = replica")
    mix(session, 400)
    session.execute("UPDATE public.reporting_events SET account_id = id % 40")
    session.execute("RESET session_replication_role")
    for account in range(40):
        zone = ZONES[1 + account % 3]
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    return session


def covered(session: Session) -> set[int]:
    return {account for (account,) in session.execute(COVERED)}


def await_true(session: Session, query: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while session.execute(query).fetchone() != (True,):
        assert time.monotonic() < deadline, "it does not come true"
        time.sleep(PAUSE)


@pytest.mark.parametrize(("jobs", "size"), [("1", "1000000"), ("4", "7"), ("3", "60"), ("64", "1")])
def test_any_number_of_jobs_makes_everything_exact(
    jobs: str, size: str, session: Session, database: str
) -> None:
    done = run("backfill", "--jobs", jobs, "--chunk-events", size, on=database)
    assert done.exit_code == 0, done.output
    assert "backfilled 343 events in " in done.stdout
    assert covered(session) == set(range(40))
    assert_exact(session)
    assert threading.active_count() == 1


def test_accounts_go_on_beside_one_that_a_session_writes_to(
    session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute(HOLD, (LOCK_CLASS, 2))
    with ThreadPoolExecutor(1) as executor:
        done = executor.submit(
            succeed, "backfill", "--jobs", "2", "--chunk-events", "7", on=database
        )
        await_true(session, "SELECT count(*) = 39 FROM rollup.accounts a WHERE a.covered = '{(,)}'")
        await_slot_waiters(session)
        assert covered(session) == set(range(40)) - {2}
        assert_exact_where_covered(session)
        holder.close()
        done.result(PATIENCE)
    assert_exact(session)


def test_the_newest_days_of_all_accounts_come_first(session: Session) -> None:
    chunks = backfill.plan(session, chunk_events=1, newest_first=True)
    untils = [chunk.until for chunk in chunks]
    assert untils[:40] == [None] * 40
    assert untils[40:] == sorted(filter(None, untils[40:]), key=str, reverse=True)
    assert len({chunk.account_ids for chunk in chunks[:40]}) == 40


def test_a_failure_of_one_job_stops_the_others_and_what_is_done_is_kept(
    session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute(HOLD, (LOCK_CLASS, 2))
    holder.execute(HOLD, (LOCK_CLASS, 3))
    with ThreadPoolExecutor(1) as executor:
        done = executor.submit(fail, "backfill", "--jobs", "2", "--chunk-events", "7", on=database)
        await_slot_waiters(session, 2)
        before = covered(session)
        session.execute(KILL)
        said = done.result(PATIENCE)
    assert "what is done is kept" in said
    assert "run the same command again to go on" in said
    assert covered(session) == before
    assert session.execute(SLOT_WAITERS).fetchone() == (0,)
    holder.close()
    succeed("backfill", "--jobs", "2", on=database)
    assert covered(session) == set(range(40))
    assert_exact(session)


def test_interrupting_several_jobs_is_quick_and_leaves_no_session(
    session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute(HOLD, (LOCK_CLASS, 2))
    holder.execute(HOLD, (LOCK_CLASS, 3))
    with terminal(
        *("backfill", "--yes", "--jobs", "2", "--chunk-events", "7"), on=database
    ) as screen:
        await_slot_waiters(session, 2)
        assert screen.type("\x03").end() == 130
    assert "interrupted; what is done is kept" in screen.shown
    assert "Traceback" not in screen.shown
    assert session.execute(SLOT_WAITERS).fetchone() == (0,)
    assert_exact_where_covered(session)


def test_a_chunk_that_takes_too_long_is_undone_and_said(
    session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute(HOLD, (LOCK_CLASS, 2))
    said = fail(
        *("backfill", "--account", "2", "--chunk-timeout", "0.05", "--chunk-events", "7"),
        on=database,
    )
    assert "a chunk took longer than 0.05 s, and was undone" in said
    assert "--chunk-events" in said
    assert covered(session) == set()


def test_a_backfill_waits_while_others_are_busy(
    session: Session, database: str, connect: Connect
) -> None:
    holder, busy = connect(database), connect(database)
    holder.execute(HOLD, (0, 0))
    with ThreadPoolExecutor(2) as executor:
        executor.submit(busy.execute, HOLD, (0, 0))
        await_slot_waiters(session)
        done = executor.submit(succeed, "backfill", "--max-load", "0", on=database)
        await_true(session, WATCHES_LOAD)
        assert covered(session) == set()
        assert not done.done()
        holder.close()
        done.result(PATIENCE)
    assert covered(session) == set(range(40))


def test_a_role_that_may_not_see_the_load_is_told(
    session: Session, database: str, connect: Connect
) -> None:
    other = connect(database)
    with session.transaction(force_rollback=True):
        session.execute("CREATE ROLE blind")
        session.execute("SET LOCAL ROLE blind")
        with pytest.raises(DatabaseError, match="may not see what other sessions do") as error:
            Pace(max_load=3).await_room(session, threading.Event())
    assert "pg_read_all_stats" in (error.value.hint or "")
    other.close()


def test_pauses_end_when_the_backfill_is_stopped(session: Session, database: str) -> None:
    chunks = backfill.plan(session, chunk_events=7)
    results = backfill.run(database, chunks, jobs=2, pace=Pace(pause=3600))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == 1
    assert_exact_where_covered(session)
