"""Commands with --json: nothing but JSON on stdout; what else there is to say is on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from generator.cli import cli
from tests.support.command import fail, options, run, terminal
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Connect

REPORTS = (
    ("timeseries", "resolutions_count"),
    ("aggregate", "reply_time"),
    ("summary", "agent"),
)
DAYS = "SELECT count(DISTINCT (account_id, date)) FROM rollup.current_rollups WHERE account_id < 3"


def answer(*words: str, on: str) -> Any:
    done = run(*words, "--json", on=on)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_accounts_are_json(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    write(session)
    zones = answer("timezone", on=database)
    assert [(one["account_id"], one["state"]) for one in zones] == [
        (1, "covered"),
        (2, "covered"),
        (3, "covered"),
    ]
    assert list(zones[0]) == ["account_id", "timezone", "recorded_in", "setting", "state"]
    found = answer("timezone", "1", "Europe/Berlin", on=database)
    assert found == {"account_id": 1, "timezone": "Europe/Berlin"}
    assert answer("reads", "1", "on", on=database) == {
        "account_id": 1,
        "reads": "on",
        "state": "covered",
    }
    assert [one["reads"] for one in answer("reads", on=database)] == ["on", "off", "off"]
    assert answer("fold", on=database)["left"] == 0
    assert_exact(session)


def test_a_deployment_and_its_end_are_json(reference_database: str) -> None:
    done = answer("deploy", on=reference_database)
    assert "create function rollup.rebuild" in done["changes"]
    assert done["migrations"]
    again = answer("deploy", on=reference_database)
    assert (again["changes"], again["migrations"]) == ([], [])
    gone = answer("undeploy", "--yes", on=reference_database)["dropped"]
    assert gone


def test_a_backfill_is_one_object_and_its_progress_is_not_in_it(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id < 3")
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    [days] = session.execute(DAYS).fetchone() or (0,)
    done = run("backfill", "--json", on=database)
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found.pop("seconds") > 0
    assert found.pop("rows_changed") > 0
    assert (found.pop("since"), found.pop("until")) == (None, None)
    assert found == {"accounts": 2, "days": days, "events": 43, "chunks": 1, "uncovered": []}
    assert "1/1 2 accounts: " in done.stderr
    assert "backfilled 43 events in 1 chunk" in done.stderr
    nothing = answer("backfill", on=database)
    assert set(nothing) >= {*found, "seconds", "rows_changed", "since", "until"}
    assert not any(nothing.values())


def test_a_backfill_that_is_declined_has_done_nothing(
    database: str, connect: Connect, tmp_path: Path
) -> None:
    session = desk(connect(database))
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    file = tmp_path / "answer.json"
    words = ("backfill", "--account", "1", "--json")
    with terminal(*words, on=database, stdout=file) as screen:
        screen.until("Begin? [y/N]: ").type("n\n")
        assert screen.end() == 0
    assert json.loads(file.read_text())["chunks"] == 0


def test_a_number_that_json_has_not_is_text(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    write(session)
    session.execute("UPDATE public.reporting_events_rollups SET sum_value = 'NaN'")
    done = run("verify", "--json", on=database)
    assert done.exit_code == 2

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    found = json.loads(done.stdout, parse_constant=refuse)
    assert "NaN" in [one["sum_value"] for one in found]


def test_a_time_zone_of_no_account_is_no_json(database: str) -> None:
    done = run("reads", "99", "--json", on=database)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")


def test_rendering_names_the_files_that_it_writes_removes_or_finds_to_differ(
    tmp_path: Path,
) -> None:
    words = ("render", "--output", str(tmp_path), "--json")
    first = json.loads(run(*words).stdout)
    written = sorted(str(path) for path in tmp_path.rglob("*.sql"))
    assert first == {"files": len(written), "differing": [], "written": written, "removed": []}
    stale = tmp_path / "functions" / "rollup.stale.sql"
    stale.write_text("SELECT 1;\n")
    changed = tmp_path / "functions" / "rollup.rebuild.sql"
    changed.write_text("SELECT 1;\n")
    checked = run(*words, "--check")
    assert checked.exit_code == 2
    differing = [str(changed), str(stale)]
    assert json.loads(checked.stdout) == {**first, "written": [], "differing": differing}
    assert "error: 2 of " in checked.stderr
    again = json.loads(run(*words).stdout)
    assert again == {**first, "written": [str(changed)], "removed": [str(stale)]}


def test_json_is_another_name_of_a_reports_format(
    database: str, connect: Connect, tmp_path: Path
) -> None:
    mix(desk(connect(database)))
    for words in REPORTS:
        report = ("report", *words, "--account", "1", "--since", "2026-03-01")
        named = run(*report, "--format", "json", on=database)
        assert answer(*report, on=database) == json.loads(named.stdout)
    said = fail("report", "aggregate", "reply_time", "--account", "1", "--json", "--format", "csv")
    assert "--json or --format csv, not both" in said
    file = str(tmp_path / "page.html")
    assert answer("report", "--html", file, "--account", "1", on=database) == {"written": file}
    assert "--json goes after aggregate" in fail("report", "--json", "aggregate", "reply_time")


def test_every_command_that_answers_has_json() -> None:
    silent = {"demo", "completion"}
    assert {name for name in cli.commands if "--json" not in options([name])} == silent
    assert all("--json" in options(["report", name]) for name in ("timeseries", "aggregate"))
