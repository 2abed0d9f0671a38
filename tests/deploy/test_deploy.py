"""Deploying: what it makes, what it leaves alone, and which coverage it takes back."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from generator import __version__
from generator.database.connection import connect as connect_as_product
from generator.database.patience import Patience
from generator.deploy.deploy import Deployment, deploy
from generator.operate.status import inspect
from generator.registry import load
from generator.render.objects import render
from tests.support.events import ZONES, desk, mix, write
from tests.support.oracle import assert_exact, differences

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

REGISTRY = load()
RENDERED = render(REGISTRY)
AT_ONCE = Patience(lock_timeout=0.05, attempts=1)
NOTHING = Deployment()

OBJECTS = """
SELECT 'function', p.oid, p.xmin::text
FROM pg_proc p
WHERE p.pronamespace = 'rollup'::regnamespace
UNION ALL
SELECT 'relation', c.oid, c.xmin::text
FROM pg_class c
WHERE c.relnamespace IN ('rollup'::regnamespace, 'public'::regnamespace)
UNION ALL
SELECT 'trigger', t.oid, t.xmin::text
FROM pg_trigger t
WHERE NOT t.tgisinternal
ORDER BY 1, 2
"""

COVERED = "SELECT DISTINCT a.covered::text FROM rollup.accounts a"

DEPLOYMENTS = "SELECT count(*) FROM rollup.deployments"


def are_days_covered(session: Session) -> bool:
    """Tell whether all days of all accounts, or none of any, are covered."""
    [[covered]] = session.execute(COVERED).fetchall()
    assert covered in ("{(,)}", "{}")
    return bool(covered == "{(,)}")


@pytest.fixture
def covered(database: str, connect: Connect) -> Session:
    """Connect to a database with events of some accounts, all of whose days are covered."""
    session = desk(connect(database))
    mix(session)
    assert are_days_covered(session)
    return session


def test_a_first_deploy_creates_everything_and_status_says_so(
    reference_database: str, connect: Connect
) -> None:
    done = deploy(reference_database, REGISTRY)
    assert done.migrations[0] == "0001.rollup-schema"
    assert len(done.changes) == len(RENDERED)
    assert not done.coverage_voided
    session = connect(reference_database)
    report = inspect(session, REGISTRY)
    assert {one.status for one in report.objects} == {"CURRENT"}
    assert len(report.objects) == sum(one.kind != "table" for one in RENDERED)
    assert report.lacking == []
    assert report.is_current
    assert report.deployment is not None
    assert report.deployment["version"] == __version__
    recorded = session.execute("SELECT d.changes FROM rollup.deployments d").fetchall()
    assert recorded == [(list(done.changes),)]


def test_what_is_deployed_counts_at_once(reference_database: str, connect: Connect) -> None:
    deploy(reference_database, REGISTRY)
    session = desk(connect(reference_database))
    write(session)
    mix(session)
    assert_exact(session)


def test_a_second_deploy_changes_nothing(database: str, covered: Session) -> None:
    before = covered.execute(OBJECTS).fetchall()
    assert deploy(database, REGISTRY) == NOTHING
    assert covered.execute(OBJECTS).fetchall() == before
    assert covered.execute(DEPLOYMENTS).fetchone() == (1,)
    assert are_days_covered(covered)


@pytest.mark.parametrize("mode", ["ROW EXCLUSIVE", "ACCESS EXCLUSIVE"])
def test_a_deploy_that_changes_nothing_takes_no_lock_on_the_events(
    mode: str, database: str, connect: Connect
) -> None:
    session = connect(database)
    with session.transaction():
        session.execute(f"LOCK TABLE public.reporting_events IN {mode} MODE")
        assert deploy(database, REGISTRY, patience=AT_ONCE) == NOTHING


def test_twenty_deploys_at_once_all_succeed_and_leave_one_result(
    reference_database: str, connect: Connect
) -> None:
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: deploy(reference_database, REGISTRY), range(20)))
    assert sorted(len(one.changes) for one in done) == [*[0] * 19, len(RENDERED)]
    session = connect(reference_database)
    assert inspect(session, REGISTRY).is_current
    assert session.execute(DEPLOYMENTS).fetchone() == (1,)


@pytest.mark.parametrize(
    "setting",
    [
        "search_path = rollup, public",
        "search_path = ''",
        "quote_all_identifiers = on",
        "standard_conforming_strings = off",
        "default_transaction_isolation = serializable",
    ],
)
def test_no_setting_of_the_database_makes_anything_look_outdated(
    setting: str, reference_database: str, connect: Connect
) -> None:
    setup = connect(reference_database)
    setup.execute(f"ALTER DATABASE {setup.info.dbname} SET {setting}")
    deploy(reference_database, REGISTRY)
    with connect_as_product(reference_database) as session:
        report = inspect(session, REGISTRY)
    assert [str(one) for one in report.objects if one.status != "CURRENT"] == []
    assert deploy(reference_database, REGISTRY) == NOTHING


@pytest.mark.parametrize(
    "name", ["with space", "Größe", "it's 100%", 'a"b', "a\\b", "a/b?c&d=e#f@g:h", "{x}", "%s"]
)
def test_a_database_of_any_name_can_be_deployed_to(
    name: str, reference_database: str, empty_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    values = {"new": sql.Identifier(name), "old": sql.Identifier(session.info.dbname)}
    other = connect(empty_database)
    session.close()
    other.execute(sql.SQL("ALTER DATABASE {old} RENAME TO {new}").format(**values))
    try:
        deploy(make_conninfo(reference_database, dbname=name), REGISTRY)
    finally:
        other.execute(sql.SQL("ALTER DATABASE {new} RENAME TO {old}").format(**values))
    assert inspect(connect(reference_database), REGISTRY).is_current


def test_the_zones_that_accounts_have_already_are_taken_over(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    settings: dict[int, Any] = {
        1: {"reporting_timezone": "Europe/Berlin"},
        2: {"reporting_timezone": "Chennai"},
        3: {"reporting_timezone": "Mars/Olympus3"},
        4: {"reporting_timezone": " "},
        5: {"reporting_timezone": None},
        6: {},
        7: [],
        8: "UTC",
    }
    for account, value in settings.items():
        session.execute(
            "INSERT INTO public.accounts (id, settings) VALUES (%s, %s)", (account, Jsonb(value))
        )
    session.execute("INSERT INTO public.accounts (id, settings) VALUES (9, NULL)")
    done = deploy(reference_database, REGISTRY)
    assert done.accounts_followed == 2
    assert done.unknown_zones == ((3, "Mars/Olympus3"),)
    taken = session.execute(
        "SELECT account_id, timezone, wanted, state FROM rollup.status ORDER BY 1"
    )
    assert taken.fetchall() == [
        (1, "Europe/Berlin", "Europe/Berlin", "not covered"),
        (2, "Asia/Kolkata", "Asia/Kolkata", "not covered"),
        (3, None, None, "time zone not known"),
    ]
    again = deploy(reference_database, REGISTRY)
    assert again == dataclasses.replace(NOTHING, unknown_zones=done.unknown_zones)


def test_a_zone_that_changed_while_no_trigger_followed_is_taken_over(
    database: str, covered: Session
) -> None:
    covered.execute("ALTER TABLE public.accounts DISABLE TRIGGER rollup_after_insert")
    covered.execute(
        "INSERT INTO public.accounts (id, settings) VALUES (2, %s)",
        (Jsonb({"reporting_timezone": "Asia/Tokyo"}),),
    )
    done = deploy(database, REGISTRY)
    assert done.changes == ("enable trigger rollup_after_insert on public.accounts",)
    assert done.accounts_followed == 1
    wanted = covered.execute("SELECT a.wanted FROM rollup.accounts a WHERE a.account_id = 2")
    assert wanted.fetchone() == ("Asia/Tokyo",)
    assert_exact(covered)


def test_a_zone_that_was_set_here_outlives_a_deploy(database: str, covered: Session) -> None:
    covered.execute(
        "INSERT INTO public.accounts (id, settings) VALUES (2, %s)",
        (Jsonb({"reporting_timezone": "Asia/Tokyo"}),),
    )
    covered.execute("SELECT rollup.set_timezone(2, %s)", (ZONES[2],))
    assert deploy(database, REGISTRY) == NOTHING
    wanted = covered.execute("SELECT a.wanted FROM rollup.accounts a WHERE a.account_id = 2")
    assert wanted.fetchone() == (ZONES[2],)


@pytest.mark.parametrize("trigger", ["insert", "update", "delete", "truncate"])
@pytest.mark.parametrize(
    "off",
    ["DROP TRIGGER {} ON", "ALTER TABLE {} DISABLE", "ALTER TABLE {} ENABLE REPLICA"],
)
def test_coverage_is_void_when_a_trigger_was_off(
    off: str, trigger: str, database: str, covered: Session
) -> None:
    name, table = f"rollup_after_{trigger}", "public.reporting_events"
    if off.startswith("DROP"):
        covered.execute(f"{off.format(name)} {table}")
    else:
        covered.execute(f"{off.format(table)} TRIGGER {name}")
    done = deploy(database, REGISTRY)
    assert done.coverage_voided
    assert len(done.changes) == 1
    assert not are_days_covered(covered)
    assert inspect(covered, REGISTRY).is_current


def test_events_that_came_while_a_trigger_was_off_are_made_up_for_by_a_backfill(
    database: str, covered: Session
) -> None:
    covered.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    mix(covered)
    deploy(database, REGISTRY)
    assert differences(covered)
    assert not differences(covered, covered=True)
    covered.execute("CALL rollup.backfill()")
    assert_exact(covered)
    assert are_days_covered(covered)


@pytest.mark.parametrize(
    "table",
    ["public.reporting_events_rollups", "rollup.distinct_members", "rollup.pending_events"],
)
def test_coverage_is_void_when_a_table_of_ours_was_gone(
    table: str, database: str, covered: Session
) -> None:
    covered.execute(f"DROP TABLE {table} CASCADE")
    done = deploy(database, REGISTRY)
    assert f"create table {table}" in done.changes
    assert done.coverage_voided
    assert not are_days_covered(covered)
    covered.execute("CALL rollup.backfill()")
    assert_exact(covered)
    assert inspect(covered, REGISTRY).is_current


def test_coverage_outlives_a_registry_that_counts_the_same(database: str, covered: Session) -> None:
    aliases = (*REGISTRY.timezone_aliases, ("Home", "Europe/Berlin"))
    done = deploy(database, dataclasses.replace(REGISTRY, timezone_aliases=aliases))
    assert done.changes == ("replace view rollup.timezone_aliases",)
    assert not done.coverage_voided
    assert are_days_covered(covered)


def test_a_registry_whose_reports_alone_differ_is_current_once_deployed(
    database: str, covered: Session
) -> None:
    fewer = dataclasses.replace(REGISTRY, reports=REGISTRY.reports[:-1])
    assert not inspect(covered, fewer).is_current
    assert not deploy(database, fewer).coverage_voided
    assert inspect(covered, fewer).is_current
