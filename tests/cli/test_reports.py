"""The commands about reports: `report` and `reads`."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import fail, run, succeed
from tests.support.events import ZONES, desk, mix, write

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

DAYS = ("--account", "2", "--since", "2026-03-08", "--until", "2026-03-11")
SERIES = ("report", "timeseries")

BY_DAY = """
SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')::date::text, count(*)
FROM public.reporting_events e
WHERE e.account_id = 2
AND e.name = 'conversation_resolved'
AND e.created_at >= '2026-03-08 05:00'
AND e.created_at < '2026-03-11 04:00'
GROUP BY 1
ORDER BY 1
"""
BY_AGENT = """
SELECT e.user_id::text, count(*)::text
FROM public.reporting_events e
WHERE e.account_id = 2
AND e.name = 'conversation_resolved'
AND e.created_at >= '2026-03-08 05:00'
AND e.created_at < '2026-03-11 04:00'
AND e.user_id IS NOT NULL
GROUP BY 1
ORDER BY 1
"""
READS = "SELECT account_id FROM rollup.accounts WHERE reads_enabled ORDER BY account_id"
VANDALISM = "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = 2"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with events, all of it covered; account 2's reads are on."""
    session = desk(connect(database))
    mix(session, 280)
    session.execute("UPDATE rollup.accounts SET reads_enabled = true WHERE account_id = 2")
    return session


def test_a_series_is_a_table_with_bars(session: Session, database: str) -> None:
    title, heading, *lines = succeed(*SERIES, "resolutions_count", *DAYS, on=database).splitlines()
    assert title == (
        "resolutions_count of account 2, from 2026-03-08 until 2026-03-11 (America/New_York)"
    )
    assert heading.split() == ["day", "(America/New_York)", "value", "count"]
    found = [re.fullmatch(r"(\S+) \w{3} +(\d+) +(\d+)  (█*)\s*", line) for line in lines]
    rows = session.execute(BY_DAY).fetchall()
    assert [(one[1], int(one[2])) for one in found if one] == rows
    most = max(count for _, count in rows)
    assert max(len(one[4]) for one in found if one and int(one[2]) == most) == 40


def test_a_series_is_csv_or_json_for_programs(session: Session, database: str) -> None:
    rows = session.execute(BY_DAY).fetchall()
    text = succeed(*SERIES, "resolutions_count", *DAYS, "--format", "csv", on=database)
    read = list(csv.DictReader(io.StringIO(text)))
    assert [(row["local_start"][:10], int(row["count"])) for row in read] == rows
    assert read[0]["bucket_start"] == "2026-03-08T05:00:00+00:00"
    assert read[1]["bucket_start"] == "2026-03-09T04:00:00+00:00"
    text = succeed(*SERIES, "resolutions_count", *DAYS, "--format", "json", on=database)
    assert [(row["local_start"][:10], row["count"]) for row in json.loads(text)] == rows


def test_an_aggregate_and_a_summary_say_what_the_events_say(
    session: Session, database: str
) -> None:
    total = sum(count for _, count in session.execute(BY_DAY))
    text = succeed("report", "aggregate", "resolutions_count", *DAYS, "--format=csv", on=database)
    assert text == f"metric,value\nresolutions_count,{total:.1f}\n"
    text = succeed("report", "summary", "agent", *DAYS, "--format", "csv", on=database)
    [heading, *rows] = csv.reader(io.StringIO(text))
    assert heading[:3] == ["dimension_id", "resolved_conversations_count", "avg_resolution_time"]
    assert [(id_, count) for id_, count, *_ in rows if count != "0"] == session.execute(
        BY_AGENT
    ).fetchall()
    one = rows[0][0]
    alone = succeed(
        *("report", "aggregate", "avg_resolution_time", *DAYS, "--for", "agent", one),
        *("--format", "json"),
        on=database,
    )
    assert json.loads(alone)[0]["value"] == pytest.approx(float(rows[0][2]))


def test_both_ways_are_compared_in_one_snapshot(session: Session, database: str) -> None:
    verdict = re.compile(r"the same: rollups \d+\.\d ms, raw events \d+\.\d ms \(\d+\.\d times\)")
    for command in (
        (*SERIES, "reply_time", "--by", "hour"),
        (*SERIES, "bot_handoffs_count", "--by", "week", "--week-start", "monday"),
        ("report", "aggregate", "avg_first_response_time"),
        ("report", "summary", "inbox"),
    ):
        printed = succeed(*command, *DAYS, "--compare", on=database).splitlines()
        assert verdict.fullmatch(printed[-1])
    text = succeed(*SERIES, "reply_time", *DAYS, "--compare", "--format", "json", on=database)
    compared = json.loads(text)
    assert compared["same"] is True
    assert compared["rollups"] == compared["raw_events"] != []
    assert compared["rollups_ms"] > 0 < compared["raw_events_ms"]


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_where_both_ways_differ_it_fails_and_shows_both(
    format_: str, session: Session, database: str
) -> None:
    session.execute(VANDALISM)
    session.execute("UPDATE rollup.accounts SET reads_enabled = false")
    compared = run(
        *(*SERIES, "resolutions_count", *DAYS, "--compare", "--format", format_), on=database
    )
    assert compared.exit_code == 2
    assert "3 of 3 rows differ: rollups" in compared.output
    if format_ == "json":
        assert json.loads(compared.stdout)["same"] is False


def test_where_figures_come_from_is_told_beside_them(session: Session, database: str) -> None:
    arguments = ("--account", "2", "--since", "2026-03-08T12:00", "--until", "2026-03-10")
    explained = run(*SERIES, "reply_time", *arguments, "--explain", on=database)
    assert explained.stderr.splitlines() == [
        "2026-03-08 12:00:00 to 2026-03-09: raw events (part of a day)",
        "2026-03-09 to 2026-03-10: rollups (whole days that are covered)",
    ]


def test_beside_a_comparison_it_is_told_what_the_rollups_covered(
    session: Session, database: str
) -> None:
    explained = run(*SERIES, "reply_time", *DAYS, "--compare", "--explain", on=database)
    assert explained.stderr.splitlines() == [
        "2026-03-08 to 2026-03-11: rollups (whole days that are covered)"
    ]


def test_one_number_is_made_of_the_days_of_the_account_whatever_the_zone(
    session: Session, database: str
) -> None:
    zone = ("--timezone", "Asia/Tokyo", "--explain")
    explained = run("report", "aggregate", "reply_time", *DAYS, *zone, on=database)
    assert explained.stderr.splitlines()[1].endswith("rollups (whole days that are covered)")


def test_bars_are_drawn_with_what_the_output_can_show(session: Session, database: str) -> None:
    command = [sys.executable, "-m", "generator", *SERIES, "resolutions_count", *DAYS]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "DATABASE_URL": database}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert max(line.count("#") for line in printed.stdout.splitlines()) == 40


def test_a_range_is_the_last_30_days_with_today(session: Session, database: str) -> None:
    text = succeed(*SERIES, "reply_time", "--account", "2", "--format", "json", on=database)
    rows = json.loads(text)
    assert len(rows) == 30
    today = "SELECT (now() AT TIME ZONE 'America/New_York')::date::text"
    assert session.execute(today).fetchone() == (rows[-1]["local_start"][:10],)


def test_moments_may_have_an_offset_and_days_another_zone(session: Session, database: str) -> None:
    scope = ("--account", "2", "--since", "2026-03-08T22:30+05:30", "--until", "2026-03-09T01:00Z")
    text = succeed(*SERIES, "reply_time", *scope, "--by", "hour", "--format", "json", on=database)
    assert [row["bucket_start"][:16] for row in json.loads(text)][::7] == [
        "2026-03-08T17:00",
        "2026-03-09T00:00",
    ]
    scope = ("--account", "2", "--since", "2026-03-08", "--until", "2026-03-09")
    zone = ("--timezone", "Asia/Kolkata")
    text = succeed(*SERIES, "reply_time", *scope, *zone, "--format", "json", on=database)
    assert [row["bucket_start"] for row in json.loads(text)] == ["2026-03-07T18:30:00+00:00"]


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("yesterday", "today", [1]),
        ("2d", "now", [2, 1, 0]),
        ("1w", "5d", [7, 6]),
        ("today", "tomorrow", [0]),
    ],
)
def test_moments_may_be_words_in_the_zone_of_the_account(
    since: str, until: str, days: list[int], session: Session, database: str
) -> None:
    words = ("--account", "2", "--since", since, "--until", until, "--format", "json")
    rows = json.loads(succeed(*SERIES, "reply_time", *words, on=database))
    query = "SELECT ((now() AT TIME ZONE 'America/New_York')::date - %s)::text"
    found = [session.execute(query, (ago,)).fetchone() for ago in days]
    assert [(row["local_start"][:10],) for row in rows] == found


def test_a_range_of_hours_ends_now(session: Session, database: str) -> None:
    words = ("--account", "2", "--since", "24h", "--until", "now", "--by", "hour")
    rows = json.loads(succeed(*SERIES, "reply_time", *words, "--format", "json", on=database))
    assert len(rows) in {24, 25}


@pytest.mark.parametrize("command", ["verify", "backfill"])
def test_days_may_be_words_and_are_repeated_with_what_they_mean(
    command: str, session: Session, database: str
) -> None:
    succeed(command, "--since", "7d", "--until", "today", on=database)
    said = fail(command, "--since", "yesterday", "--until", "7d", on=database)
    days = r"--until 7d \(\d{4}-\d\d-\d\d\) must be after --since yesterday \(\d{4}-\d\d-\d\d\)"
    assert re.search(days, said)
    assert "'24h' is neither" in fail(command, "--since", "24h", on=database)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("timeseries", "replies", "--account", "2"), "unknown metric 'replies'"),
        (("timeseries", "reply_time", "--account", "99"), "unknown account 99"),
        (("aggregate", "conversations_count", "--account", "2"), "not made of events"),
        (("summary", "team", "--account", "2"), "unknown dimension 'team'"),
        (
            ("aggregate", "reply_time", "--account", "2", "--for", "agent", "six"),
            'invalid input syntax for type bigint: "six"',
        ),
        (
            ("aggregate", "reply_time", "--account", "2", "--timezone", "Mars/Olympus3"),
            "unknown time zone 'Mars/Olympus3'",
        ),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_a_hint(
    arguments: tuple[str, ...], message: str, session: Session, database: str
) -> None:
    failed = fail("report", *arguments, on=database)
    assert failed.startswith(f"error: {message}") or message in failed
    assert "Traceback" not in failed


@pytest.mark.parametrize(
    "arguments",
    [
        ("timeseries", "reply_time"),
        ("timeseries", "reply_time", "--account", "2", "--since", "lately"),
        ("timeseries", "reply_time", "--account", "2", "--since", "today", "--until", "7d"),
        ("timeseries", "reply_time", "--account", "2", "--by", "fortnight"),
        ("timeseries", "reply_time", "--account", "2", "--until", "0001-01-05"),
        ("--html", "x.html"),
        ("--html", "x.html", "--account", "2", "aggregate", "reply_time"),
        ("--since", "2026-03-08", "timeseries", "reply_time", "--account", "2"),
    ],
)
def test_what_is_no_command_is_an_error_of_usage(arguments: tuple[str, ...], database: str) -> None:
    fail("report", *arguments, on=database)


def test_reads_are_listed_and_switched(session: Session, database: str) -> None:
    listed = succeed("reads", on=database).splitlines()
    assert [line.split()[:3] for line in listed[1:]] == [
        ["1", "off", ZONES[1]],
        ["2", "on", ZONES[2]],
        ["3", "off", ZONES[3]],
    ]
    assert succeed("reads", "1", "on", on=database) == "account 1: reads on\n"
    assert succeed("reads", "2", "off", on=database) == "account 2: reads off\n"
    assert session.execute(READS).fetchall() == [(1,)]
    assert "unknown account 77" in fail("reads", "77", "on", on=database)
    session.execute("SELECT rollup.set_timezone(3, NULL)")
    assert "account 3 has no time zone" in fail("reads", "3", "on", on=database)


def test_an_account_with_drift_is_not_switched_on(session: Session, database: str) -> None:
    succeed("reads", "2", "off", on=database)
    session.execute(VANDALISM)
    failed = fail("reads", "2", "on", on=database)
    assert "differences on covered days" in failed
    assert "hint: mend them: python -m generator verify --repair --account 2" in failed
    assert session.execute(READS).fetchall() == []
    succeed("verify", "--repair", "--account", "2", on=database)
    succeed("reads", "2", "on", on=database)
    assert session.execute(READS).fetchall() == [(2,)]


def test_an_account_that_is_not_covered_may_be_switched_on_and_is_told_so(
    session: Session, database: str
) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 3")
    write(session, account_id=3)
    switched = run("reads", "3", "on", on=database)
    assert switched.exit_code == 0
    assert "not covered: days that are not covered come from raw events" in switched.stderr


def test_a_page_is_written(session: Session, database: str, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    printed = succeed("report", "--html", str(file), *DAYS, on=database)
    assert printed == f"wrote {file}\n"
    total = sum(count for _, count in session.execute(BY_DAY))
    assert f'<data value="{total}' in file.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_an_error(
    session: Session, database: str, tmp_path: Path
) -> None:
    failed = fail("report", "--html", str(tmp_path / "none" / "x.html"), *DAYS, on=database)
    assert "cannot write" in failed
    assert "No such file or directory" in failed


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset(
    session: Session, database: str
) -> None:
    command = (*SERIES, "reply_time", "--account", "2", "--by", "hour")
    night = ("--since", "2026-11-01", "--until", "2026-11-01T03:00")
    lines = succeed(*command, *night, on=database).splitlines()[2:]
    assert [line.split("  ")[0].rstrip() for line in lines] == [
        "2026-11-01 00:00",
        "2026-11-01 01:00 -04:00",
        "2026-11-01 01:00 -05:00",
        "2026-11-01 02:00",
    ]
    rows = json.loads(succeed(*command, *night, "--format", "json", on=database))
    assert len({row["bucket_start"] for row in rows}) == 4
    compared = succeed(*command, *night, "--compare", on=database)
    assert "2026-11-01 01:00 -05:00" in compared
    another = succeed(*command, *night, "--timezone", "Asia/Kolkata", on=database)
    assert "+05:30" not in another
