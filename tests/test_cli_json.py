"""Commands with --json: nothing but JSON on stdout; what else there is to say is on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import run
from tests.events import desk, write
from tests.oracle import assert_exact

if TYPE_CHECKING:
    from tests.databases import Connect


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
