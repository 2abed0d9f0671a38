"""Events in partitions: each gets triggers, for statements that name it fire no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy import Deployment, deploy
from generator.registry import load
from generator.status import inspect
from tests.events import desk, mix
from tests.layouts import APRIL, PARTITIONED
from tests.oracle import assert_exact, assert_exact_where_covered, differences

if TYPE_CHECKING:
    import psycopg

    from tests.databases import Connect

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
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_partition_that_is_detached_loses_its_triggers_and_days_their_coverage(
    session: Session, reference_database: str
) -> None:
    session.execute("ALTER TABLE public.march DETACH PARTITION public.march_of_others")
    assert stale(session) == {("public.march_of_others", "ORPHANED")}
    deploy(reference_database, REGISTRY)
    assert stale(session) == set()
    session.execute("DELETE FROM public.march_of_others")
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
