"""Deploying and looking as the role, in the session and beside the work that there happen to be."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.conninfo import make_conninfo

from generator.database.connection import connect as connect_as_product
from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support.events import desk, mix
from tests.support.foreign import PAGE_VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
AT_ONCE = Patience(lock_timeout=0.05, attempts=1)
SETTINGS = (
    "-c search_path=rollup,public -c quote_all_identifiers=on -c TimeZone=Asia/Tokyo"
    " -c DateStyle=German -c IntervalStyle=iso_8601 -c extra_float_digits=-3"
)


def hint_of_a_failure(dsn: str) -> str:
    with pytest.raises(DatabaseError) as error:
        deploy(dsn, REGISTRY, patience=AT_ONCE)
    return error.value.hint or ""


def test_nothing_looks_outdated_to_a_session_with_other_settings(database: str) -> None:
    with connect_as_product(make_conninfo(database, options=SETTINGS)) as session:
        assert inspect(session, REGISTRY).is_current


def test_nothing_looks_outdated_either_where_events_have_a_zone(
    empty_database: str, connect: Connect
) -> None:
    PAGE_VIEWS.create(connect(empty_database))
    deploy(empty_database, PAGE_VIEWS.registry)
    with connect_as_product(make_conninfo(empty_database, options=SETTINGS)) as session:
        assert inspect(session, PAGE_VIEWS.registry).is_current
        assert session.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)


@pytest.fixture
def tenant(reference_database: str, connect: Connect) -> Iterator[str]:
    """Give a role that owns the tables of the application, and may not create schemas."""
    session = connect(reference_database)
    name, password = f"rollups_test_{secrets.token_hex(4)}", secrets.token_hex(8)
    session.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD '{password}';"
        f"GRANT CREATE ON SCHEMA public TO {name};"
        f"ALTER TABLE public.reporting_events OWNER TO {name};"
        f"ALTER TABLE public.accounts OWNER TO {name}"
    )
    yield make_conninfo(reference_database, user=name, password=password)
    session.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
    session.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_an_empty_schema_that_was_made_for_the_role_will_do(
    tenant: str, reference_database: str, connect: Connect
) -> None:
    with pytest.raises(DatabaseError, match="may not create a schema"):
        deploy(tenant, REGISTRY)
    owner = connect(tenant).info.user
    connect(reference_database).execute(f"CREATE SCHEMA rollup AUTHORIZATION {owner}")
    assert deploy(tenant, REGISTRY).changes
    assert inspect(connect(tenant), REGISTRY).is_current


def test_a_reader_of_events_does_not_block_a_replacement_of_triggers(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    readers = [connect(database, autocommit=False) for _ in range(2)]
    readers[0].execute("SELECT FROM public.reporting_events")
    readers[1].execute("SELECT FROM public.reporting_events FOR UPDATE")
    writer = connect(database, autocommit=False)
    writer.execute("LOCK TABLE public.reporting_events IN ROW EXCLUSIVE MODE")
    hint = hint_of_a_failure(database)
    assert f"process {writer.info.backend_pid} " in hint
    assert not any(f"process {one.info.backend_pid} " in hint for one in readers)
    writer.rollback()
    assert deploy(database, REGISTRY, patience=AT_ONCE).changes


def test_a_rebuild_that_is_in_the_way_is_named_and_holds_up_no_writer(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute("ALTER FUNCTION rollup.reporting_events_after_delete() RESET search_path")
    rebuilder = connect(database, autocommit=False)
    rebuilder.execute("SELECT rollup.rebuild(1)")
    assert f"process {rebuilder.info.backend_pid} " in hint_of_a_failure(database)
    mix(session)
    rebuilder.rollback()
    assert deploy(database, REGISTRY).coverage_voided


def test_a_session_that_reads_a_view_that_is_to_be_replaced_is_named(
    database: str, connect: Connect
) -> None:
    connect(database).execute(
        "CREATE OR REPLACE VIEW rollup.current_members AS"
        " SELECT * FROM rollup.distinct_members WHERE occurrences > 1"
    )
    reader = connect(database, autocommit=False)
    reader.execute("SELECT FROM rollup.current_members")
    assert f"process {reader.info.backend_pid} " in hint_of_a_failure(database)
