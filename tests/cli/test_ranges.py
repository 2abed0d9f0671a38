"""Days that were typed as words are told as the days they mean; days typed as such, as typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import run, succeed
from tests.support.events import desk, mix

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

ZONE = "Pacific/Kiritimati"
"""Fourteen hours ahead: its days are never those of UTC for most of the time."""

REPORTS = (
    ("timeseries", "reply_time"),
    ("aggregate", "reply_time"),
    ("summary", "agent"),
)


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with events, all of it covered; account 2 is far east."""
    session = desk(connect(database))
    mix(session)
    session.execute("SELECT rollup.set_timezone(2, %s)", (ZONE,))
    session.execute("SELECT rollup.rebuild()")
    return session


def ago(session: Session, days: int) -> str:
    query = "SELECT ((now() AT TIME ZONE %s)::date - %s)::text"
    [day] = session.execute(query, (ZONE, days)).fetchone() or ("",)
    return str(day)


@pytest.mark.parametrize("words", REPORTS)
def test_the_title_of_a_report_has_the_days_that_words_mean(
    words: tuple[str, str], session: Session, database: str
) -> None:
    report = ("report", *words, "--account", "2")
    said = succeed(*report, "--since", "7d", "--until", "yesterday", on=database)
    days = f"of account 2, from {ago(session, 7)} until {ago(session, 1)} ({ZONE})"
    assert said.splitlines()[0].endswith(days)
    said = succeed(*report, on=database)
    assert f"from {ago(session, 29)} until {ago(session, -1)} ({ZONE})" in said.splitlines()[0]
    read = run(*report, "--since", "7d", "--format", "csv", on=database)
    assert f"from {ago(session, 7)} until {ago(session, -1)} ({ZONE})" in read.stderr
    assert "from" not in read.stdout.splitlines()[0]


def test_the_title_of_a_report_repeats_what_was_typed(session: Session, database: str) -> None:
    report = ("report", "aggregate", "reply_time", "--account", "2", "--for", "agent", "3")
    typed = ("--since", "20260301", "--until", "2026-03-09T12:00+05")
    done = run(*report, *typed, on=database)
    assert done.stdout.splitlines()[0] == (
        f"reply_time of agent 3, account 2, from 20260301 until 2026-03-09T12:00+05 ({ZONE})"
    )
    assert run(*report, *typed, "--json", on=database).stderr == ""


def test_hours_ago_are_told_as_local_times(session: Session, database: str) -> None:
    report = ("report", "aggregate", "reply_time", "--account", "2")
    title = succeed(*report, "--since", "24h", "--until", "now", on=database).splitlines()[0]
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+14:00"
    assert re.search(rf"from {moment} until {moment} \(", title)


def test_a_backfill_and_a_verification_tell_their_days(session: Session, database: str) -> None:
    words = ("--account", "2", "--since", "7d", "--until", "today")
    days = f"from {ago(session, 7)} until {ago(session, 0)}"
    assert (
        succeed("backfill", *words, on=database) == f"nothing to do: all days {days} are covered\n"
    )
    assert f" account-days {days}, 0 differences" in succeed("verify", *words, on=database)
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    planned = succeed("backfill", *words, "--dry-run", on=database)
    assert all(day in planned for day in (ago(session, 7), ago(session, 0)))
    done = run("backfill", *words, on=database)
    assert f"backfilled 0 events {days} in 1 chunk, " in done.stdout
    assert f"account 2: {ago(session, 7)} to {ago(session, 0)}, 0 events" in done.stderr
    said = succeed("backfill", "--since", "2026-03-01", on=database)
    assert " events from 2026-03-01 on in 1 chunk, " in said
