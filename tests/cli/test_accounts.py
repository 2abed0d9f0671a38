"""The commands about accounts: timezone, backfill, fold, verify and status."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from generator import __version__
from tests.support.command import fail, run, succeed
from tests.support.events import ZONES, desk, mix, write
from tests.support.oracle import assert_exact, assert_exact_where_covered, differences

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

VANDALISM = "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = 2"

COVERED = "SELECT a.account_id FROM rollup.accounts a WHERE a.covered = '{(,)}' ORDER BY 1"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with accounts and events, all of it covered."""
    session = desk(connect(database))
    mix(session)
    return session


@pytest.fixture
def history(database: str, connect: Connect) -> Session:
    """Connect to a database with the history of three accounts, none of it backfilled."""
    session = connect(database)
    session.execute("SET session_replication_role = replica")
    mix(session)
    session.execute("RESET session_replication_role")
    for account, zone in ZONES.items():
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    return session


@pytest.fixture
def without_zones(database: str, connect: Connect) -> None:
    """Let the application have accounts 7 and 8, which take no part."""
    connect(database).execute("INSERT INTO public.accounts (id, name) VALUES (7, 'a'), (8, 'b')")


@pytest.mark.usefixtures("without_zones")
def test_timezone_lists_shows_sets_and_switches_off(database: str) -> None:
    set_ = run("timezone", "7", "europe/berlin", "--no-backfill", on=database)
    assert set_.stdout == "account 7: Europe/Berlin\n"
    assert "not covered" in set_.stderr
    said = succeed("timezone", "8", "Chennai", on=database).splitlines()
    assert said == ["account 8: Asia/Kolkata", "backfilled 0 events in 1 chunk, 0 rows changed"]
    listed = succeed("timezone", on=database).splitlines()
    assert listed[0].split() == [
        *("account", "time", "zone", "recorded", "in", "application's", "setting", "state"),
    ]
    assert [line.split()[:2] for line in listed[1:]] == [
        ["7", "Europe/Berlin"],
        ["8", "Asia/Kolkata"],
    ]
    assert "Asia/Kolkata" not in succeed("timezone", "7", on=database)
    off = run("timezone", "7", "--off", "--no-backfill", on=database)
    assert off.stdout == "account 7: off\n"
    assert "switched off, not yet removed" in succeed("timezone", "7", on=database)
    assert succeed("timezone", "7", "--off", on=database) == "account 7: off\nremoved 0 rows\n"
    assert "switched off, not yet" not in succeed("timezone", "7", on=database)


def test_a_change_of_zone_is_backfilled_goes_on_where_it_was_stopped_and_is_undone(
    history: psycopg.Connection[Any], database: str
) -> None:
    account = next(iter(ZONES))
    succeed("backfill", "--account", str(account), "--yes", on=database)
    history.execute("SELECT rollup.set_timezone(%s, 'Asia/Tokyo')", (account,))
    said = run("timezone", str(account), "Pacific/Apia", on=database)
    assert said.stdout.startswith(f"account {account}: Pacific/Apia\nbackfilled ")
    assert "1/1" in said.stderr
    assert_exact_where_covered(history)
    again = succeed("timezone", str(account), "Pacific/Apia", on=database)
    assert "nothing to do: all days are covered" in again
    removed = succeed("timezone", str(account), "--off", on=database)
    assert "removed 0 rows" not in removed
    assert "does not know" not in run("deploy", on=database).stderr
    left = "SELECT count(*) FROM public.reporting_events_rollups WHERE account_id = %s"
    assert history.execute(left, (account,)).fetchone() == (0,)


@pytest.mark.usefixtures("without_zones")
@pytest.mark.parametrize("zone", ["Mars/Olympus3", "europe", "+02:00", "UTC+2", ""])
def test_timezone_refuses_what_is_no_zone(zone: str, database: str) -> None:
    said = fail("timezone", "7", zone, on=database)
    assert f"error: unknown time zone '{zone}'" in said
    assert "hint: Use a name from pg_timezone_names" in said
    assert "account 7 has no time zone" in fail("timezone", "7", on=database)


def test_a_dry_run_of_backfill_prints_the_plan_and_does_nothing(
    history: Session, database: str
) -> None:
    said = succeed("backfill", "--dry-run", on=database)
    assert all(zone in said for zone in ZONES.values())
    assert "dry run: nothing was done" in said
    plan = json.loads(succeed("backfill", "--dry-run", "--json", "--account", "2", on=database))
    assert plan == [{"account_ids": [2], "since": None, "until": None, "events": 22}]
    assert history.execute(COVERED).fetchall() == []
    assert history.execute("TABLE public.reporting_events_rollups").fetchall() == []


def test_backfill_prints_a_line_a_chunk_where_there_is_no_terminal(
    history: Session, database: str
) -> None:
    done = run("backfill", on=database)
    assert done.exit_code == 0
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["1/1 3 accounts"]
    assert "the beginning to today and after, 65 events, " in lines[0]
    assert "\x1b" not in done.output
    assert "\r" not in done.output
    assert done.stdout.splitlines()[-1].startswith("backfilled 65 events in 1 chunk, ")
    assert_exact(history)
    assert succeed("backfill", on=database) == "nothing to do: all days are covered\n"


def test_backfill_can_be_limited_to_an_account_and_days(history: Session, database: str) -> None:
    limits = ("--account", "1", "--since", "2026-03-08", "--until", "2026-03-10")
    succeed("backfill", *limits, on=database)
    covered = history.execute("SELECT a.account_id, a.covered::text FROM rollup.accounts a")
    assert sorted(covered) == [(1, "{[2026-03-08,2026-03-10)}"), (2, "{}"), (3, "{}")]
    assert differences(history)
    assert not differences(history, covered=True)
    assert "partly covered" in succeed("status", on=database)


def test_backfill_fails_where_an_account_could_not_be_covered(
    history: Session, database: str
) -> None:
    with history.transaction(force_rollback=True):
        history.execute("UPDATE rollup.accounts SET setting = 'held' WHERE account_id = 2")
        failed = fail("backfill", on=database)
    assert "not covered, because another session is changing the time zone: account 2\n" in failed
    assert "hint: run the same command again to go on" in failed
    succeed("backfill", on=database)
    assert_exact(history)


@pytest.mark.usefixtures("without_zones")
def test_backfill_without_anything_to_do_says_why(database: str) -> None:
    assert "no account has a time zone" in succeed("backfill", on=database)
    said = fail("backfill", "--account", "7", on=database)
    assert "error: account 7 has no time zone" in said
    assert "timezone 7 " in said


def test_a_plan_in_json_is_json_also_where_there_is_nothing_to_do(
    session: Session, database: str
) -> None:
    assert json.loads(succeed("backfill", "--dry-run", "--json", on=database)) == []


def test_backfill_with_json_either_works_or_says_that_it_only_plans(
    history: Session, database: str
) -> None:
    done = run("backfill", "--json", on=database)
    assert done.exit_code == 1 or history.execute(COVERED).fetchall() == [(1,), (2,), (3,)]


def test_verify_is_content_with_what_is_exact(session: Session, database: str) -> None:
    said = succeed("verify", on=database)
    assert said.startswith("raw events and rollups agree: ")
    assert said.endswith("0 differences\n")
    assert json.loads(succeed("verify", "--json", on=database)) == []
    assert session.execute(
        "SELECT bool_and(verified_at IS NOT NULL) FROM rollup.accounts"
    ).fetchone()


def test_verify_shows_what_differs_and_repairs_it_when_told_to(
    session: Session, database: str
) -> None:
    session.execute(VANDALISM)
    done = run("verify", "--limit", "3", on=database)
    assert done.exit_code == 2
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert "on covered days; the first 3 are shown" in lines[-1]
    assert "verify --repair" in done.stderr
    rows = json.loads(run("verify", "--json", on=database).stdout)
    assert {row["account_id"] for row in rows} == {2}
    assert {row["count"] for row in rows} == {-1}
    assert run("verify", "--account", "1", on=database).exit_code == 0
    assert run("verify", "--until", "2026-03-01", on=database).exit_code == 0
    repaired = run("verify", "--repair", on=database)
    assert repaired.exit_code == 0
    assert f"{len(rows)} differences; rebuilt their days, {len(rows)} rows" in repaired.stderr
    assert "agree" in repaired.stdout
    assert_exact(session)


def test_what_is_printed_to_a_file_is_whole(session: Session, database: str) -> None:
    session.execute(VANDALISM)
    session.execute(
        "UPDATE public.reporting_events_rollups"
        " SET sum_value_business_hours = sum_value_business_hours + 1"
    )
    said = run("verify", on=database).stdout
    assert "…" not in said
    assert "sum value business hours" in said
    assert "bot_resolutions_count" in said


def test_verify_prints_only_the_numbers_that_differ(session: Session, database: str) -> None:
    session.execute(
        "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = 2"
    )
    heading, first, *_ = run("verify", on=database).stdout.splitlines()
    assert heading.split() == [
        *("account", "id", "date", "dimension", "type", "dimension", "id", "metric"),
        *("count", "covered"),
    ]
    assert first.split()[-2:] == ["-1", "yes"]


def test_verify_needs_no_right_to_write(session: Session, database: str) -> None:
    read_only = {"PGOPTIONS": "-c default_transaction_read_only=on"}
    done = run("verify", on=database, **read_only)
    assert (done.exit_code, done.stderr) == (0, "")


def test_verify_needs_no_more_than_the_right_to_read(session: Session, database: str) -> None:
    role = f"reader_of_{session.info.dbname}"
    session.execute(f"CREATE ROLE {role}; GRANT pg_read_all_data TO {role}")
    try:
        done = run("verify", on=database, PGOPTIONS=f"-c role={role}")
    finally:
        session.execute(f"DROP ROLE {role}")
    assert (done.exit_code, done.stderr) == (0, "")
    [(verified,)] = session.execute("SELECT max(a.verified_at) FROM rollup.accounts a")
    assert verified is None


def test_commands_work_where_the_default_isolation_is_serializable(
    history: Session, database: str
) -> None:
    history.execute(
        f"ALTER DATABASE {history.info.dbname} SET default_transaction_isolation = serializable"
    )
    succeed("backfill", on=database)
    history.execute(VANDALISM)
    succeed("verify", "--repair", on=database)
    succeed("fold", on=database)
    assert_exact(history)


def test_fold_moves_what_is_pending(session: Session, database: str) -> None:
    session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    write(session, account_id=1)
    write(session, account_id=2)
    session.execute("COMMIT")
    folded = succeed("fold", "--account", "1", on=database)
    assert folded == "folded 1 pending events, 1 left\n"
    assert succeed("fold", on=database) == "folded 1 pending events, 0 left\n"
    assert succeed("fold", on=database) == "folded 0 pending events, 0 left\n"
    assert_exact(session)


def test_status_before_a_deployment_says_what_to_do(reference_database: str) -> None:
    assert "python -m generator deploy" in succeed("status", on=reference_database)
    state = json.loads(succeed("status", "--json", on=reference_database))
    assert (state["is_current"], state["deployment"], state["accounts"]) == (False, None, [])
    assert {one["status"] for one in state["objects"]} == {"MISSING"}


def test_status_shows_the_version_the_objects_and_the_accounts(
    session: Session, database: str
) -> None:
    said = succeed("status", on=database)
    assert said.startswith(f"version {__version__}, this registry, deployed ")
    assert all(re.search(rf" {zone} +all days ", said) for zone in ZONES.values())
    assert "trigger" not in said
    assert "rollup_after_truncate" in succeed("status", "--all", on=database)
    state = json.loads(succeed("status", "--json", on=database))
    assert state["is_current"]
    assert [one["account_id"] for one in state["accounts"]] == [1, 2, 3]


def test_status_shows_what_is_not_as_rendered(session: Session, database: str) -> None:
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    session.execute("DROP FUNCTION rollup.rebuild; DROP VIEW rollup.current_members")
    session.execute("CREATE VIEW rollup.extra AS SELECT 1")
    said = succeed("status", on=database)
    for status, name in (
        ("DISABLED", "rollup_after_insert"),
        ("MISSING", "rollup.rebuild"),
        ("MISSING", "rollup.current_members"),
        ("ORPHANED", "rollup.extra"),
    ):
        assert any(line.startswith(status) and name in line for line in said.splitlines())
    assert "python -m generator deploy" in said
    assert not json.loads(succeed("status", "--json", on=database))["is_current"]


def test_status_does_not_deny_accounts_that_it_cannot_show(session: Session, database: str) -> None:
    session.execute("DROP VIEW rollup.status")
    assert "no accounts" not in succeed("status", on=database)


def test_what_an_application_keeps_is_shown_as_it_is(session: Session, database: str) -> None:
    session.execute(
        "INSERT INTO public.accounts (id, settings)"
        ' VALUES (9, \'{"reporting_timezone": "[red]:x:/nowhere[/red]"}\')'
    )
    assert "time zone not known ([red]:x:/nowhere[/red])" in succeed("status", on=database)
    assert "[red]:x:/nowhere[/red]" in succeed("timezone", on=database)
