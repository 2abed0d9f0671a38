"""Whatever is done to the record behind our back, drift finds it and a rebuild cures it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import HANDOFF, desk, mix, row_versions, write
from tests.support.oracle import assert_exact, differences

if TYPE_CHECKING:
    from tests.support.databases import Connect

pytestmark = pytest.mark.every_version

KEY = "account_id, date, dimension_type, dimension_id, metric"
DRIFT = "SELECT d.* FROM rollup.drift(%s, %s, %s) d"
EVERYTHING = (None, None, None)

VANDALISM = {
    "a row removed": "DELETE FROM public.reporting_events_rollups WHERE ctid = '(0,1)'",
    "all rows removed": "DELETE FROM public.reporting_events_rollups",
    "the table truncated": "TRUNCATE public.reporting_events_rollups",
    "a count changed": "UPDATE public.reporting_events_rollups SET count = count + 1",
    "a count of hand-offs changed": """
        UPDATE public.reporting_events_rollups SET count = 9 WHERE metric = 'bot_handoffs_count'
    """,
    "a count zero": "UPDATE public.reporting_events_rollups SET count = 0",
    "a count negative": "UPDATE public.reporting_events_rollups SET count = -count",
    "a sum changed": """
        UPDATE public.reporting_events_rollups SET sum_value = sum_value + 0.01
        WHERE metric = 'reply_time'
    """,
    "a sum of business hours changed": """
        UPDATE public.reporting_events_rollups
        SET sum_value_business_hours = sum_value_business_hours - 1
    """,
    "a sum that is no number": """
        UPDATE public.reporting_events_rollups SET sum_value = 'NaN' WHERE metric = 'reply_time'
    """,
    "a sum without end": """
        UPDATE public.reporting_events_rollups SET sum_value_business_hours = '-Infinity'
        WHERE metric = 'resolution_time'
    """,
    "a number of values changed": "UPDATE public.reporting_events_rollups SET value_count = 0",
    "a row without events": f"""
        INSERT INTO public.reporting_events_rollups ({KEY}, count)
        VALUES (1, '2026-03-10', 'agent', 999, 'reply_time', 1)
    """,
    "a row of an account without a zone": f"""
        INSERT INTO public.reporting_events_rollups ({KEY}, count)
        VALUES (77, '2026-03-10', 'account', 77, 'reply_time', 1)
    """,
    "a metric that is not in the registry": f"""
        INSERT INTO public.reporting_events_rollups ({KEY}, count)
        VALUES (1, '2026-03-10', 'team', 1, 'first_team_response', 1)
    """,
    "a membership removed": """
        DELETE FROM rollup.distinct_members WHERE dimension_type = 'agent' AND member = 2
    """,
    "all memberships removed": "DELETE FROM rollup.distinct_members",
    "occurrences changed": "UPDATE rollup.distinct_members SET occurrences = occurrences + 1",
    "occurrences negative": "UPDATE rollup.distinct_members SET occurrences = -1",
    "a member without events": f"""
        INSERT INTO rollup.distinct_members ({KEY}, member, occurrences)
        VALUES (1, '2026-03-10', 'account', 1, 'bot_handoffs_count', 999, 1)
    """,
    "a pending event forged": """
        INSERT INTO rollup.pending_events (sign, account_id, event, at, conversation_id)
        VALUES (1, 1, 'conversation_bot_handoff', '2026-03-10', 999)
    """,
    "pending events removed": "DELETE FROM rollup.pending_events",
    "days moved": "UPDATE public.reporting_events_rollups SET date = date + 100",
}


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    """Connect to a desk of 200 events, some of them pending."""
    connection = desk(connect(database))
    mix(connection, 150)
    connection.execute("SET default_transaction_isolation = 'repeatable read'")
    mix(connection, 50)
    connection.execute("SET default_transaction_isolation = 'read committed'")
    return connection


@pytest.mark.parametrize("vandalism", VANDALISM.values(), ids=list(VANDALISM))
def test_vandalism_is_found_by_drift_and_cured_by_a_rebuild(
    connection: psycopg.Connection[Any], vandalism: str
) -> None:
    assert_exact(connection)
    connection.execute(vandalism)
    assert differences(connection)
    assert connection.execute(DRIFT, EVERYTHING).fetchall()
    [corrected] = connection.execute("SELECT rollup.rebuild()").fetchone() or (0,)
    assert corrected > 0
    assert_exact(connection)


def test_a_second_rebuild_returns_zero_and_touches_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("DELETE FROM public.reporting_events_rollups WHERE dimension_id = 1")
    connection.execute("SELECT rollup.rebuild()")
    recorded = row_versions(connection)
    for scope in ("", "1", "2, '2026-03-08'", "NULL, NULL, '2026-03-10'"):
        assert connection.execute(f"SELECT rollup.rebuild({scope})").fetchone() == (0,)
    assert connection.execute("SELECT rollup.fold()").fetchone() == (0,)
    assert row_versions(connection) == recorded
    assert_exact(connection)


def test_drift_and_rebuild_agree_on_what_is_wrong_within_their_scope(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("SELECT rollup.rebuild()")
    connection.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    everything = connection.execute(DRIFT, EVERYTHING).fetchall()
    middle = date(2026, 3, 9), date(2026, 3, 11)
    for account in (1, 2, 3):
        for since, until in ((None, middle[0]), middle, (middle[1], None)):
            scope = account, since, until
            found = connection.execute(DRIFT, scope).fetchall()
            assert found
            assert found == [
                row
                for row in everything
                if row[0] == account and (since or date.min) <= row[1] < (until or date.max)
            ]
            rebuilt = connection.execute("SELECT rollup.rebuild(%s, %s, %s)", scope).fetchone()
            assert rebuilt == (len(found),)
    assert_exact(connection)


def test_a_rebuild_of_some_days_leaves_the_others_as_they_are(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    connection.execute("UPDATE rollup.distinct_members SET occurrences = 5")
    others = """
        SELECT r.ctid::text, r.xmin::text, r::text FROM public.reporting_events_rollups r
        WHERE r.account_id <> 1 OR r.date < '2026-03-09' OR r.date >= '2026-03-11'
        UNION ALL
        SELECT m.ctid::text, m.xmin::text, m::text FROM rollup.distinct_members m
        WHERE m.account_id <> 1 OR m.date < '2026-03-09' OR m.date >= '2026-03-11'
        UNION ALL
        SELECT p.ctid::text, p.xmin::text, p::text FROM rollup.pending_events p
        WHERE p.account_id <> 1
        ORDER BY 3
    """
    before = connection.execute(others).fetchall()
    scope = 1, "2026-03-09", "2026-03-11"
    assert connection.execute(DRIFT, scope).fetchall()
    connection.execute("SELECT rollup.rebuild(%s, %s, %s)", scope)
    assert connection.execute(DRIFT, scope).fetchall() == []
    assert connection.execute(others).fetchall() == before
    connection.execute("SELECT rollup.rebuild()")
    assert_exact(connection)


def test_pending_events_of_other_days_stay_pending(connection: psycopg.Connection[Any]) -> None:
    days = """
        SELECT array_agg(DISTINCT (p.at AT TIME ZONE %s)::date::text)
        FROM rollup.pending_events p WHERE p.account_id = 1
    """
    [before] = connection.execute(days, ("Asia/Kolkata",)).fetchone() or ([],)
    assert len(before) > 1
    connection.execute("SELECT rollup.rebuild(1, %s::date, %s::date + 1)", (before[0], before[0]))
    assert connection.execute(days, ("Asia/Kolkata",)).fetchone() == (before[1:],)
    assert_exact(connection)


def test_drift_is_truth_minus_record_per_key(database: str, connect: Connect) -> None:
    connection = desk(connect(database))
    write(connection, value=10, value_in_business_hours=None)
    write(connection, value=2.5, value_in_business_hours=1)
    write(connection, name=HANDOFF, user_id=None, inbox_id=None)
    write(connection, name=HANDOFF, user_id=None, inbox_id=None, conversation_id=32)
    assert connection.execute(DRIFT, EVERYTHING).fetchall() == []
    connection.execute(
        """
        UPDATE public.reporting_events_rollups
        SET count = 5, value_count = 0, sum_value = 20, business_hours_count = 3,
            sum_value_business_hours = 0.5
        WHERE dimension_type = 'agent';
        DELETE FROM public.reporting_events_rollups WHERE dimension_type = 'inbox';
        DELETE FROM rollup.distinct_members WHERE member = 31;
        UPDATE rollup.distinct_members SET occurrences = 7 WHERE member = 32
        """
    )
    cursor = connection.execute(DRIFT, EVERYTHING)
    assert [column.name for column in cursor.description or ()] == [
        *KEY.split(", "),
        "count",
        "value_count",
        "sum_value",
        "business_hours_count",
        "sum_value_business_hours",
        "members",
    ]
    day = date(2026, 3, 10)
    assert cursor.fetchall() == [
        (1, day, "account", 1, "bot_handoffs_count", 0, 0, 0, 0, 0, 2),
        (1, day, "agent", 11, "first_response", -3, 2, -7.5, -2, 0.5, 0),
        (1, day, "inbox", 21, "first_response", 2, 2, 12.5, 1, 1, 0),
    ]
    assert connection.execute("SELECT rollup.rebuild()").fetchone() == (4,)
    assert_exact(connection)


def test_a_rebuild_removes_rows_that_have_become_zero(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("SELECT rollup.rebuild()")
    connection.execute("DELETE FROM public.reporting_events")
    assert connection.execute(DRIFT, EVERYTHING).fetchall() == []
    left = len(row_versions(connection))
    assert connection.execute("SELECT rollup.rebuild()").fetchone() == (left,)
    assert row_versions(connection) == set()
    assert_exact(connection)


@pytest.mark.parametrize("scope", ["1, '2030-01-01'", "1, '2026-03-10', '2026-03-10'"])
def test_where_there_is_nothing_a_rebuild_changes_nothing(
    connection: psycopg.Connection[Any], scope: str
) -> None:
    recorded = row_versions(connection)
    assert connection.execute(f"SELECT rollup.rebuild({scope})").fetchone() == (0,)
    assert connection.execute(f"SELECT * FROM rollup.drift({scope})").fetchall() == []
    assert row_versions(connection) == recorded
    assert_exact(connection)


@pytest.mark.parametrize("verb", ["insert", "update", "delete", "truncate"])
def test_no_day_is_covered_while_a_trigger_is_off(
    verb: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute(f"ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_{verb}")
    covered = session.execute("SELECT v.covered FROM rollup.coverage v").fetchall()
    assert all(not days for (days,) in covered)
    for statement in (
        "SELECT rollup.rebuild()",
        "SELECT rollup.rebuild(1, '2026-03-08', '2026-03-09')",
        "CALL rollup.backfill()",
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="disabled"):
            session.execute(statement)
    session.execute(f"ALTER TABLE public.reporting_events ENABLE TRIGGER rollup_after_{verb}")
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)
