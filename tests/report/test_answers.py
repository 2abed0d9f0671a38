"""Reports say what a query over the raw events says, whatever is covered, asked for or odd."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import databases, report_oracle
from tests.support.report_oracle import (
    AGGREGATE,
    EVENTS,
    PARTS,
    SUMMARIES,
    TIMESERIES,
    Request,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_postgresql.executors import NoopExecutor

    Session = psycopg.Connection[Any]

CASES = {"short": 200, "long": 2000}[os.environ.get("HYPOTHESIS_PROFILE", "short")]

UTC = ZoneInfo("UTC")
BEGIN, END = datetime(2011, 9, 1, tzinfo=UTC), datetime(2012, 4, 15, tzinfo=UTC)
DAYS = (END - BEGIN).days

ZONES = {
    1: "America/New_York",
    2: "Pacific/Apia",  # left out 2011-12-30
    3: "America/St_Johns",  # went back from 2011-11-06 00:01 to the day before
    4: "America/Sao_Paulo",  # went on, and back, at midnight
    5: "Australia/Lord_Howe",  # goes back by half an hour
    6: "Asia/Kathmandu",
    7: "Europe/Rome",
    8: None,
    9: "America/Havana",  # goes back at 1 to midnight, which comes twice
}
# Of the same offset as one of these in its winter, and never changed.
FIXED = {1: "America/Panama", 4: "America/Cayenne", 7: "Africa/Lagos", 9: "America/Panama"}
ALIASES = {"America/New_York": "US/Eastern", "Europe/Rome": "Europe/Vatican"}

# Days on which, or next to which, a zone changes its clocks.
ODD_DAYS = {
    1: ["2011-11-06", "2012-03-11"],
    2: ["2011-09-24", "2011-12-29", "2011-12-31", "2012-04-01"],
    3: ["2011-11-05", "2011-11-06", "2012-03-11"],
    4: ["2011-10-16", "2012-02-25", "2012-02-26"],
    5: ["2011-10-02", "2012-04-01"],
    6: ["2012-02-29"],
    7: ["2011-10-30", "2012-03-25"],
    8: ["2011-12-31", "2012-01-01"],
    9: ["2011-11-13", "2012-04-01"],
}
# Moments at which one does, or a year or a February ends.
ODD = [
    "2011-09-24 14:00", "2011-10-01 15:30", "2011-10-16 03:00", "2011-10-30 01:00",
    "2011-11-06 02:31", "2011-11-06 06:00", "2011-11-13 05:00", "2011-12-30 10:00",
    "2011-12-31 23:00",
    "2012-02-26 02:00", "2012-02-29 00:00", "2012-03-11 07:00", "2012-03-25 01:00",
    "2012-03-31 15:00",
]  # fmt: skip

EVENTS_OF_HALF_A_YEAR = """
INSERT INTO public.reporting_events (
    name, value, value_in_business_hours, account_id, user_id, inbox_id, conversation_id,
    created_at, updated_at
)
SELECT
    (ARRAY [
        'conversation_resolved', 'first_response', 'reply_time', 'conversation_bot_resolved',
        'conversation_bot_handoff', 'conversation_opened', 'conversation_bot_handoff'
    ]) [1 + (i * 5 + i / 11) %% 7],
    nullif(i %% 11, 0) * 1.25,
    nullif(i %% 13, 0) * 0.5,
    1 + i %% 9,
    nullif((i / 9) %% 5, 0),
    nullif((i / 9) %% 3, 0),
    nullif((i / 27) %% 40, 0),
    CASE
        WHEN i %% 3 > 0
        THEN (%(odd)s::timestamp[])[1 + (i / 17) %% cardinality(%(odd)s)]
            + (i %% 179) * interval '3 minutes' - interval '4 hours'
        ELSE timestamp '2011-09-01' + i * interval '10.37 minutes'
    END,
    '2012-04-15'
FROM generate_series(1, 30000) i
"""


@pytest.fixture(scope="module")
def session(deployed_template: NoopExecutor) -> Iterator[Session]:
    """Connect to a database with the events of half a year, some of them pending."""
    with (
        databases.clone(deployed_template) as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        for account, zone in ZONES.items():
            if zone:
                connection.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
        connection.execute("SELECT rollup.rebuild()")
        connection.execute(EVENTS_OF_HALF_A_YEAR, {"odd": ODD})
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute(
            "UPDATE public.reporting_events SET conversation_id = 7, value = 3 WHERE id % 17 = 0"
        )
        connection.execute("DELETE FROM public.reporting_events WHERE id % 31 = 0")
        connection.execute("COMMIT")
        connection.execute("UPDATE rollup.accounts SET reads_enabled = true")
        connection.execute("ANALYZE")
        connection.execute("SET TimeZone = 'America/Sao_Paulo'")
        yield connection


moments = st.one_of(
    st.builds(
        lambda day, second: BEGIN + timedelta(days=day, seconds=second),
        st.integers(-3, DAYS + 3),
        st.integers(0, 86400),
    ),
    st.builds(
        lambda at, minutes: (
            datetime.fromisoformat(at).replace(tzinfo=UTC) + timedelta(minutes=minutes)
        ),
        st.sampled_from(ODD),
        st.integers(-300, 300),
    ),
)


def days(account: int) -> st.SearchStrategy[date]:
    """Draw a day of the half year, about every other time an odd one."""
    return st.one_of(
        st.builds(
            lambda odd, apart: date.fromisoformat(odd) + timedelta(days=apart),
            st.sampled_from(ODD_DAYS[account]),
            st.integers(-1, 2),
        ),
        st.integers(-2, DAYS + 2).map(lambda n: (BEGIN + timedelta(days=n)).date()),
    )


@st.composite
def ranges(draw: st.DrawFn, account: int, zone: str) -> tuple[datetime, datetime]:
    """Draw a range: of any moments, of whole days, or empty."""
    bounds = []
    for _ in range(2):
        if draw(st.integers(0, 3)) == 0:
            bounds.append(draw(moments))
        else:
            day = draw(days(account))
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
            bounds.append(midnight.astimezone(UTC))
    return min(bounds), max(bounds)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    account = draw(st.sampled_from(list(ZONES)))
    own = ZONES[account]
    zone = asked = draw(st.sampled_from([own, own, own, FIXED.get(account), *ZONES.values()]))
    if zone is None:
        zone = own or "UTC"
    elif draw(st.booleans()):
        asked = ALIASES.get(zone, zone)
    type_ = draw(st.sampled_from(["account", "agent", "inbox"]))
    since, until = draw(ranges(account, zone))
    unit = draw(st.sampled_from(["day", "day", "week", "month", "quarter", "year", "hour"]))
    if unit == "hour":
        until = min(until, since + timedelta(days=9))
    return Request(
        account=account,
        metric=draw(st.sampled_from(list(EVENTS))),
        since=since,
        until=until,
        zone=zone,
        asked_zone=asked,
        type=type_,
        id=None if type_ == "account" else draw(st.integers(1, 5)),
        unit=unit,
        hours=draw(st.booleans()),
        week_start=draw(st.sampled_from(["sunday", "monday"])),
    )


@st.composite
def coverages(draw: st.DrawFn, account: int) -> str:
    """Draw which days are covered: most often all, or all but some, or some."""
    match draw(st.sampled_from(["all", "gaps", "gaps", "ranges", "none"])):
        case "all":
            return "{(,)}"
        case "none":
            return "{}"
        case "gaps":
            gaps = draw(st.lists(days(account), min_size=1, max_size=4))
            return "{(,)} - " + ",".join(f"[{one},{one}]" for one in gaps)
        case _:
            bounds = sorted(draw(st.lists(days(account), min_size=2, max_size=6)))
            pairs = zip(bounds[::2], bounds[1::2], strict=False)
            return "{" + ",".join(f"[{first},{last}]" for first, last in pairs) + "}"


@st.composite
def cases(draw: st.DrawFn) -> tuple[Request, str, bool]:
    """Draw a request, which days are covered, and whether reads are on."""
    request = draw(requests())
    reads = draw(st.sampled_from([True, True, True, False]))
    return request, draw(coverages(request.account)), reads


def cover(session: Session, account: int, coverage: str, reads: bool) -> None:
    """Call only these days covered: a subset of what is."""
    days, _, gaps = coverage.partition(" - ")
    session.execute(
        "UPDATE rollup.accounts a"
        " SET covered = %s::datemultirange - %s::datemultirange, reads_enabled = %s"
        " WHERE a.account_id = %s",
        (days, f"{{{gaps}}}", reads, account),
    )


@settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
@given(case=cases())
def test_every_report_says_what_the_raw_events_say(
    session: Session, case: tuple[Request, str, bool]
) -> None:
    request, coverage, reads = case
    with session.transaction(force_rollback=True):
        cover(session, request.account, coverage, reads)
        points = in_utc(session.execute(TIMESERIES, request.parameters).fetchall())
        assert same(points, report_oracle.timeseries(session, request))
        [total] = session.execute(AGGREGATE, request.parameters).fetchone() or (None,)
        assert same(total, report_oracle.aggregate(session, request))
        figures = session.execute(SUMMARIES, request.parameters).fetchall()
        assert same(figures, report_oracle.summary(session, request))
        parts = in_utc(session.execute(PARTS, request.parameters).fetchall())
        assert_tiled(request, parts)
        if not reads or coverage == "{}" or request.unit == "hour" or not ZONES[request.account]:
            assert {source for _, _, source, _ in parts} <= {"raw events"}


def in_utc(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Convert moments to UTC: in Python, times that come twice equal none of another zone."""
    return [
        tuple(one.astimezone(UTC) if isinstance(one, datetime) else one for one in row)
        for row in rows
    ]


def assert_tiled(request: Request, parts: list[tuple[Any, ...]]) -> None:
    """Check that the parts of a range follow each other, and leave nothing out."""
    edges = [request.since, *(ends for _, ends, _, _ in parts)]
    assert [begins for begins, _, _, _ in parts] == edges[:-1]
    assert edges[-1] == request.until
    assert all(reason for *_, reason in parts)
