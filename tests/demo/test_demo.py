"""The demo: its events are realistic and repeatable, and it keeps what it promises."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO, TextIOWrapper
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from psycopg.conninfo import make_conninfo
from rich.console import Console

from generator.database.connection import connect
from generator.demo import own_database, run, wording
from generator.demo.companies import COMPANIES
from generator.demo.events import DAYS, Event, history
from generator.demo.show import Show
from generator.demo.stage import Stage
from generator.errors import DatabaseError
from generator.registry import load

if TYPE_CHECKING:
    from collections.abc import Iterator

ANCHOR = date(2026, 3, 10)
AGREEMENT = r"raw events and rollups agree: [\d ]+ events, [\d ]+ rollup rows, 0 differences"
EXISTS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_database d WHERE d.datname = %s)"
SPOIL = """
UPDATE public.reporting_events_rollups
SET count = count + 7
WHERE (account_id, date, dimension_type, metric) = (
    SELECT account_id, date, dimension_type, metric
    FROM public.reporting_events_rollups
    WHERE dimension_type = 'account'
    ORDER BY date
    LIMIT 1
)
"""


@pytest.fixture
def name(empty_database: str) -> Iterator[str]:
    """Give a name for the demo's database, of which nothing is left afterwards."""
    unique = f"demo_{secrets.token_hex(4)}"
    yield unique
    own_database.drop(empty_database, unique)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=80)


@pytest.fixture(scope="module")
def year() -> list[Event]:
    return list(history(events=12_000, seed=1, anchor=ANCHOR).events)


def printed(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def exists(dsn: str, name: str) -> bool:
    with connect(dsn) as session:
        return session.execute(EXISTS, (name,)).fetchone() == (True,)


def test_a_small_demo_ends_with_agreement_and_leaves_nothing(
    empty_database: str, name: str, console: Console
) -> None:
    agreed = run(
        empty_database, load(), console, events=3000, live_seconds=0.7, anchor=ANCHOR, database=name
    )
    lines = printed(console)
    assert agreed
    assert re.fullmatch(AGREEMENT, lines[-1])
    assert [line[0] for line in lines if re.match(r"\d  ", line)] == list("1234567")
    assert any(re.fullmatch(r" +[\d ]+ transactions committed, 0 failed", line) for line in lines)
    assert any("the same answer, on all " in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 70
    assert not exists(empty_database, name)


def test_a_demo_of_hardly_any_events_works_too(
    empty_database: str, name: str, console: Console
) -> None:
    assert run(empty_database, load(), console, events=1, live_seconds=0.1, database=name)
    assert re.fullmatch(AGREEMENT, printed(console)[-1])


def test_a_kept_demo_says_how_to_look_around_and_is_replaced_by_the_next(
    empty_database: str, name: str, console: Console
) -> None:
    for _ in range(2):
        assert run(
            empty_database,
            load(),
            console,
            events=300,
            live_seconds=0.1,
            database=name,
            keep=True,
        )
    assert exists(empty_database, name)
    [line] = [line for line in printed(console)[-5:] if line.startswith("look around: ")]
    assert f"dbname={name}" in line


def test_differences_are_printed_and_keep_the_database(
    empty_database: str, name: str, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(show: Show) -> bool:
        show.session.execute(SPOIL)
        return True

    monkeypatch.setattr(Show, "compare", spoil)
    assert not run(empty_database, load(), console, events=300, live_seconds=0.1, database=name)
    lines = printed(console)
    where = lines.index("   DIFFERENCES, 1 of them; truth minus rollups:")
    assert re.search(r"account \d +\w+ +count -7$", lines[where + 2].rstrip())
    assert lines[-1] == "raw events and rollups do NOT agree: see above"
    assert exists(empty_database, name)


def test_an_interrupted_demo_leaves_nothing(
    empty_database: str, name: str, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(show: Show, events: int, seed: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Show, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(empty_database, load(), console, database=name)
    assert not exists(empty_database, name)


def test_a_role_that_may_not_create_databases_is_told_so(
    empty_database: str, name: str, console: Console
) -> None:
    modest = make_conninfo(empty_database, options="-c role=pg_monitor")
    with pytest.raises(DatabaseError, match=f"cannot create the database {name}") as refusal:
        run(modest, load(), console, database=name)
    assert "CREATEDB" in str(refusal.value.hint)
    assert not printed(console)


def test_the_command_to_look_around_gives_no_password_away() -> None:
    command = own_database.command("host=db.example user=ann password=secret dbname=demo")
    assert "secret" not in command
    assert "host=db.example" in command


def test_the_same_seed_and_anchor_give_the_same_events() -> None:
    one, same = (history(events=1000, seed=7, anchor=ANCHOR) for _ in range(2))
    assert one == same
    assert one.events != history(events=1000, seed=8, anchor=ANCHOR).events


def test_the_anchor_moves_the_year() -> None:
    later = history(events=1000, seed=7, anchor=ANCHOR + timedelta(weeks=30)).events
    assert min(event.created_at.date() for event in later) > date(2025, 10, 1)


def test_there_are_about_as_many_events_as_asked_for(year: list[Event]) -> None:
    assert len(year) == pytest.approx(12_000, rel=0.05)


def test_the_events_of_every_company_fill_the_year_up_to_yesterday(year: list[Event]) -> None:
    days = {(event.account_id, event.created_at.date()) for event in year}
    for company in COMPANIES:
        own = sorted(day for account, day in days if account == company.id)
        assert own[0] < ANCHOR - timedelta(days=DAYS - 10)
        assert ANCHOR - timedelta(days=5) < own[-1] < ANCHOR
    assert {company.zone for company in COMPANIES} > {"Australia/Lord_Howe", "Asia/Kolkata", "UTC"}
    assert "Chennai" in {company.setting for company in COMPANIES}


def test_events_keep_the_working_hours_and_weekends_of_their_company(year: list[Event]) -> None:
    for company in COMPANIES:
        zone = ZoneInfo(company.zone)
        local = [
            event.created_at.replace(tzinfo=UTC).astimezone(zone)
            for event in year
            if event.account_id == company.id
        ]
        weekend = sum(at.weekday() >= 5 for at in local) / len(local)
        at_work = sum(at.weekday() < 5 and 8 <= at.hour < 20 for at in local) / len(local)
        assert 0.005 < weekend < 0.12
        assert at_work > 0.8


def test_values_are_seconds_some_of_them_in_business_hours(year: list[Event]) -> None:
    known = [event for event in year if event.value is not None]
    for event in known:
        lasted = event.event_end_time - event.event_start_time
        assert event.value == lasted.total_seconds() >= 0
        assert event.event_end_time <= event.created_at == event.updated_at
    within = [
        (event.value_in_business_hours, event.value)
        for event in known
        if event.value_in_business_hours is not None
    ]
    assert all(0 <= hours <= value for hours, value in within if value is not None)
    assert any(hours < value for hours, value in within if value is not None)


def test_only_old_events_lack_values(year: list[Event]) -> None:
    lacking = [event for event in year if event.value_in_business_hours is None]
    assert 0.03 < len(lacking) / len(year) < 0.12
    assert 0 < sum(event.value is None for event in year) < len(lacking)
    old = datetime.combine(ANCHOR, datetime.min.time()) - timedelta(days=DAYS - 60)
    assert max(event.created_at for event in lacking) < old


def test_conversations_are_reopened_resolved_by_bots_and_handed_off_twice(
    year: list[Event],
) -> None:
    happened = Counter((event.name, event.conversation_id) for event in year)
    names = {name for name, _ in happened}
    twice = {name for (name, _), times in happened.items() if times == 2}
    assert names == {
        "conversation_opened",
        "first_response",
        "reply_time",
        "conversation_resolved",
        "conversation_bot_resolved",
        "conversation_bot_handoff",
    }
    assert twice == names - {"first_response", "conversation_bot_resolved"}
    both = {one for name, one in happened if name == "conversation_bot_resolved"} & {
        one for name, one in happened if name == "conversation_bot_handoff"
    }
    assert both


def test_some_events_have_no_agent_and_none_one_of_another_company(year: list[Event]) -> None:
    companies = {company.id: company for company in COMPANIES}
    assert any(event.user_id is None for event in year if event.name == "conversation_resolved")
    for event in year:
        company = companies[event.account_id]
        assert event.user_id is None or event.user_id in company.agents
        assert event.inbox_id in company.inbox_ids


def test_conversations_open_in_the_order_of_their_ids() -> None:
    rows = history(events=1000, seed=1, anchor=ANCHOR).conversations
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    assert sorted(rows, key=lambda row: row.created_at) == rows


@pytest.mark.parametrize(
    ("encoding", "bar", "columns"),
    [("utf-8", "██▌", [" ▄█", "▄██"]), ("ascii", "##", [" ##", " ##"])],
)
def test_charts_are_drawn_in_what_the_terminal_can_show(
    encoding: str, bar: str, columns: list[str]
) -> None:
    with TextIOWrapper(BytesIO(), encoding=encoding) as nowhere:
        stage = Stage(Console(file=nowhere))
        assert stage.bar(0.5, 5) == bar
        assert stage.columns([1, 3, 4], 2) == columns


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0.2, "0.2 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (3599, "1 h"),
        (3900, "1 h 5 min"),
        (47.4 * 3600, "47 h 24 min"),
        (52 * 3600, "2 d 4 h"),
    ],
)
def test_averages_are_written_for_people(seconds: float | None, words: str) -> None:
    assert wording.lasting(seconds) == words


def test_times_and_numbers_are_written_for_people() -> None:
    assert [wording.seconds(one) for one in (4.06, 0.031, 0.0012)] == ["4.1 s", "31 ms", "1.2 ms"]
    assert wording.number(203114) == "203 114"
