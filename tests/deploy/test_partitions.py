"""Events in partitions: each gets triggers, because statements that name it fire no others."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.database.patience import Patience
from generator.deploy.deploy import Deployment, deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support.events import desk, mix
from tests.support.layouts import APRIL, PARTITIONED
from tests.support.oracle import assert_exact, assert_exact_where_covered, differences
from tests.support.roles import new_roles
from tests.support.waiting import PATIENCE, PAUSE

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
NOTHING = Deployment()

TABLES = {
    "public.reporting_events",
    '"Old ones"."Until March 9th"',
    "public.march",
    "public.march_of_2",
    "public.march_of_others",
}
INTO_APRIL = """
INSERT INTO public.april (name, account_id, created_at, updated_at)
VALUES ('first_response', 1, '2026-04-02', '2026-04-02')
"""
WAITS = """
SELECT EXISTS (
    SELECT FROM pg_locks l WHERE l.relation = 'public.april'::regclass AND NOT l.granted
)
"""
WRITES = {
    "an insert": "INSERT INTO public.march_of_2 TABLE public.march_of_2",
    "an update": "UPDATE public.march SET value = value + 1, user_id = 1",
    "an update of the whole": "UPDATE public.reporting_events SET user_id = 2",
    "a move to another partition": "UPDATE public.reporting_events SET created_at = '2026-03-08'",
    "a move below a partition": "UPDATE public.march SET account_id = 2 WHERE account_id = 1",
    "a delete": 'DELETE FROM "Old ones"."Until March 9th" WHERE account_id = 1',
    "a delete in the whole": "DELETE FROM public.reporting_events WHERE account_id = 1",
    "a truncate of a leaf": "TRUNCATE public.march_of_others",
    "a truncate of a branch": "TRUNCATE public.march",
    "a truncate of the whole": "TRUNCATE public.reporting_events",
}


@pytest.fixture
def session(reference_database: str, connect: Connect) -> Session:
    """Connect to a database whose events are in partitions, deployed, with events, all covered."""
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, REGISTRY)
    desk(session)
    mix(session)
    return session


def stale(session: Session) -> set[tuple[str | None, str]]:
    objects = inspect(session, REGISTRY).objects
    return {(one.table, one.status) for one in objects if one.status != "CURRENT"}


def covered(session: Session) -> list[str]:
    rows = session.execute("SELECT DISTINCT v.covered::text FROM rollup.coverage v")
    return [days for [days] in rows]


def is_covered(session: Session) -> bool:
    [[covered]] = session.execute("SELECT DISTINCT v.covered::text FROM rollup.coverage v")
    return bool(covered == "{(,)}")


def test_every_partition_gets_the_triggers_of_its_table(
    session: Session, reference_database: str
) -> None:
    on = [one.table for one in inspect(session, REGISTRY).objects if one.kind == "trigger"]
    assert set(on) == TABLES | {"public.accounts"}
    assert all(on.count(table) == 4 for table in TABLES)
    assert inspect(session, REGISTRY).is_current
    assert deploy(reference_database, REGISTRY) == NOTHING
    assert_exact(session)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_statement_on_any_part_is_exact(write: str, session: Session) -> None:
    session.execute(write)
    assert_exact_where_covered(session)
    if write.startswith("TRUNCATE public.march"):
        assert not is_covered(session)
        session.execute("CALL rollup.backfill()")
    assert_exact(session)
    assert is_covered(session)


def test_a_partition_made_later_is_missing_triggers_until_the_next_deploy(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL)
    assert stale(session) == {("public.april", "MISSING")}
    session.execute(
        "INSERT INTO public.april (name, account_id, created_at, updated_at)"
        " VALUES ('first_response', 1, '2026-04-02', '2026-04-02')"
    )
    assert len(deploy(reference_database, REGISTRY).changes) == 4
    assert stale(session) == set()
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_new_partition_that_nothing_was_written_to_leaves_all_days_covered(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL)
    done = deploy(reference_database, REGISTRY)
    assert len(done.changes) == 4
    assert not done.coverage_voided
    assert is_covered(session)
    session.execute(INTO_APRIL)
    assert_exact(session)


def test_a_partition_dropped_and_made_again_is_gone_and_the_new_one_voids_nothing(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL)
    deploy(reference_database, REGISTRY)
    session.execute(INTO_APRIL)
    session.execute("DROP TABLE public.april")
    session.execute(APRIL)
    done = deploy(reference_database, REGISTRY)
    assert not done.coverage_voided
    assert [line.split(" is gone ")[0] for line in done.gone] == ["partition public.april"]
    session.execute("SELECT rollup.forget_partition('public.april', keep_totals => false)")
    session.execute("CALL rollup.backfill()")
    assert deploy(reference_database, REGISTRY).gone == ()
    assert_exact(session)


def test_an_event_written_to_a_new_partition_and_deleted_by_its_parent_voids_coverage(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL)
    session.execute(INTO_APRIL)
    session.execute("DELETE FROM public.reporting_events WHERE created_at >= '2026-04-01'")
    assert differences(session)
    assert deploy(reference_database, REGISTRY).coverage_voided
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_writer_that_is_first_to_write_to_a_new_partition_is_not_missed(
    session: Session, reference_database: str, connect: Connect
) -> None:
    session.execute(APRIL)
    writer = connect(reference_database, autocommit=False)
    writer.execute("LOCK TABLE public.april IN ROW EXCLUSIVE MODE")
    patience = Patience(lock_timeout=30, attempts=1)
    with ThreadPoolExecutor(1) as executor:
        deployment = executor.submit(deploy, reference_database, REGISTRY, patience=patience)
        deadline = time.monotonic() + PATIENCE
        while session.execute(WAITS).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(PAUSE)
        writer.execute(INTO_APRIL)
        writer.commit()
        assert deployment.result(PATIENCE).coverage_voided
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_table_that_inherits_leaves_all_days_covered_only_where_nothing_was_written_to_it(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("CREATE TABLE public.child () INHERITS (public.reporting_events)")
    assert not deploy(database, REGISTRY).coverage_voided
    session.execute(INTO_APRIL.replace("april", "child"))
    assert_exact(session)
    session.execute("CREATE TABLE public.other () INHERITS (public.reporting_events)")
    session.execute(INTO_APRIL.replace("april", "other"))
    assert deploy(database, REGISTRY).coverage_voided
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_table_of_events_that_is_attached_is_counted_after_a_backfill(
    session: Session, reference_database: str
) -> None:
    session.execute("CREATE TABLE public.april (LIKE public.reporting_events)")
    session.execute(
        "INSERT INTO public.april (id, name, account_id, created_at, updated_at)"
        " SELECT i, 'first_response', 1 + i % 3, '2026-04-02', '2026-04-02'"
        " FROM generate_series(1, 10) i"
    )
    session.execute(
        "ALTER TABLE public.reporting_events ATTACH PARTITION public.april"
        " FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')"
    )
    assert differences(session)
    deploy(reference_database, REGISTRY)
    assert covered(session) == ["{(,2026-03-31),[2026-05-02,)}"]
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_partition_filled_before_its_deployment_voids_its_days_alone(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL.replace("MAXVALUE", "'2026-05-01'"))
    session.execute(INTO_APRIL)
    assert deploy(reference_database, REGISTRY).coverage_voided
    assert covered(session) == ["{(,2026-03-31),[2026-05-02,)}"]
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    assert is_covered(session)


def test_a_partition_attached_again_voids_its_days_alone(
    session: Session, reference_database: str
) -> None:
    session.execute("ALTER TABLE public.reporting_events DETACH PARTITION public.march")
    deploy(reference_database, REGISTRY)
    session.execute("DELETE FROM public.march_of_2")
    session.execute(
        "ALTER TABLE public.reporting_events ATTACH PARTITION public.march"
        " FOR VALUES FROM ('2026-03-09') TO ('2026-04-01')"
    )
    done = deploy(reference_database, REGISTRY)
    assert done.coverage_voided
    assert done.gone == ()
    assert covered(session) == ["{(,2026-03-08),[2026-04-02,)}"]
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_partition_that_is_detached_loses_its_triggers_and_no_day_its_coverage(
    session: Session, reference_database: str
) -> None:
    session.execute("ALTER TABLE public.march DETACH PARTITION public.march_of_others")
    assert stale(session) == {("public.march_of_others", "ORPHANED")}
    done = deploy(reference_database, REGISTRY)
    assert stale(session) == set()
    assert not done.coverage_voided
    assert is_covered(session)
    session.execute("DELETE FROM public.march_of_others")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="march_of_others"):
        session.execute("SELECT rollup.rebuild()")
    session.execute(
        "SELECT rollup.forget_partition('public.march_of_others', keep_totals => false)"
    )
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_days_of_a_partition_with_a_trigger_off_are_not_covered_and_others_are(
    session: Session, reference_database: str
) -> None:
    session.execute(APRIL.replace("MAXVALUE", "'2026-05-01'"))
    assert covered(session) == ["{(,2026-03-31),[2026-05-02,)}"]
    deploy(reference_database, REGISTRY)
    assert is_covered(session)
    session.execute("ALTER TABLE public.april DISABLE TRIGGER rollup_after_insert")
    session.execute(INTO_APRIL)
    assert covered(session) == ["{(,2026-03-31),[2026-05-02,)}"]
    assert_exact_where_covered(session)
    for statement in ("SELECT rollup.rebuild()", "CALL rollup.backfill()"):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=r"public\.april"):
            session.execute(statement)
    deploy(reference_database, REGISTRY)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    assert is_covered(session)


def test_a_table_that_inherits_from_two_leaves_no_day_covered(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute(
        "CREATE TABLE public.base (LIKE public.reporting_events INCLUDING DEFAULTS);"
        "CREATE TABLE public.child () INHERITS (public.reporting_events, public.base)"
    )
    with pytest.raises(DatabaseError, match=r"public\.child is below public\.base"):
        deploy(database, REGISTRY)
    assert not is_covered(session)
    session.execute("ALTER TABLE public.child NO INHERIT public.base")
    deploy(database, REGISTRY)
    session.execute("CALL rollup.backfill()")
    assert is_covered(session)


@pytest.mark.parametrize("damage", ["SELECT", "ALTER TABLE public.march DISABLE TRIGGER USER"])
def test_a_reader_of_a_view_on_coverage_needs_no_right_to_a_schema(
    damage: str, session: Session, reference_database: str, connect: Connect
) -> None:
    session.execute("CREATE SCHEMA shown; CREATE VIEW shown.days AS TABLE rollup.coverage")
    session.execute(damage)
    expected = session.execute("SELECT d.covered::text FROM shown.days d").fetchall()
    with new_roles(session, reference_database) as [reader]:
        session.execute(f"GRANT USAGE ON SCHEMA shown TO {reader.name}")
        session.execute(f"GRANT SELECT ON shown.days TO {reader.name}")
        session.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
        reading = connect(reader.dsn)
        assert reading.execute("SELECT d.covered::text FROM shown.days d").fetchall() == expected
        reading.close()
