"""Registries of other applications: all that holds for the packaged one holds for them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from generator.deploy.deploy import Deployment, deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from generator.registry.tables import Dimension
from tests.support import events, reference
from tests.support.foreign import COUNTS_ONLY, DISTINCT_ONLY, ODD_NAMES, PAGE_VIEWS, Application
from tests.support.oracle import assert_exact
from tests.support.write_modes import FOLD_AS_EVER, FOLD_OFTEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REFERENCE = load()
NOTHING = Deployment()
ZONES = {1: "Asia/Kolkata", 2: "America/New_York", 3: "Pacific/Tongatapu"}

DRIFT = "SELECT * FROM rollup.drift()"

PENDING = "SELECT count(*) FROM rollup.pending_events"

COVERED = "SELECT bool_and(a.covered = '{(,)}') FROM rollup.accounts a"


@pytest.fixture(
    params=[PAGE_VIEWS, COUNTS_ONLY, DISTINCT_ONLY, ODD_NAMES],
    ids=["page views", "counts only", "distinct only", "odd names"],
)
def application(request: pytest.FixtureRequest) -> Application:
    application: Application = request.param
    return application


@pytest.fixture
def session(application: Application, empty_database: str, connect: Connect) -> Iterator[Session]:
    """Connect to the application's database, deployed and empty; see that all stays current."""
    session = connect(empty_database)
    application.create(session)
    deploy(empty_database, application.registry)
    for account, zone in ZONES.items():
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    session.execute("SELECT rollup.rebuild()")
    yield session
    assert inspect(session, application.registry).is_current
    assert deploy(empty_database, application.registry) == NOTHING


def number(session: Session, query: str) -> int:
    [found] = session.execute(query).fetchone() or (0,)
    return int(found)


def assert_no_drift(session: Session) -> None:
    assert session.execute(DRIFT).fetchall() == []
    assert session.execute(COVERED).fetchone() == (True,)


def current(session: Session) -> list[tuple[Any, ...]]:
    return sorted(session.execute("TABLE rollup.current_rollups"))


def recorded(session: Session, application: Application) -> int:
    [total] = session.execute(
        sql.SQL("SELECT coalesce(sum(r.count), 0) FROM {} r").format(application.rollups)
    ).fetchone() or (0,)
    return int(total)


def test_a_deployment_is_current_and_repeating_it_changes_nothing(
    application: Application, empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    application.create(session)
    assert deploy(empty_database, application.registry).changes
    report = inspect(session, application.registry)
    assert [str(one) for one in report.objects if one.status != "CURRENT"] == []
    assert report.is_current
    assert deploy(empty_database, application.registry) == NOTHING


def test_history_is_backfilled(
    application: Application, empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    application.create(session)
    application.insert(session)
    deploy(empty_database, application.registry)
    for account, zone in ZONES.items():
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    assert session.execute(DRIFT).fetchall() != []
    session.execute("CALL rollup.backfill()")
    assert_no_drift(session)
    assert recorded(session, application) > 100
    application.insert(session)
    assert_no_drift(session)


def test_every_kind_of_write_is_exact(application: Application, session: Session) -> None:
    application.insert(session)
    assert_no_drift(session)
    total = recorded(session, application)
    assert total > 100
    application.update(session)
    assert_no_drift(session)
    application.delete(session)
    assert_no_drift(session)
    session.execute(sql.SQL("TRUNCATE {}").format(application.events))
    assert_no_drift(session)
    assert recorded(session, application) == 0
    assert number(session, "SELECT count(*) FROM rollup.distinct_members") == 0


def test_appended_events_are_folded_in_turn(
    application: Application, session: Session, empty_database: str
) -> None:
    rollups = dataclasses.replace(application.registry.rollups, write_mode="append")
    deploy(empty_database, dataclasses.replace(application.registry, rollups=rollups))
    session.execute(FOLD_OFTEN)
    for event in range(1, 180):
        application.insert(session, event, event)
    assert recorded(session, application) > 0
    assert_no_drift(session)
    session.execute("SELECT rollup.fold()")
    session.execute(FOLD_AS_EVER)
    deploy(empty_database, application.registry)


def test_two_writers_at_once_are_exact_before_and_after_folding(
    application: Application, session: Session, empty_database: str, connect: Connect
) -> None:
    first = connect(empty_database, autocommit=False)
    second = connect(empty_database)
    application.insert(first, 1, 40)
    application.insert(second, 41, 90)
    application.update(second)
    application.delete(second)
    assert number(session, PENDING) > 0
    assert_no_drift(session)
    first.commit()
    assert_no_drift(session)
    exact = current(session)
    assert number(session, "SELECT rollup.fold()") > 0
    assert number(session, PENDING) == 0
    assert_no_drift(session)
    assert current(session) == exact


def test_pending_events_are_gone_after_a_truncate(
    application: Application, session: Session, empty_database: str, connect: Connect
) -> None:
    first = connect(empty_database, autocommit=False)
    application.insert(first, 1, 40)
    application.insert(session, 41, 90)
    assert number(session, PENDING) > 0
    first.commit()
    session.execute(sql.SQL("TRUNCATE {}").format(application.events))
    assert current(session) == []
    assert_no_drift(session)


def test_rollups_outlive_the_events_that_are_purged(
    application: Application, session: Session
) -> None:
    application.insert(session)
    exact = current(session)
    session.execute("CALL rollup.purge_events('2026-03-10')")
    assert current(session) == exact
    assert_no_drift(session)
    application.update(session)
    assert_no_drift(session)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {rollups} SET count = count + 1 WHERE dimension_id::text LIKE '%2'",
        "DELETE FROM {rollups} WHERE account_id = 2",
        "TRUNCATE {rollups}, rollup.distinct_members",
        "INSERT INTO {rollups} (account_id, date, dimension_type, dimension_id, metric, count)"
        " VALUES (1, '2026-03-01', 'nothing', 1, 'nothing', 1)",
        "INSERT INTO rollup.distinct_members VALUES (1, '2026-03-01', 'x', 1, 'x', 1, 1)",
    ],
    ids=["counts", "rows", "everything", "rows without events", "members without events"],
)
def test_vandalism_is_found_and_cured(
    statement: str, application: Application, session: Session
) -> None:
    application.insert(session)
    exact = current(session)
    session.execute(sql.SQL(statement).format(rollups=application.rollups))
    assert session.execute(DRIFT).fetchall() != []
    assert number(session, "SELECT rollup.rebuild()") > 0
    assert_no_drift(session)
    assert current(session) == exact


@pytest.mark.parametrize("table", ["system_user", "json_table", "merge_action"])
def test_a_table_named_like_a_keyword_of_some_version_is_counted(
    table: str, empty_database: str, connect: Connect
) -> None:
    """Some servers quote such a name where they print it, and others do not."""
    session = connect(empty_database)
    source = dataclasses.replace(COUNTS_ONLY.registry.source, table=table)
    registry = dataclasses.replace(COUNTS_ONLY.registry, source=source)
    application = dataclasses.replace(COUNTS_ONLY, registry=registry)
    application.create(session)
    deploy(empty_database, registry)
    assert inspect(session, registry).is_current
    assert deploy(empty_database, registry) == NOTHING


BY_DAY = """
SELECT r.date, r.metric, r.count, r.load_ms_total
FROM rollup.current_rollups r
WHERE r.account_id = 1
AND r.dimension_type = %(dimension)s
AND r.dimension_id = coalesce(%(id)s, r.dimension_id)
ORDER BY r.date, r.metric, r.dimension_id
"""


@pytest.mark.parametrize("is_alone", [False, True], ids=["together", "one by one"])
@pytest.mark.parametrize(
    "columns",
    [
        {"site": "site_id"},
        {"page": "page_id"},
        {"site": "site_id", "whole": "site_id", "page": "page_id", "leaf": "page_id"},
    ],
    ids=["the account alone", "without the account", "columns of two each"],
)
def test_dimensions_may_share_columns_and_leave_out_the_account(
    columns: dict[str, str], is_alone: bool, empty_database: str, connect: Connect
) -> None:
    """What is summed up in one pass is what a query for each dimension says."""
    session = connect(empty_database)
    PAGE_VIEWS.create(session)
    dimensions = tuple(Dimension(name=name, column=column) for name, column in columns.items())
    registry = dataclasses.replace(PAGE_VIEWS.registry, dimensions=dimensions, reports=())
    deploy(empty_database, registry)
    session.execute("SELECT rollup.set_timezone(1, 'UTC'); SELECT rollup.rebuild()")
    insert = "INSERT INTO web.hits (site_id, action, seen_at, page_id, load_ms, visitor_id)"
    rows = [
        f"(1, 'view', '2026-03-{day} 12:00+00', {page}, {ms}, gen_random_uuid())"
        for day, page, ms in ((1, 7, 10), (1, 7, 5), (1, 8, 1), (1, "NULL", 2), (2, 7, "NULL"))
    ]
    for statement in rows if is_alone else [", ".join(rows)]:
        session.execute(f"{insert} VALUES {statement}")
    expected = {
        "site_id": [
            ("2026-03-01", "load_time", 4, 18),
            ("2026-03-01", "views", 4, 0),
            ("2026-03-01", "visitors", 4, 0),
            ("2026-03-02", "load_time", 1, 0),
            ("2026-03-02", "views", 1, 0),
            ("2026-03-02", "visitors", 1, 0),
        ],
        "page_id": [
            ("2026-03-01", "load_time", 2, 15),
            ("2026-03-01", "views", 2, 0),
            ("2026-03-01", "visitors", 2, 0),
            ("2026-03-02", "load_time", 1, 0),
            ("2026-03-02", "views", 1, 0),
            ("2026-03-02", "visitors", 1, 0),
        ],
    }
    for name, column in columns.items():
        found = session.execute(
            BY_DAY, {"dimension": name, "id": "7" if "page" in column else None}
        )
        assert [(str(day), *rest) for day, *rest in found] == expected[column]
    assert_no_drift(session)
    assert number(session, "SELECT rollup.rebuild()") == 0


def test_zones_are_followed_from_a_table_with_odd_names(
    empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    ODD_NAMES.create(session)
    deploy(empty_database, ODD_NAMES.registry)
    accounts = ODD_NAMES.registry.accounts
    assert accounts
    table = sql.Identifier(accounts.schema, accounts.table)
    [(alias, zone)] = ODD_NAMES.registry.timezone_aliases
    for account, setting in enumerate((alias, "Europe/Berlin", "Mars/Olympus3"), 1):
        value = Jsonb({accounts.timezone_key: setting})
        session.execute(sql.SQL("INSERT INTO {} VALUES ({}, {})").format(table, account, value))
    followed = session.execute("SELECT a.account_id, a.wanted FROM rollup.accounts a ORDER BY 1")
    assert followed.fetchall() == [(1, zone), (2, "Europe/Berlin"), (3, None)]


def test_a_moment_counts_the_same_whatever_the_time_zone_of_the_session(
    empty_database: str, connect: Connect
) -> None:
    """The first moment of year 1 is what some platforms store for "none"."""
    session = connect(empty_database)
    PAGE_VIEWS.create(session)
    deploy(empty_database, PAGE_VIEWS.registry)
    session.execute("SELECT rollup.set_timezone(1, 'UTC'); SELECT rollup.rebuild()")
    moments = ["0001-01-01 00:00+00", "9999-12-31 23:59+00", "infinity", "-infinity"]
    zones = ("Asia/Tokyo", "UTC", "America/New_York")
    sessions = [connect(empty_database, options=f"-c TimeZone={zone}") for zone in zones]
    for number, writer in enumerate(sessions):
        writer.execute(
            "INSERT INTO web.hits (site_id, action, seen_at, page_id)"
            " SELECT 1, 'view', m, %s FROM unnest(%s::timestamptz[]) m",
            (number, moments),
        )
    assert [reader.execute(DRIFT).fetchall() for reader in sessions] == [[], [], []]


def test_another_registry_takes_the_place_of_the_first_where_ids_are_of_the_same_type(
    empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    reference.install(empty_database)
    COUNTS_ONLY.create(session)
    deploy(empty_database, COUNTS_ONLY.registry)
    events.desk(session)
    COUNTS_ONLY.insert(session)
    left = session.execute("TABLE shop.order_counts").fetchall()
    done = deploy(empty_database, REFERENCE)
    assert "drop trigger rollup_after_insert on shop.order_log" in done.changes
    assert done.coverage_voided
    assert inspect(session, REFERENCE).is_current
    COUNTS_ONLY.insert(session)
    assert session.execute("TABLE shop.order_counts").fetchall() == left
    events.mix(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    assert deploy(empty_database, COUNTS_ONLY.registry).coverage_voided
    session.execute("CALL rollup.backfill()")
    assert_no_drift(session)


@pytest.mark.parametrize("is_first", [True, False])
def test_another_registry_is_refused_where_ids_are_of_another_type(
    is_first: bool, empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    reference.install(empty_database)
    PAGE_VIEWS.create(session)
    first, second = PAGE_VIEWS.registry, REFERENCE
    if not is_first:
        first, second = second, first
    deploy(empty_database, first)
    with pytest.raises(DatabaseError, match=r"distinct_members\.dimension_id is"):
        deploy(empty_database, second)
    assert inspect(session, first).is_current
