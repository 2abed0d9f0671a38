"""Days and moments that Python cannot hold are printed as text, and hide nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.connection import connect as connect_command
from generator.operate import verify
from generator.report import queries
from tests.support.command import fail, run, succeed
from tests.support.events import desk, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

LAST = "9999-12-31 23:59:59"
"""A moment in UTC that is a day of the year 10000 in Berlin, the zone of account 1."""

TAMPER = """
UPDATE public.reporting_events_rollups
SET count = count + 1
WHERE account_id = 1
"""
STRAY = """
INSERT INTO public.reporting_events_rollups
    (account_id, date, dimension_type, dimension_id, metric, count)
SELECT 1, day::date, 'account', '1', 'resolutions_count', 1
FROM unnest(%s::text[]) day
"""
STRANGE_DAYS = ["infinity", "-infinity", "5874897-12-31", "0044-03-15 BC", "2026-03-05"]


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    session = desk(connect(database))
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin')")
    session.execute("CALL rollup.backfill()")
    write(session, created_at=LAST)
    write(session, created_at="2026-03-09 12:00")
    write(session, created_at="0001-01-02 12:00")
    return session


def test_differences_of_the_year_10000_are_printed_beside_the_others(
    session: Session, database: str
) -> None:
    session.execute(TAMPER)
    shown = run("verify", on=database)
    assert shown.exit_code == 2
    for day in ("10000-01-01", "2026-03-09", "0001-01-02"):
        assert day in shown.stdout
    found = json.loads(run("verify", "--json", on=database).stdout)
    assert {row["date"] for row in found} == {"10000-01-01", "2026-03-09", "0001-01-02"}


@pytest.mark.parametrize("sampled", [[], ["--sample", "100"]], ids=["all", "sample"])
def test_differences_of_the_year_10000_are_repaired(
    session: Session, database: str, sampled: list[str]
) -> None:
    session.execute(TAMPER)
    assert "10000-01-01" in run("verify", *sampled, on=database).stdout
    assert run("verify", "--repair", *sampled, on=database).exit_code == 0
    assert_exact(session)


def test_totals_on_days_that_no_event_can_have_are_found_and_removed(
    session: Session, database: str
) -> None:
    session.execute(STRAY, (STRANGE_DAYS,))
    shown = run("verify", on=database).stdout
    assert all(day in shown for day in STRANGE_DAYS)
    assert "2026-03-05" in run("verify", "--sample", "1000", on=database).stdout
    assert run("verify", "--repair", "--yes", on=database).exit_code == 0
    assert_exact(session)


def test_backfill_of_the_year_10000_shows_its_plan_and_runs(
    session: Session, database: str
) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    session.execute("TRUNCATE public.reporting_events_rollups")
    for order in ([], ["--newest-first"]):
        planned = succeed("backfill", "--dry-run", "--chunk-events", "1", *order, on=database)
        assert "account 1" in planned
        plan = json.loads(
            succeed("backfill", "--dry-run", "--json", "--chunk-events", "1", *order, on=database)
        )
        assert any(chunk["since"] == "9999-12-31" for chunk in plan)
    succeed("backfill", "--yes", "--chunk-events", "1", "--newest-first", on=database)
    assert_exact(session)


def test_every_other_command_copes_with_the_year_10000(session: Session, database: str) -> None:
    for command in (
        ["status"],
        ["status", "--json"],
        ["plan"],
        ["deploy"],
        ["timezone", "1", "America/New_York"],
        ["backfill"],
        ["fold"],
        ["verify"],
    ):
        succeed(*command, on=database)
    assert_exact(session)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize("unit", ["week", "day", "hour"])
def test_a_report_begins_in_the_week_before_the_year_1(
    session: Session, database: str, unit: str, form: str
) -> None:
    shown = succeed(
        *("report", "timeseries", "resolutions_count", "--account", "1", "--by", unit),
        *("--since", "0001-01-02", "--until", "0001-01-20", "--format", form, "--explain"),
        on=database,
    )
    assert ("0001-12-31" in shown) == (unit == "week")
    assert (" BC" in shown) == (unit == "week")
    assert_exact(session)


def test_a_session_west_of_greenwich_asks_for_the_first_days_of_the_year_1(
    session: Session, database: str
) -> None:
    with connect_command(database) as own:
        own.execute("SET TimeZone = 'America/New_York'")
        moment = queries.moment(own, "0001-01-01", "UTC")  # type: ignore[arg-type]
        assert moment.isoformat() == "0001-01-01T00:00:00+00:00"
    assert_exact(session)


def test_a_range_that_begins_before_the_year_1_is_refused_with_what_to_give(
    session: Session, database: str, tmp_path: Path
) -> None:
    asked = ("--account", "1", "--since", "0001-01-01", "--timezone", "Asia/Tokyo")
    for command in (
        ("timeseries", "resolutions_count"),
        ("aggregate", "resolutions_count"),
        ("--html", str(tmp_path / "page.html")),
    ):
        assert "years 1 to 9999" in fail("report", *command, *asked, on=database)
    assert_exact(session)


def test_a_page_of_the_first_weeks_of_the_year_1_is_written_or_refused(
    session: Session, database: str, tmp_path: Path
) -> None:
    page = ("report", "--html", str(tmp_path / "page.html"), "--account", "1")
    succeed(*page, "--since", "0001-01-02", "--until", "0001-02-01", on=database)
    refused = fail(*page, "--since", "0001-01-02", "--until", "0001-08-01", on=database)
    assert "years 1 to 9999" in refused
    assert_exact(session)


def test_one_day_by_itself_is_compared_in_the_year_10000(session: Session, database: str) -> None:
    session.execute(TAMPER)
    with connect_command(database) as own:
        rows = verify.drift(own, verify.Scope())
        again = verify.drift_of(own, rows)
    assert [row["date"] for row in again if row["date"] == "10000-01-01"]
    assert len(again) == len(rows)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)
