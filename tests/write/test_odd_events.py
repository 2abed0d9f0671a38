"""Events that hardly happen are counted as plain ones are, or not at all, and never refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import HANDOFF, desk, mix, recorded_and_pending, rollups, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

LEVELS = pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])

NOT_COUNTED: list[dict[str, Any]] = [
    {"name": None},
    {"name": ""},
    {"name": "conversation_opened"},
    {"name": "first_response "},
    {"name": "x" * 10_000},
    {"account_id": None},
    {"account_id": 4},
    {"created_at": "infinity"},
    {"created_at": "-infinity"},
    {"created_at": "0001-12-31 23:59:59.999999 BC"},
    {"created_at": "4713-01-01 00:00 BC"},
    {"created_at": "10000-01-01 00:00"},
    {"created_at": "294276-12-31 23:59:59"},
    {"name": HANDOFF, "conversation_id": None},
]

VALUES = [
    (0, 1, 0.0),
    (-5, 1, -5.0),
    (0.1, 1, 0.1),
    (1e15, 1, 1e15),
    (-1e15, 1, -1e15),
    (5e-324, 1, 5e-324),
    (None, 0, 0.0),
    ("NaN", 0, 0.0),
    ("Infinity", 0, 0.0),
    ("-Infinity", 0, 0.0),
    (1.1e15, 0, 0.0),
    (1e308, 0, 0.0),
    (-1.7e308, 0, 0.0),
]

STRANGE_TIMES = [
    "0001-01-01 00:00",
    "0001-01-01 23:59",
    "1883-11-18 17:00",
    "1900-01-01 00:00",
    "1970-01-01 00:00",
    "2024-02-29 23:30",
    "2038-01-19 03:14:08",
    "9999-12-31 23:59:59.999999",
]


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@LEVELS
def test_what_is_not_counted_is_saved_and_leaves_no_trace(
    connection: psycopg.Connection[Any], level: str
) -> None:
    connection.execute(f"SET default_transaction_isolation = '{level}'")
    for event in NOT_COUNTED:
        write(connection, **event)
    connection.execute("RESET default_transaction_isolation")
    saved = "SELECT count(*) FROM public.reporting_events"
    assert connection.execute(saved).fetchone() == (len(NOT_COUNTED),)
    assert rollups(connection) == []
    assert_exact(connection)
    connection.execute("SELECT rollup.fold()")
    connection.execute("SELECT rollup.rebuild()")
    connection.execute("UPDATE public.reporting_events SET value = 1")
    connection.execute("DELETE FROM public.reporting_events")
    assert recorded_and_pending(connection) == (0, 0)
    assert_exact(connection)


@LEVELS
def test_what_was_not_counted_is_once_it_can_be(
    connection: psycopg.Connection[Any], level: str
) -> None:
    connection.execute(f"SET default_transaction_isolation = '{level}'")
    for event in NOT_COUNTED:
        write(connection, **event)
    connection.execute(
        """
        UPDATE public.reporting_events
        SET name = 'reply_time', account_id = 2, created_at = '2026-03-10'
        """
    )
    assert rollups(connection)[0][:4] == ("account", 2, "reply_time", len(NOT_COUNTED))
    assert_exact(connection)


@LEVELS
def test_a_value_that_cannot_be_added_up_counts_as_null(
    connection: psycopg.Connection[Any], level: str
) -> None:
    connection.execute(f"SET default_transaction_isolation = '{level}'")
    for agent, (value, _, _) in enumerate(VALUES):
        day = {"user_id": agent, "created_at": f"2026-03-{1 + agent} 12:00"}
        write(connection, **day, value=value)
        write(connection, **day, value=None, value_in_business_hours=value)
    connection.execute("RESET default_transaction_isolation")
    agents = connection.execute(
        """
        SELECT dimension_id, count, value_count, sum_value, business_hours_count,
            sum_value_business_hours
        FROM rollup.current_rollups
        WHERE dimension_type = 'agent'
        ORDER BY dimension_id
        """
    )
    assert agents.fetchall() == [
        (agent, 2, counted, total, 1 + counted, 30 + total)
        for agent, (_, counted, total) in enumerate(VALUES)
    ]
    assert_exact(connection)
    connection.execute("SELECT rollup.fold()")
    assert_exact(connection)
    connection.execute("DELETE FROM public.reporting_events WHERE value IS NOT NULL")
    assert_exact(connection)


def test_what_was_too_large_to_add_up_can_go_and_leaves_the_rest(
    connection: psycopg.Connection[Any],
) -> None:
    for value in ("NaN", 1e308, 1e308, "Infinity", "-Infinity", 3):
        write(connection, value=value)
    connection.execute("DELETE FROM public.reporting_events WHERE value <> 3")
    assert rollups(connection)[0] == ("account", 1, "first_response", 1, 3, 30)
    assert_exact(connection)


def test_a_long_duration_that_has_gone_leaves_no_drift(
    connection: psycopg.Connection[Any],
) -> None:
    """Adding 123456789.123 and taking it away again leaves the residue of a float."""
    long = write(connection, value=123456789.123)
    write(connection, value=0.3)
    assert_exact(connection)
    connection.execute("DELETE FROM public.reporting_events WHERE id = %s", (long,))
    assert_exact(connection)


@LEVELS
def test_the_first_and_the_last_days_and_strange_ones_are_counted(
    connection: psycopg.Connection[Any], level: str
) -> None:
    connection.execute(f"SET default_transaction_isolation = '{level}'")
    connection.execute("SELECT rollup.set_timezone(4, 'Pacific/Kiritimati')")
    for account in (1, 2, 3, 4):
        for created_at in STRANGE_TIMES:
            write(connection, account_id=account, created_at=created_at)
    connection.execute("RESET default_transaction_isolation")
    before = rollups(connection)
    assert sum(row[3] for row in before) == 12 * len(STRANGE_TIMES)
    assert_exact(connection)
    connection.execute("SELECT rollup.fold()")
    assert_exact(connection)
    connection.execute("DELETE FROM public.reporting_events_rollups")
    connection.execute("SELECT rollup.rebuild()")
    assert rollups(connection) == before
    assert_exact(connection)


def test_any_integer_is_an_account(connection: psycopg.Connection[Any]) -> None:
    for account in (0, -1, -256, -257, -(2**31), 255, 256, 257, 2**31 - 1):
        connection.execute("SELECT rollup.set_timezone(%s, 'UTC')", (account,))
        write(connection, account_id=account, user_id=account, inbox_id=account)
        write(connection, account_id=account, name=HANDOFF, conversation_id=account, user_id=0)
        connection.execute("UPDATE public.reporting_events SET inbox_id = 1 WHERE inbox_id = 21")
        assert recorded_and_pending(connection) == (6, 0)
        assert_exact(connection)
        connection.execute("SELECT rollup.rebuild(%s)", (account,))
        connection.execute("DELETE FROM public.reporting_events")
        assert recorded_and_pending(connection) == (0, 0)
        assert_exact(connection)


def test_events_without_ids_are_counted_for_the_account_alone(
    connection: psycopg.Connection[Any],
) -> None:
    for name in ("conversation_resolved", "conversation_bot_resolved", HANDOFF):
        write(connection, name=name, user_id=None, inbox_id=None, conversation_id=None)
    assert [row[:4] for row in rollups(connection)] == [
        ("account", 1, "bot_resolutions_count", 1),
        ("account", 1, "resolution_time", 1),
        ("account", 1, "resolutions_count", 1),
    ]
    assert_exact(connection)


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'SQL, DMY'",
        "datestyle = 'German'",
        "timezone = 'Pacific/Apia'",
        "extra_float_digits = -15",
        "search_path = ''",
        "search_path = 'pg_temp, rollup, public'",
        "transform_null_equals = on",
        "standard_conforming_strings = off",
        "plpgsql.extra_errors = 'all'",
        "plan_cache_mode = force_generic_plan",
        "enable_hashjoin = off; SET jit = off",
    ],
)
def test_no_setting_of_a_session_changes_what_is_counted(
    connection: psycopg.Connection[Any], database: str, connect: Connect, setting: str
) -> None:
    session = connect(database)
    session.execute(f"SET {setting}")
    for _ in range(7):
        mix(session, 40)
    session.execute("UPDATE public.reporting_events SET account_id = 3 WHERE id % 2 = 0")
    session.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(session, 40)
    assert_exact(connection)
    session.execute("SET default_transaction_isolation = 'read committed'")
    session.execute("SELECT rollup.fold()")
    assert_exact(connection)
    assert session.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert_exact(connection)
