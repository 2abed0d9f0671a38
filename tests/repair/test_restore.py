"""Dumps and restores by PostgreSQL's own programs: what is whole stays so, the rest is mended.

Events that are purged before a dump are archived, so that the oracle can go on judging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator import registry
from generator.deploy.deploy import deploy
from generator.operate import status
from tests.support import databases, oracle
from tests.support.events import HANDOFF, ZONES, desk, mix, recorded_and_pending, write
from tests.support.oracle import assert_exact, differences
from tests.support.programs import Programs, find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg
    from pytest_postgresql.executors import NoopExecutor

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

DEFAULT = registry.load(None)

ACCOUNT = """
INSERT INTO public.accounts (id, name, settings)
VALUES (%(id)s, 'one', jsonb_build_object('reporting_timezone', %(zone)s::text))
"""
SWITCH = """
ALTER TABLE public.reporting_events DISABLE TRIGGER USER;
ALTER TABLE public.accounts DISABLE TRIGGER USER;
"""

ARCHIVED = oracle.DIFFERENCES.replace(
    b"public.reporting_events e",
    b"(TABLE public.reporting_events UNION ALL TABLE public.archive) e",
)
STATE = """
SELECT 'account', a::text FROM rollup.accounts a
UNION ALL
SELECT 'coverage', v::text FROM rollup.coverage v
UNION ALL
SELECT 'deployment', d::text FROM rollup.deployments d
UNION ALL
SELECT 'pending', p::text FROM rollup.pending_events p
UNION ALL
SELECT 'member', m::text FROM rollup.distinct_members m
UNION ALL
SELECT 'rollup', r::text FROM public.reporting_events_rollups r
ORDER BY 1, 2
"""
COVERED = "SELECT count(*) FROM rollup.coverage WHERE covered = '{(,)}'"
ACCOUNTS, EVENTS, ROLLUPS = "accounts", "reporting_events", "reporting_events_rollups"
DEPLOYMENTS = (
    "--exclude-table=rollup._yoyo*",
    "--exclude-table=rollup.deployments",
    "--exclude-table=rollup.read_columns",
)
WHOLE = {
    ".sql": ("--single-transaction", "--set=ON_ERROR_STOP=1"),
    ".custom": ("--single-transaction", "--exit-on-error"),
}


def kept(session: Session) -> list[tuple[str, str]]:
    """Give what no deployment may change that voids nothing."""
    return [row for row in session.execute(STATE).fetchall() if row[0] != "deployment"]


@pytest.fixture
def source(database: str, connect: Connect) -> Session:
    """Connect to a desk with recorded events, pending ones and memberships, all days covered."""
    session = connect(database)
    for id_, zone in ZONES.items():
        session.execute(ACCOUNT, {"id": id_, "zone": zone})
    session.execute("SELECT rollup.rebuild()")
    mix(session, 200)
    _write_pending(session)
    return session


@pytest.fixture
def programs(source: Session) -> Programs:
    """Give the programs of the server, if they are where we know, and of its version."""
    return find(source)


@pytest.fixture
def deployed(deployed_template: NoopExecutor) -> Iterator[str]:
    """Give the connection string of a second database that was deployed to, without accounts."""
    with databases.clone(deployed_template) as dsn:
        yield dsn


def _write_pending(session: Session) -> None:
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    mix(session, 60)
    session.execute("UPDATE public.reporting_events SET value = 7, user_id = 9 WHERE id % 9 = 0")
    session.execute("DELETE FROM public.reporting_events WHERE id % 7 = 0")
    session.execute("COMMIT")


def _purge(session: Session) -> None:
    """Purge the first days, keeping the events in an archive; one comes late, one changes."""
    session.execute("CREATE TABLE public.archive AS TABLE public.reporting_events")
    session.execute("CALL rollup.purge_events('2026-03-09')")
    session.execute(
        "DELETE FROM public.archive a USING public.reporting_events e WHERE e.id = a.id"
    )
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    write(session, created_at="2026-03-08", name=HANDOFF)
    session.execute("COMMIT")


def _assert_archived_exact(session: Session) -> None:
    assert session.execute(ARCHIVED, {"covered": False}).fetchall() == []


def _go_on(session: Session) -> None:
    """Write, in place and pending, and fold: whatever would betray a record that is not whole."""
    mix(session, 50)
    _write_pending(session)
    session.execute("UPDATE public.reporting_events SET conversation_id = 1, inbox_id = 4")
    session.execute("SELECT rollup.fold()")
    session.execute("DELETE FROM public.reporting_events WHERE id % 4 = 0")
    assert recorded_and_pending(session)[1] == 0


def _deploy_and_backfill(session: Session, dsn: str) -> None:
    deploy(dsn, DEFAULT)
    assert status.inspect(session, DEFAULT).is_current
    session.execute("CALL rollup.backfill()")
    assert session.execute(COVERED).fetchone() == (len(ZONES),)


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_full_dump_is_complete(
    source: Session,
    database: str,
    empty_database: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
    suffix: str,
) -> None:
    _purge(source)
    source.execute("SELECT rollup.set_timezone(77, 'Pacific/Apia')")
    write(source, account_id=77)
    path = programs.dump(database, tmp_path / f"all{suffix}")
    assert programs.restore(path, empty_database, *WHOLE[suffix]) == []

    target = connect(empty_database)
    assert recorded_and_pending(target)[1] > 0
    assert target.execute(STATE).fetchall() == source.execute(STATE).fetchall()
    assert {one.status for one in status.inspect(target, DEFAULT).objects} == {"CURRENT"}
    again = deploy(empty_database, DEFAULT)
    changed = (again.migrations, again.changes, again.coverage_voided, again.accounts_followed)
    assert changed == ((), ("remember columns",), False, 0)
    assert deploy(empty_database, DEFAULT).changes == ()
    assert kept(target) == kept(source)
    _assert_archived_exact(target)
    _go_on(target)
    _assert_archived_exact(target)
    target.execute("UPDATE rollup.accounts SET covered = '{}'")
    target.execute("CALL rollup.backfill()")
    _assert_archived_exact(target)


def test_columns_that_a_restore_numbers_anew_are_no_others(
    database: str,
    empty_database: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
) -> None:
    session = connect(database)
    session.execute("ALTER TABLE public.reporting_events DROP user_id CASCADE, ADD user_id integer")
    deploy(database, DEFAULT)
    mix(desk(session))
    path = programs.dump(database, tmp_path / "all.sql")
    assert programs.restore(path, empty_database, *WHOLE[".sql"]) == []
    target = connect(empty_database)
    changed = "SELECT c.column_name, c.change FROM rollup.changed_columns c"
    assert target.execute(changed).fetchall() == []
    assert target.execute(COVERED).fetchone() == session.execute(COVERED).fetchone()
    assert not deploy(empty_database, DEFAULT).coverage_voided
    assert target.execute(COVERED).fetchone() == session.execute(COVERED).fetchone()
    target.execute("ALTER TABLE public.reporting_events DROP value, ADD value double precision")
    assert target.execute(changed).fetchall() == [("value", "is another one")]


@pytest.mark.parametrize(
    "order",
    [(EVENTS, ROLLUPS, ACCOUNTS), (ROLLUPS, ACCOUNTS, EVENTS)],
    ids=" ".join,
)
def test_data_restored_behind_the_switch_are_exact_after_deploy_and_backfill(
    source: Session,
    database: str,
    deployed: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
    order: tuple[str, ...],
) -> None:
    path = programs.dump(database, tmp_path / "data", "--data-only", "--schema=public")
    target = connect(deployed)
    target.execute(SWITCH)
    assert programs.restore_tables(path, deployed, order) == []
    assert recorded_and_pending(target) == (recorded_and_pending(source)[0], 0)
    assert differences(target, covered=True) == []
    _deploy_and_backfill(target, deployed)
    assert_exact(target)
    _go_on(target)
    assert_exact(target)


@pytest.mark.parametrize(
    ("order", "is_in_the_way", "cure"),
    [
        ((ROLLUPS, ACCOUNTS, EVENTS), False, "deploy, backfill"),
        ((ACCOUNTS, EVENTS, ROLLUPS), True, "rebuild"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_data_restored_without_the_switch_are_cured(
    source: Session,
    database: str,
    deployed: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
    order: tuple[str, ...],
    is_in_the_way: bool,
    cure: str,
) -> None:
    """What the triggers have counted already can be in the way of the rollups in the dump."""
    path = programs.dump(database, tmp_path / "data", "--data-only", "--schema=public")
    target = connect(deployed)
    errors = programs.restore_tables(path, deployed, order)
    assert len(errors) == is_in_the_way
    assert all("reporting_events_rollups_pkey" in error for error in errors)
    assert differences(target, covered=True) == []
    if cure == "rebuild":
        target.execute("SELECT rollup.rebuild()")
    else:
        _deploy_and_backfill(target, deployed)
    assert_exact(target)
    _go_on(target)
    assert_exact(target)


def test_data_restored_into_covered_days_without_the_switch_are_cured_by_a_rebuild(
    source: Session,
    database: str,
    deployed: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
) -> None:
    path = programs.dump(database, tmp_path / "data", "--data-only", "--schema=public")
    target = connect(deployed)
    for id_, zone in ZONES.items():
        target.execute("SELECT rollup.set_timezone(%s, %s)", (id_, zone))
    target.execute("SELECT rollup.rebuild()")
    programs.restore_tables(path, deployed, (ROLLUPS, ACCOUNTS, EVENTS))
    assert differences(target, covered=True)
    target.execute("SELECT rollup.rebuild()")
    assert_exact(target)


def test_data_restored_by_a_dump_that_disables_triggers_need_no_switch(
    source: Session,
    database: str,
    deployed: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
) -> None:
    options = ("--data-only", "--disable-triggers", "--schema=public")
    path = programs.dump(database, tmp_path / "data.sql", *options)
    assert programs.restore(path, deployed, *WHOLE[".sql"]) == []
    target = connect(deployed)
    _deploy_and_backfill(target, deployed)
    assert_exact(target)
    _go_on(target)
    assert_exact(target)


def test_data_of_both_schemas_restored_behind_the_switch_keep_the_rollups_of_purged_events(
    source: Session,
    database: str,
    deployed: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
) -> None:
    """All but what deployments have written down, which the new database has of its own."""
    _purge(source)
    path = programs.dump(database, tmp_path / "data.sql", "--data-only", *DEPLOYMENTS)
    target = connect(deployed)
    target.execute("CREATE TABLE public.archive (LIKE public.reporting_events)")
    target.execute(SWITCH)
    assert programs.restore(path, deployed, *WHOLE[".sql"]) == []
    _deploy_and_backfill(target, deployed)
    _assert_archived_exact(target)
    _go_on(target)
    _assert_archived_exact(target)


def test_a_dump_of_the_schema_public_alone_is_exact_after_deploy_and_backfill(
    source: Session,
    database: str,
    empty_database: str,
    connect: Connect,
    programs: Programs,
    tmp_path: Path,
) -> None:
    """Only the triggers fail, for want of their functions; zones that were set here are gone."""
    source.execute("SELECT rollup.set_timezone(77, 'Pacific/Apia')")
    write(source, account_id=77)
    path = programs.dump(database, tmp_path / "public.sql", "--schema=public")
    errors = programs.restore(path, empty_database)
    assert [one for one in errors if "rollup" not in one] == ['schema "public" already exists']
    target = connect(empty_database)
    _deploy_and_backfill(target, empty_database)
    target.execute("SELECT rollup.set_timezone(77, 'Pacific/Apia')")
    target.execute("CALL rollup.backfill()")
    assert_exact(target)
    _go_on(target)
    assert_exact(target)
