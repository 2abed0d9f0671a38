"""A real log, of 3,804 tickets of a helpdesk over three years, gets into the rollups in four ways.

The log is not part of the project. Its README tells how it is read: the first step of a ticket
opens it, the second is the first response, later ones are replies, the last also resolves it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import report_oracle
from tests.support.events import recorded_and_pending
from tests.support.oracle import assert_exact
from tests.support.report_oracle import PARTS, SUMMARIES, TIMESERIES, Request, same

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import psycopg

    from tests.support.databases import Connect

    Way = Callable[[psycopg.Connection[Any], int], None]

LOG = Path(__file__).parents[2] / ".." / "shared" / "data" / "helpdesk.csv"
ZONES = ["Asia/Kolkata", "America/New_York", "Europe/Rome"]
BATCH = 250  # events in a statement, or one by one in a transaction

STEPS = """
CREATE TABLE public.step (
    number integer GENERATED ALWAYS AS IDENTITY,
    ticket integer,
    activity integer,
    local_time timestamp
);
CREATE TABLE public.logged (
    number integer GENERATED ALWAYS AS IDENTITY,
    name text,
    value double precision,
    user_id integer,
    inbox_id integer,
    conversation_id integer,
    created_at timestamp
);
"""

READ = """
WITH step AS (
    SELECT
        s.ticket,
        s.activity,
        s.at,
        row_number() OVER ticket AS nth,
        s.number = max(s.number) OVER (PARTITION BY s.ticket) AS is_last,
        extract(epoch FROM s.at - first_value(s.at) OVER ticket) AS since_first,
        extract(epoch FROM s.at - lag(s.at) OVER ticket) AS since_last
    FROM (
        SELECT
            number,
            ticket,
            activity,
            local_time AT TIME ZONE 'Europe/Rome' AT TIME ZONE 'UTC' AS at
        FROM public.step
    ) s
    WINDOW ticket AS (PARTITION BY s.ticket ORDER BY s.number)
)
INSERT INTO public.logged (name, value, user_id, inbox_id, conversation_id, created_at)
SELECT e.name, e.value, s.activity, s.ticket % 5, s.ticket, s.at
FROM step s
CROSS JOIN LATERAL (
    SELECT 'conversation_opened', 0 WHERE s.nth = 1
    UNION ALL
    SELECT 'first_response', s.since_first WHERE s.nth = 2
    UNION ALL
    SELECT 'reply_time', s.since_last WHERE s.nth > 2
    UNION ALL
    SELECT 'conversation_resolved', s.since_first WHERE s.is_last
) e (name, value)
ORDER BY s.at, s.ticket, s.nth
"""

COLUMNS = "name, value, user_id, inbox_id, conversation_id, created_at"
INTO_EVENTS = f"INSERT INTO public.reporting_events ({COLUMNS}, updated_at, account_id)"
LOGGED = f"SELECT {COLUMNS}, created_at FROM public.logged"
IN_ORDER = f"{LOGGED} ORDER BY number"
INTO_ROLLUPS = f"{INTO_EVENTS} SELECT {COLUMNS}, created_at, %s FROM public.logged"

ROLLUPS = """
SELECT
    r.date::text,
    r.dimension_type,
    nullif(r.dimension_id, r.account_id),
    r.metric,
    r.count,
    r.value_count,
    r.sum_value
FROM rollup.current_rollups r
WHERE r.account_id = %s
ORDER BY r.metric, r.dimension_type, r.dimension_id, r.date
"""


@pytest.fixture
def desk(database: str, connect: Connect) -> psycopg.Connection[Any]:
    """Connect to a database with the log, and an account for every zone and way."""
    if not LOG.exists():
        pytest.skip("the log is not part of the project, and not here")
    connection = connect(database)
    connection.execute(STEPS)
    with (
        LOG.open(newline="") as file,
        connection.cursor().copy(
            "COPY public.step (ticket, activity, local_time) FROM STDIN"
        ) as copy,
    ):
        for row in csv.DictReader(file):
            copy.write_row(list(row.values()))
    connection.execute(READ)
    for way in range(4):
        for number, zone in enumerate(ZONES):
            connection.execute("SELECT rollup.set_timezone(%s, %s)", (account(way, number), zone))
    return connection


def account(way: int, zone: int) -> int:
    """Number the accounts, beyond all ids in the log."""
    return 1_000_000 + 10 * way + zone


def one_by_one(connection: psycopg.Connection[Any], account: int) -> None:
    rows = connection.execute(IN_ORDER).fetchall()
    statement = f"{INTO_EVENTS} VALUES ({', '.join(['%s'] * 8)})"
    for start in range(0, len(rows), BATCH):
        with connection.transaction():
            connection.cursor().executemany(
                statement, [(*row, account) for row in rows[start : start + BATCH]]
            )


def in_batches(connection: psycopg.Connection[Any], account: int) -> None:
    [logged] = connection.execute("SELECT max(number) FROM public.logged").fetchone() or (0,)
    for start in range(0, logged, BATCH):
        connection.execute(
            f"{INTO_ROLLUPS} WHERE number > %s AND number <= %s",
            (account, start, start + BATCH),
        )


def by_copy(connection: psycopg.Connection[Any], account: int) -> None:
    rows = connection.execute(IN_ORDER).fetchall()
    target = INTO_EVENTS.removeprefix("INSERT INTO ")
    with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row((*row, account))


def by_backfill(connection: psycopg.Connection[Any], account: int) -> None:
    connection.execute("SET session_replication_role = replica")
    connection.execute(INTO_ROLLUPS, (account,))
    connection.execute("RESET session_replication_role")
    assert connection.execute(ROLLUPS, (account,)).fetchall() == []
    connection.execute("CALL rollup.backfill(%s)", (account,))


def test_a_real_log_gives_the_same_rollups_whichever_way_it_comes(
    desk: psycopg.Connection[Any],
) -> None:
    ways: list[Way] = [one_by_one, in_batches, by_copy, by_backfill]
    by_zone: list[list[tuple[Any, ...]]] = []
    for zone in range(len(ZONES)):
        for number, way in enumerate(ways):
            way(desk, account(number, zone))
            assert recorded_and_pending(desk)[1] == 0
        first, *others = (
            desk.execute(ROLLUPS, (account(number, zone),)).fetchall()
            for number in range(len(ways))
        )
        assert others == [first] * 3
        by_zone.append(first)
        resolved = [row for row in first if row[1:4] == ("account", None, "resolution_time")]
        assert sum(row[4] for row in resolved) == 3804
    assert_exact(desk)
    kolkata, new_york, rome = by_zone
    assert kolkata != new_york != rome != kolkata


def test_a_real_log_that_goes_again_leaves_nothing(desk: psycopg.Connection[Any]) -> None:
    by_copy(desk, account(0, 0))
    desk.execute("UPDATE public.reporting_events SET account_id = account_id + 1 WHERE id % 2 = 0")
    assert_exact(desk)
    desk.execute("DELETE FROM public.reporting_events WHERE id % 3 > 0")
    assert_exact(desk)
    desk.execute("DELETE FROM public.reporting_events")
    assert desk.execute("SELECT count(*) FROM rollup.current_rollups").fetchone() == (0,)
    assert_exact(desk)


@pytest.mark.parametrize("zone", range(len(ZONES)), ids=ZONES)
def test_reports_over_a_real_log_say_what_the_events_say(
    zone: int, desk: psycopg.Connection[Any]
) -> None:
    one = account(0, zone)
    by_copy(desk, one)
    desk.execute("CALL rollup.backfill()")
    desk.execute("UPDATE rollup.accounts SET reads_enabled = true")
    first: datetime
    last: datetime
    [(first, last)] = desk.execute(
        "SELECT min(created_at) AT TIME ZONE 'UTC', max(created_at) AT TIME ZONE 'UTC'"
        " FROM public.reporting_events"
    ).fetchall()
    assert (last - first).days > 1000
    third = (last - first) / 3
    for since, until in ((first, last), (first + third, last - third), (first, first + third / 9)):
        for metric in ("resolutions_count", "avg_resolution_time", "reply_time"):
            for unit in ("day", "week", "month", "quarter", "year"):
                request = Request(
                    account=one,
                    metric=metric,
                    since=since,
                    until=until,
                    zone=ZONES[zone],
                    unit=unit,
                    type="inbox",
                    id=3,
                )
                points = desk.execute(TIMESERIES, request.parameters).fetchall()
                assert same(points, report_oracle.timeseries(desk, request))
        figures = desk.execute(SUMMARIES, request.parameters).fetchall()
        assert same(figures, report_oracle.summary(desk, request))
        sources = {source for _, _, source, _ in desk.execute(PARTS, request.parameters)}
        assert sources == {"rollups", "raw events"}
