"""Deployments beside writers, and deployments that are killed: the old state or the new one."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.types.json import Jsonb

from generator.database.locks import DEPLOY_KEY, LOCK_CLASS
from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support.events import ZONES, desk, mix, write
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
OLD = dataclasses.replace(
    REGISTRY, measures=REGISTRY.measures[:1], events=REGISTRY.events[1:], reports=()
)
"""What was deployed before: it counts less, and its tables lack columns."""

AT_ONCE = Patience(lock_timeout=0.05, attempts=1)
PATIENCE = 30.0  # seconds, after which a test has failed

DEPLOY = [sys.executable, "-m", "generator", "deploy", "--lock-timeout", "60"]

WRITER_HOLDS = "LOCK TABLE public.reporting_events IN ROW EXCLUSIVE MODE"

POINTS = {
    "another deployment": f"SELECT pg_advisory_lock({LOCK_CLASS}, {DEPLOY_KEY})",
    "migrations": "LOCK TABLE rollup._yoyo_migration",
    "a reader of the rollup table": "LOCK TABLE public.reporting_events_rollups IN ROW SHARE MODE",
    "a reader of pending events": "LOCK TABLE rollup.pending_events IN ROW SHARE MODE",
    "a user of a view": "LOCK TABLE rollup.current_rollups IN ACCESS SHARE MODE",
    "a writer of accounts": "UPDATE public.accounts SET name = 'another'",
    "a writer of events": WRITER_HOLDS,
}
"""What a deployment may be waiting for, from its first step to its last."""

WAITING = """
SELECT a.pid
FROM pg_stat_activity a
WHERE a.datname = current_database()
AND a.pid <> pg_backend_pid()
AND cardinality(pg_blocking_pids(a.pid)) > 0
"""


@pytest.fixture
def old(reference_database: str, connect: Connect) -> Session:
    """Connect to a database with the old registry, events, and an account still to be followed."""
    deploy(reference_database, OLD)
    session = desk(connect(reference_database))
    mix(session)
    session.execute("ALTER TABLE public.accounts DISABLE TRIGGER rollup_after_insert")
    session.execute(
        "INSERT INTO public.accounts (id, settings) VALUES (1, %s), (9, '{}')",
        (Jsonb({"reporting_timezone": ZONES[1]}),),
    )
    return session


def awaited(watcher: Session, query: str) -> int:
    """Wait until a process is found, and return its id."""
    deadline = time.monotonic() + PATIENCE
    while not (row := watcher.execute(query).fetchone()):
        assert time.monotonic() < deadline, "no such process"
        time.sleep(0.01)
    return int(row[0])


def assert_old_state_works(session: Session) -> None:
    write(session)
    mix(session)
    session.execute("DELETE FROM public.reporting_events WHERE id % 7 = 0")
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


@pytest.mark.parametrize("how", ["killed", "its session terminated"])
@pytest.mark.parametrize("point", POINTS)
def test_a_deploy_that_dies_waiting_leaves_the_old_state_and_the_next_one_completes(
    point: str, how: str, old: Session, reference_database: str, connect: Connect
) -> None:
    holder = connect(reference_database, autocommit=False)
    holder.execute(POINTS[point])
    command = [*DEPLOY, "--database-url", reference_database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        waiting = awaited(old, WAITING)
        if how == "killed":
            process.send_signal(signal.SIGKILL)
        else:
            old.execute("SELECT pg_terminate_backend(%s)", (waiting,))
        output = process.communicate(timeout=PATIENCE)[0].decode()
    assert "Traceback" not in output
    assert process.returncode == (-signal.SIGKILL if how == "killed" else 1)
    holder.rollback()
    holder.close()
    assert_old_state_works(old)
    assert deploy(reference_database, REGISTRY).changes
    assert inspect(old, REGISTRY).is_current
    assert_exact_where_covered(old)
    old.execute("CALL rollup.backfill()")
    mix(old)
    assert_exact(old)


def test_tables_that_a_failed_deploy_has_made_anew_are_not_called_covered(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("DROP TABLE public.reporting_events_rollups CASCADE")
    holder = connect(database, autocommit=False)
    holder.execute("LOCK TABLE rollup.pending_events")
    with pytest.raises(DatabaseError):
        deploy(database, REGISTRY, patience=AT_ONCE)
    holder.rollback()
    deploy(database, REGISTRY)
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


@pytest.mark.parametrize("reason", ["more is counted", "a function was replaced"])
def test_days_are_not_covered_by_a_rebuild_that_began_before_a_deploy(
    reason: str, reference_database: str, connect: Connect
) -> None:
    deployed = REGISTRY
    if reason == "more is counted":
        deployed = dataclasses.replace(OLD, measures=REGISTRY.measures)
    deploy(reference_database, deployed)
    session = desk(connect(reference_database))
    mix(session)
    if reason == "a function was replaced":
        session.execute("ALTER FUNCTION rollup.reporting_events_after_insert() RESET search_path")
    session.execute(
        "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = 1"
    )
    holder = connect(reference_database, autocommit=False)
    holder.execute("SELECT FROM public.reporting_events_rollups FOR UPDATE")
    rebuilder = connect(reference_database)
    with waiting(session, rebuilder, "SELECT rollup.rebuild(1)"):
        write(session, account_id=1)
        deploy(reference_database, REGISTRY, report=lambda line: holder.rollback())
        holder.rollback()
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_deploy_that_cannot_have_its_lock_names_the_session_that_holds_it(
    old: Session, reference_database: str, connect: Connect
) -> None:
    writer = connect(reference_database, autocommit=False)
    writer.execute(WRITER_HOLDS)
    said: list[str] = []
    patience = Patience(lock_timeout=0.05, attempts=3)
    with pytest.raises(DatabaseError, match="3 attempts") as error:
        deploy(reference_database, REGISTRY, patience=patience, report=said.append)
    assert [line.partition("attempt ")[2] for line in said] == ["1 of 3", "2 of 3", "3 of 3"]
    assert f"process {writer.info.backend_pid} of {writer.info.user}" in (error.value.hint or "")
    writer.rollback()
    assert_old_state_works(old)


def test_the_session_that_holds_the_lock_is_named_among_many_that_do_not(
    old: Session, reference_database: str, connect: Connect
) -> None:
    for _ in range(6):
        reader = connect(reference_database, autocommit=False)
        reader.execute("SELECT FROM public.conversations")
    writer = connect(reference_database, autocommit=False)
    writer.execute(WRITER_HOLDS)
    with pytest.raises(DatabaseError) as error:
        deploy(reference_database, REGISTRY, patience=AT_ONCE)
    assert f"process {writer.info.backend_pid} " in (error.value.hint or "")
    assert f"process {reader.info.backend_pid} " not in (error.value.hint or "")


def test_a_prepared_transaction_that_is_in_the_way_is_named(
    old: Session, reference_database: str, connect: Connect
) -> None:
    writer = connect(reference_database, autocommit=False)
    writer.tpc_begin("forgotten by its application")
    write(writer)
    writer.tpc_prepare()
    try:
        with pytest.raises(DatabaseError) as error:
            deploy(reference_database, REGISTRY, patience=AT_ONCE)
        assert "forgotten by its application" in (error.value.hint or "")
    finally:
        old.execute("ROLLBACK PREPARED 'forgotten by its application'")


@pytest.fixture
def blocked(old: Session, reference_database: str, connect: Connect) -> Iterator[Session]:
    """Connect as a writer of events that does not end its transaction."""
    writer = connect(reference_database, autocommit=False)
    write(writer)
    yield writer
    writer.close()


def test_a_deploy_goes_on_once_a_writer_lets_it(
    blocked: Session, old: Session, reference_database: str
) -> None:
    said: list[str] = []

    def report(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            blocked.commit()

    patience = Patience(lock_timeout=0.2, attempts=10)
    assert deploy(reference_database, REGISTRY, patience=patience, report=report).changes
    assert len(said) == 2
    old.execute("CALL rollup.backfill()")
    assert_exact(old)


@pytest.mark.parametrize("table", ["reporting_events", "accounts"])
def test_writers_never_wait_longer_for_a_deploy_than_one_attempt_lasts(
    table: str, blocked: Session, old: Session, reference_database: str, connect: Connect
) -> None:
    """Beside a transaction that lasts, others go on: delayed, at worst, by one attempt."""
    patience = Patience(lock_timeout=0.3, attempts=5)
    said: list[tuple[float, str]] = []
    waits: list[tuple[float, float]] = []
    writer = connect(reference_database)

    def report(line: str) -> None:
        said.append((time.monotonic(), line))

    with ThreadPoolExecutor(1) as pool:
        deployment = pool.submit(
            deploy, reference_database, REGISTRY, patience=patience, report=report
        )
        while not deployment.done():
            begun = time.monotonic()
            if table == "accounts":
                writer.execute("UPDATE public.accounts SET name = 'again' WHERE id = 9")
            else:
                write(writer, account_id=2)
            waits.append((begun, time.monotonic() - begun))
        with pytest.raises(DatabaseError):
            deployment.result()
    assert len(said) == 5
    assert max(wait for _, wait in waits) < patience.lock_timeout + 1
    for (earlier, _), (later, _) in pairwise(said):
        assert any(earlier < begun < later for begun, _ in waits)
    blocked.rollback()
    assert_old_state_works(old)
