"""Local times that clocks show twice are told apart by offsets, also one without the other."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.connection import connect as connected
from generator.report.local_times import offsets
from tests.support.command import run, succeed
from tests.support.events import desk, write

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

SECOND = ("--since", "2026-10-25T02:00+01:00", "--until", "2026-10-25T03:00+01:00")
FIRST = ("--since", "2026-10-25T02:00+02:00", "--until", "2026-10-25T02:00+01:00")
ROME = ("--account", "3")
HOURS = ("report", "timeseries", "reply_time", *ROME, "--by", "hour")


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with an event in each of the two hours that clocks in Rome call two."""
    session = desk(connect(database))
    for created_at in ("2026-10-25 00:30", "2026-10-25 01:30"):
        write(session, account_id=3, name="reply_time", created_at=created_at)
    return session


@pytest.mark.parametrize(("range_", "offset"), [(FIRST, "+02:00"), (SECOND, "+01:00")])
@pytest.mark.usefixtures("session")
def test_one_of_the_two_hours_alone_has_its_offset(
    range_: tuple[str, ...], offset: str, database: str, tmp_path: Path
) -> None:
    label = f"2026-10-25 02:00 {offset}"
    lines = succeed(*HOURS, *range_, on=database).splitlines()[2:]
    assert [line.split("  ")[0].rstrip() for line in lines] == [label]
    assert label in succeed(*HOURS, *range_, "--compare", on=database)
    [row] = csv.DictReader(io.StringIO(succeed(*HOURS, *range_, "--format", "csv", on=database)))
    assert datetime.fromisoformat(row["bucket_start"]) == datetime.fromisoformat(range_[1])
    assert row["local_start"] == "2026-10-25T02:00:00"
    explained = run(*HOURS, *range_, "--explain", on=database).stderr
    end = "2026-10-25 02:00:00 +01:00" if range_ == FIRST else "2026-10-25 03:00:00"
    assert explained.startswith(f"2026-10-25 02:00:00 {offset} to {end}: raw events")
    page = tmp_path / "page.html"
    succeed("report", "--html", str(page), *ROME, *range_, on=database)
    written = page.read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert written.count(f"25 Oct 2026, 02:00 {offset} \N{EN DASH} 25 Oct 2026, 0") >= 3


@pytest.mark.usefixtures("session")
def test_other_hours_have_no_offset(database: str) -> None:
    night = ("--since", "2026-10-25", "--until", "2026-10-26")
    said = succeed(*HOURS, *night, on=database)
    assert said.count("+01:00") == said.count("+02:00") == 1
    spring = ("--since", "2026-03-29", "--until", "2026-03-30")
    assert "+0" not in succeed(*HOURS, *spring, on=database)


@pytest.mark.parametrize(
    ("zone", "moment", "offset"),
    [
        ("Europe/Rome", "2026-10-24 23:59", ""),
        ("Europe/Rome", "2026-10-25 00:00", "+02:00"),
        ("Europe/Rome", "2026-10-25 01:59", "+01:00"),
        ("Europe/Rome", "2026-10-25 02:00", ""),
        ("Europe/Rome", "2026-03-29 01:00", ""),
        ("America/Havana", "2026-11-01 04:00", "-04:00"),
        ("America/Havana", "2026-11-01 05:00", "-05:00"),
        ("Australia/Lord_Howe", "2026-04-04 15:00", "+10:30"),
        ("Australia/Lord_Howe", "2026-04-04 15:30", ""),
        ("Pacific/Kwajalein", "1969-09-30 13:30", "-12:00"),
        ("UTC", "2026-10-25 01:00", ""),
    ],
)
def test_whatever_clocks_show_twice_is_known(
    zone: str, moment: str, offset: str, empty_database: str
) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    with connected(empty_database) as session:
        query = "SELECT %s::timestamptz AT TIME ZONE %s"
        [local] = session.execute(query, (at, zone)).fetchone() or ("",)
        assert offsets(session, zone, [(at, local)]) == [offset]
