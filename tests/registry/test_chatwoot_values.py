"""The values that Chatwoot's own specifications expect.

Each is reached in three ways: written while the triggers are there, found by a backfill after the
triggers were off, and found by a backfill after a deployment to a table that had events already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator import registry
from generator.deploy.deploy import deploy
from tests.support.events import HANDOFF, rollups, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from tests.support.databases import Connect

    Event = dict[str, Any]
    Recorded = Callable[..., psycopg.Connection[Any]]

ZONE = "America/New_York"
DAY = "2026-02-11"
MORNING = {"created_at": "2026-02-11 15:00", "user_id": 1, "inbox_id": 1}
RESOLVED = {**MORNING, "name": "conversation_resolved"}

INSERT_ACCOUNT = """
INSERT INTO public.accounts (id, settings)
VALUES (1, jsonb_strip_nulls(jsonb_build_object('reporting_timezone', %s::text)))
"""


@pytest.fixture(params=["by the triggers", "by backfill", "by deploying later"])
def recorded(request: pytest.FixtureRequest, connect: Connect) -> Recorded:
    """Give a function that gets events into the rollups of account 1, and gives a connection."""

    def by_the_triggers(events: list[Event], zone: str | None) -> psycopg.Connection[Any]:
        connection = connect(request.getfixturevalue("database"))
        connection.execute(INSERT_ACCOUNT, (zone,))
        for event in events:
            write(connection, **event)
        return connection

    def by_backfill(events: list[Event], zone: str | None) -> psycopg.Connection[Any]:
        connection = connect(request.getfixturevalue("database"))
        connection.execute(INSERT_ACCOUNT, (zone,))
        connection.execute("SET session_replication_role = replica")
        for event in events:
            write(connection, **event)
        connection.execute("RESET session_replication_role")
        assert rollups(connection) == []
        connection.execute("CALL rollup.backfill()")
        return connection

    def by_deploying_later(events: list[Event], zone: str | None) -> psycopg.Connection[Any]:
        dsn = request.getfixturevalue("reference_database")
        connection = connect(dsn)
        connection.execute(INSERT_ACCOUNT, (zone,))
        for event in events:
            write(connection, **event)
        deploy(dsn, registry.load(None))
        connection.execute("CALL rollup.backfill()")
        return connection

    def get_recorded(*events: Event, zone: str | None = ZONE) -> psycopg.Connection[Any]:
        ways = (by_the_triggers, by_backfill, by_deploying_later)
        way = {way.__name__.replace("_", " "): way for way in ways}[request.param]
        connection = way(list(events), zone)
        assert_exact(connection)
        return connection

    return get_recorded


def test_a_resolution_gives_six_rows(recorded: Recorded) -> None:
    connection = recorded({**RESOLVED, "value": 1000, "value_in_business_hours": 500})
    assert rollups(connection, DAY) == [
        (dimension, 1, metric, 1, *sums)
        for dimension in ("account", "agent", "inbox")
        for metric, *sums in (("resolution_time", 1000, 500), ("resolutions_count", 0, 0))
    ]


def test_a_second_resolution_on_the_same_day_adds_to_the_same_six_rows(recorded: Recorded) -> None:
    connection = recorded(
        {**RESOLVED, "value": 1000, "value_in_business_hours": 500},
        {**RESOLVED, "value": 500, "value_in_business_hours": 250},
    )
    assert rollups(connection, DAY) == [
        (dimension, 1, metric, 2, *sums)
        for dimension in ("account", "agent", "inbox")
        for metric, *sums in (("resolution_time", 1500, 750), ("resolutions_count", 0, 0))
    ]


@pytest.mark.parametrize("utc", ["2026-02-11 22:00", "2026-02-12 04:00", "2026-02-11 05:00"])
def test_the_day_is_that_of_the_account_and_not_of_utc(recorded: Recorded, utc: str) -> None:
    connection = recorded({**RESOLVED, "created_at": utc})
    assert len(rollups(connection, DAY)) == len(rollups(connection)) == 6


def test_the_day_is_that_of_created_at_and_not_of_the_end(recorded: Recorded) -> None:
    connection = recorded({**RESOLVED, "event_end_time": "2026-02-09 15:00"})
    assert len(rollups(connection, DAY)) == len(rollups(connection)) == 6


def test_a_null_value_counts_one_and_adds_nothing(recorded: Recorded) -> None:
    nothing = {"value": None, "value_in_business_hours": None}
    connection = recorded({**MORNING, "name": "first_response", **nothing})
    assert rollups(connection, DAY) == [
        (dimension, 1, "first_response", 1, 0, 0) for dimension in ("account", "agent", "inbox")
    ]
    counted = "SELECT DISTINCT value_count, business_hours_count FROM rollup.current_rollups"
    assert connection.execute(counted).fetchall() == [(0, 0)]


def test_an_event_without_an_agent_gives_no_row_for_agents(recorded: Recorded) -> None:
    connection = recorded({**RESOLVED, "user_id": None})
    assert [row[0] for row in rollups(connection, DAY)] == ["account"] * 2 + ["inbox"] * 2


@pytest.mark.parametrize("name", ["conversation_opened", "Conversation_Resolved"])
def test_an_unknown_name_gives_nothing(recorded: Recorded, name: str) -> None:
    assert rollups(recorded({**MORNING, "name": name})) == []


@pytest.mark.parametrize("zone", [None, " ", "Mars/Olympus3"])
def test_without_a_valid_zone_the_event_is_saved_and_nothing_is_recorded(
    recorded: Recorded, zone: str | None
) -> None:
    connection = recorded(RESOLVED, zone=zone)
    assert rollups(connection) == []
    assert connection.execute("SELECT count(*) FROM public.reporting_events").fetchone() == (1,)


def test_count_metrics_carry_sums_of_zero(recorded: Recorded) -> None:
    connection = recorded(
        {**MORNING, "name": "conversation_bot_resolved", "value": 70},
        {**MORNING, "name": HANDOFF, "value": 80},
    )
    assert [row[2:] for row in rollups(connection, DAY) if row[0] == "account"] == [
        ("bot_handoffs_count", 1, 0, 0),
        ("bot_resolutions_count", 1, 0, 0),
    ]


def test_a_day_of_four_events_gives_nine_rows(recorded: Recorded) -> None:
    connection = recorded(
        {**MORNING, "value": 100, "value_in_business_hours": 60},
        {**MORNING, "value": 40, "value_in_business_hours": 20},
        {**RESOLVED, "value": 200, "value_in_business_hours": 80, "user_id": 2, "inbox_id": 2},
        {**MORNING, "name": "reply_time", "created_at": "2026-02-12 05:00"},
    )
    assert rollups(connection, DAY) == [
        ("account", 1, "first_response", 2, 140, 80),
        ("account", 1, "resolution_time", 1, 200, 80),
        ("account", 1, "resolutions_count", 1, 0, 0),
        ("agent", 1, "first_response", 2, 140, 80),
        ("agent", 2, "resolution_time", 1, 200, 80),
        ("agent", 2, "resolutions_count", 1, 0, 0),
        ("inbox", 1, "first_response", 2, 140, 80),
        ("inbox", 2, "resolution_time", 1, 200, 80),
        ("inbox", 2, "resolutions_count", 1, 0, 0),
    ]
    assert [row[2] for row in rollups(connection, "2026-02-12")] == ["reply_time"] * 3


def test_hand_offs_count_a_conversation_once_a_day(recorded: Recorded) -> None:
    handoff = {**MORNING, "name": HANDOFF}
    connection = recorded(
        {**handoff, "conversation_id": 1},
        {**handoff, "conversation_id": 1},
        {**handoff, "conversation_id": 2},
        {**handoff, "conversation_id": 3, "user_id": 2, "inbox_id": 2},
    )
    assert [row[:4] for row in rollups(connection, DAY)] == [
        ("account", 1, "bot_handoffs_count", 3),
        ("agent", 1, "bot_handoffs_count", 2),
        ("agent", 2, "bot_handoffs_count", 1),
        ("inbox", 1, "bot_handoffs_count", 2),
        ("inbox", 2, "bot_handoffs_count", 1),
    ]


def test_a_backfill_of_one_day_leaves_the_next_day_alone(database: str, connect: Connect) -> None:
    connection = connect(database)
    connection.execute(INSERT_ACCOUNT, (ZONE,))
    connection.execute("SET session_replication_role = replica")
    write(connection, **RESOLVED)
    write(connection, **{**RESOLVED, "created_at": "2026-02-12 05:00"})
    connection.execute("CALL rollup.backfill(1, '2026-02-11', '2026-02-12')")
    assert len(rollups(connection, DAY)) == 6
    assert rollups(connection, "2026-02-12") == []
    connection.execute("CALL rollup.backfill(1)")
    assert len(rollups(connection, "2026-02-12")) == 6
    assert_exact(connection)
