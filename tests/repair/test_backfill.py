"""History is filled in chunk by chunk beside live writers, and coverage says how far it got."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import desk, mix, row_versions, write
from tests.support.oracle import assert_exact, assert_exact_where_covered, differences
from tests.support.waiting import waiting

if TYPE_CHECKING:
    from tests.support.databases import Connect

pytestmark = pytest.mark.every_version

Chunk = tuple[list[int], str | None, str | None, int]

CHUNKS = """
SELECT account_ids, since::text, until::text, events
FROM rollup.backfill_chunks(%(account)s, %(since)s, %(until)s, %(size)s)
"""
EVENTS_BY_ACCOUNT = """
SELECT account_id, count(*)
FROM public.reporting_events
WHERE name <> 'conversation_opened'
AND account_id IS NOT NULL
GROUP BY account_id
"""
COUNTED_EVENTS = """
SELECT count(*)
FROM public.reporting_events
WHERE name <> 'conversation_opened'
AND account_id IN (1, 2, 3)
"""
COVERED = "SELECT covered::text FROM rollup.accounts ORDER BY account_id"


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    """Connect to a desk with 900 events, over a month, that the triggers have not seen."""
    connection = desk(connect(database))
    connection.execute("SET session_replication_role = replica")
    mix(connection, 900)
    connection.execute("UPDATE rollup.accounts SET covered = '{}'")
    connection.execute("RESET session_replication_role")
    return connection


def chunks_of(
    connection: psycopg.Connection[Any],
    *,
    account: int | None = None,
    since: str | None = None,
    until: str | None = None,
    size: int = 20,
) -> list[Chunk]:
    """Ask for the chunks of a backfill: accounts, since, until, events."""
    scope = {"account": account, "since": since, "until": until, "size": size}
    return connection.execute(CHUNKS, scope).fetchall()


@pytest.mark.parametrize("size", [1, 7, 50, 10**6])
def test_chunks_cover_the_days_of_every_account_without_gap_or_overlap(
    connection: psycopg.Connection[Any], size: int
) -> None:
    chunks = chunks_of(connection, size=size)
    for account, events in connection.execute(EVENTS_BY_ACCOUNT):
        own = [chunk for chunk in chunks if account in chunk[0]]
        assert own[0][1] is None
        assert own[-1][2] is None
        assert all(earlier[2] == later[1] for earlier, later in pairwise(own))
        bounds = [chunk[2] for chunk in own[:-1]]
        assert None not in bounds
        assert bounds == sorted(set(bounds), key=str)
        assert own[0][0] != [account] or sum(chunk[3] for chunk in own) == events
        assert len(own) == 1 or size < events
    assert {account for chunk in chunks for account in chunk[0]} == {1, 2, 3}
    [events] = connection.execute(COUNTED_EVENTS).fetchone() or (0,)
    assert sum(chunk[3] for chunk in chunks) == events


def test_small_accounts_share_chunks(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT rollup.set_timezone(a, 'UTC') FROM generate_series(11, 60) a")
    connection.execute("SELECT rollup.rebuild(14)")
    chunks = chunks_of(connection, size=400)
    assert {len(chunk[0]) for chunk in chunks} > {1}
    assert sorted(account for accounts, *_ in chunks for account in accounts) == [
        *(1, 2, 3, 11, 12, 13),
        *range(15, 61),
    ]
    assert all(len(chunk[0]) <= 21 for chunk in chunks)
    connection.execute("CALL rollup.backfill()")
    assert chunks_of(connection) == []
    assert_exact(connection)


def test_chunks_keep_to_the_days_and_the_account_that_are_asked_for(
    connection: psycopg.Connection[Any],
) -> None:
    chunks = chunks_of(connection, account=2, since="2026-03-12", until="2026-03-20", size=10)
    assert chunks[0][:2] == ([2], "2026-03-12")
    assert chunks[-1][2] == "2026-03-20"
    assert all(earlier[2] == later[1] for earlier, later in pairwise(chunks))
    assert all(chunk[0] == [2] for chunk in chunks)
    open_end = chunks_of(connection, account=2, since="2026-03-12", size=10)
    assert (open_end[0][1], open_end[-1][2]) == ("2026-03-12", None)
    open_start = chunks_of(connection, account=2, until="2026-03-12", size=10)
    assert (open_start[0][1], open_start[-1][2]) == (None, "2026-03-12")


def test_chunks_leave_out_what_is_covered_and_accounts_that_are_off(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute("SELECT rollup.set_timezone(3, NULL)")
    assert ([3], None, None, 0) in chunks_of(connection, size=1)  # to be removed
    connection.execute("CALL rollup.backfill(3)")
    days = chunks_of(connection, size=1)
    connection.execute("SELECT rollup.rebuild(1, '2026-03-10', '2026-03-15')")
    connection.execute("SELECT rollup.rebuild(2)")
    left = chunks_of(connection, size=1)
    assert all(chunk in days for chunk in left)
    assert all(chunk[0] == [1] for chunk in left)
    assert {chunk[1] for chunk in days if chunk[0] == [1]} - {chunk[1] for chunk in left} == {
        f"2026-03-{day}" for day in range(10, 15)
    }


def test_an_account_without_events_has_one_chunk(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT rollup.set_timezone(5, 'UTC')")
    assert chunks_of(connection, account=5) == [([5], None, None, 0)]
    connection.execute("CALL rollup.backfill(5)")
    assert chunks_of(connection, account=5) == []


def test_a_backfill_makes_everything_exact_and_covered(
    connection: psycopg.Connection[Any],
) -> None:
    assert differences(connection)
    notices: list[str | None] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    connection.execute("CALL rollup.backfill()")
    assert [str(notice)[:11] for notice in notices] == ["3 accounts:"]
    assert connection.execute(COVERED).fetchall() == [("{(,)}",)] * 3
    assert_exact(connection)
    recorded = row_versions(connection)
    connection.execute("CALL rollup.backfill()")
    assert len(notices) == 1
    assert row_versions(connection) == recorded


def test_coverage_grows_by_what_is_backfilled_and_days_that_meet_become_one_range(
    connection: psycopg.Connection[Any],
) -> None:
    def covered_after(*days: str) -> str:
        connection.execute("CALL rollup.backfill(1, %s, %s)", days)
        assert_exact_where_covered(connection)
        [covered] = connection.execute(COVERED).fetchone() or ("",)
        return str(covered)

    assert covered_after("2026-03-10", "2026-03-12") == "{[2026-03-10,2026-03-12)}"
    assert covered_after("2026-03-14", "2026-03-15") == (
        "{[2026-03-10,2026-03-12),[2026-03-14,2026-03-15)}"
    )
    assert covered_after("2026-03-12", "2026-03-14") == "{[2026-03-10,2026-03-15)}"
    connection.execute("CALL rollup.backfill(1, NULL, '2026-03-10')")
    connection.execute("CALL rollup.backfill(1, '2026-03-15', NULL)")
    assert connection.execute(COVERED).fetchall() == [("{(,)}",), ("{}",), ("{}",)]
    assert_exact_where_covered(connection)
    connection.execute("CALL rollup.backfill()")
    assert_exact(connection)


def test_a_backfill_beside_live_writers_loses_nothing(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    in_flight = connect(database, autocommit=False, options="-c lock_timeout=100ms")
    beside = connect(database, options="-c lock_timeout=100ms")
    backfiller = connect(database)
    mix(in_flight, 3)
    write(in_flight, account_id=2)
    with waiting(connection, backfiller, "CALL rollup.backfill()"):
        mix(beside, 200)
        write(in_flight, account_id=1)
        beside.execute("UPDATE public.reporting_events SET account_id = 1 WHERE id % 7 = 0")
        assert_exact_where_covered(connection)
        beside.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0")
        assert_exact_where_covered(connection)
        in_flight.commit()
    assert connection.execute(COVERED).fetchall() == [("{(,)}",)] * 3
    assert_exact(connection)


def test_a_backfill_that_was_interrupted_goes_on_where_it_stopped(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    in_flight = connect(database, autocommit=False)
    write(in_flight, account_id=2)
    connection.execute("SET lock_timeout = '100ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        connection.execute("CALL rollup.backfill(chunk_events => 100)")
    assert connection.execute(COVERED).fetchall() == [("{(,)}",), ("{}",), ("{}",)]
    assert_exact_where_covered(connection)
    recorded = row_versions(connection)
    in_flight.rollback()
    connection.execute("CALL rollup.backfill()")
    assert recorded <= row_versions(connection)
    assert_exact(connection)


def test_a_backfill_that_is_cancelled_keeps_the_chunks_that_it_has_finished(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    in_flight, backfiller = connect(database, autocommit=False), connect(database)
    write(in_flight, account_id=3)
    with (
        pytest.raises(psycopg.errors.QueryCanceled),
        waiting(connection, backfiller, "CALL rollup.backfill(chunk_events => 100)"),
    ):
        backfiller.cancel_safe()
    assert connection.execute(COVERED).fetchall() == [("{(,)}",), ("{(,)}",), ("{}",)]
    in_flight.commit()
    backfiller.execute("CALL rollup.backfill()")
    assert_exact(connection)


def test_a_backfill_puts_the_wanted_zone_into_force(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CALL rollup.backfill()")
    connection.execute("SELECT rollup.set_timezone(1, 'Pacific/Apia')")
    connection.execute("CALL rollup.backfill()")
    zone = "SELECT timezone, covered::text FROM rollup.accounts WHERE account_id = 1"
    assert connection.execute(zone).fetchone() == ("Pacific/Apia", "{(,)}")
    assert_exact(connection)


def test_a_backfill_within_a_transaction_is_an_error_that_changes_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    recorded = row_versions(connection)
    with (
        pytest.raises(psycopg.errors.InvalidTransactionTermination),
        connection.transaction(),
    ):
        connection.execute("CALL rollup.backfill()")
    assert row_versions(connection) == recorded
    connection.execute("CALL rollup.backfill()")
    assert_exact(connection)


def test_a_backfill_leaves_the_search_path_as_it_was(connection: psycopg.Connection[Any]) -> None:
    path = connection.execute("SHOW search_path").fetchone()
    connection.execute("CALL rollup.backfill()")
    assert connection.execute("SHOW search_path").fetchone() == path
    with connection.transaction():
        connection.execute("CALL rollup.backfill()")
        assert connection.execute("SHOW search_path").fetchone() == path
    assert_exact(connection)


def test_a_backfill_warns_of_accounts_that_another_session_is_changing(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    holder = connect(database, autocommit=False)
    holder.execute("UPDATE rollup.accounts SET setting = 'held' WHERE account_id = 2")
    said: list[tuple[str | None, ...]] = []
    connection.add_notice_handler(
        lambda one: said.append((one.severity, one.message_primary, one.message_hint))
    )
    connection.execute("CALL rollup.backfill()")
    warning = "account 2: not covered, because another session is changing its time zone"
    assert [one for one in said if one[0] != "NOTICE"] == [("WARNING", warning, "Call it again.")]
    holder.rollback()
    said.clear()
    connection.execute("CALL rollup.backfill()")
    assert [(level, line and line.split(":")[0]) for level, line, _ in said] == [
        ("NOTICE", "account 2")
    ]
    assert_exact(connection)
