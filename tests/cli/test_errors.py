"""Mistakes on the command line: an error, what to do about it, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.cli import cli
from generator.registry import DEFAULT
from tests.support.command import fail

if TYPE_CHECKING:
    from pathlib import Path

UNREACHABLE = "host=/nowhere dbname=nothing"

ON_A_DATABASE = {
    "demo": (),
    "plan": (),
    "deploy": (),
    "timezone": (),
    "backfill": (),
    "verify": (),
    "fold": (),
    "reads": (),
    "report": ("aggregate", "reply_time", "--account", "1"),
    "status": (),
    "undeploy": ("--yes",),
}
NEEDS_DEPLOYMENT = [
    *(("timezone",), ("timezone", "1", "UTC"), ("backfill",), ("verify",), ("fold",)),
    *(("reads",), ("reads", "1", "on"), ("report", *ON_A_DATABASE["report"])),
]


def test_every_command_is_tested_here() -> None:
    assert {*ON_A_DATABASE, "completion", "render"} == set(cli.commands)


@pytest.mark.parametrize("name", ON_A_DATABASE)
def test_a_database_that_cannot_be_reached_is_an_error(name: str) -> None:
    said = fail(name, *ON_A_DATABASE[name], on=UNREACHABLE)
    assert said.startswith("error: cannot connect: ")
    assert "hint: check --database-url, DATABASE_URL or the PG* variables" in said


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://a:b:c@@/", "host=/tmp port=many"])
def test_what_is_no_connection_string_is_an_error(dsn: str) -> None:
    assert fail("status", on=dsn).startswith("error: cannot connect: ")


@pytest.mark.parametrize("arguments", NEEDS_DEPLOYMENT, ids=" ".join)
def test_a_database_that_is_not_deployed_to_is_an_error_that_says_so(
    arguments: tuple[str, ...], reference_database: str
) -> None:
    assert "hint: run `python -m generator deploy` first" in fail(*arguments, on=reference_database)


def test_deploying_to_an_empty_database_says_which_tables_are_missing(empty_database: str) -> None:
    said = fail("deploy", on=empty_database)
    assert "error: these tables cannot be used" in said
    assert "there is no table public.reporting_events: [sources.reporting_events]" in said
    assert "hint: mend the tables or the registry; nothing has been changed" in said


@pytest.mark.parametrize("name", ["render", "plan", "deploy", "status"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "own.toml: cannot be read: no such file"),
        (b"[source\n", "own.toml:1:8: not TOML"),
        (b"# gr\xfc\xdfe\n", "own.toml:1: not UTF-8"),
        (b"[source]\n", "own.toml"),
        (b"\n" * 99 + b"x = \n", "own.toml:100:5: not TOML"),
    ],
    ids=["absent", "no TOML", "no UTF-8", "incomplete", "no TOML on line 100"],
)
def test_a_bad_registry_file_is_an_error_that_names_it(
    content: bytes | None, message: str, name: str, tmp_path: Path, empty_database: str
) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    on = None if name == "render" else empty_database
    assert message in fail(name, "--registry", str(path), on=on)


def test_a_registry_with_several_mistakes_names_them_all(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    text = DEFAULT.read_text()
    path.write_text(text.replace('"timestamp"', '"date"').replace('"average"', '"mean"'))
    said = fail("render", "--output", str(tmp_path / "sql"), "--registry", str(path))
    assert "sources.reporting_events.time_type" in said
    assert "reports.avg_resolution_time.aggregate" in said
    assert not (tmp_path / "sql").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("status", "--nonsense"),
        ("status", "superfluous"),
        ("status", "--json", "--openmetrics"),
        ("status", "--per-account"),
        ("deploy", "--dry-run", "--backfill"),
        ("deploy", "--lock-timeout", "0"),
        ("deploy", "--attempts", "0"),
        ("deploy", "--lock-timeout", "soon"),
        ("timezone", "one"),
        ("timezone", "--off"),
        ("timezone", "1", "UTC", "--off"),
        ("timezone", "1", "UTC", "UTC"),
        ("backfill", "--account", "one"),
        ("backfill", "--since", "someday"),
        ("backfill", "--since", "2026-02-30"),
        ("backfill", "--since", "2026-03-02", "--until", "2026-03-01"),
        ("verify", "--since", "2026-03-02", "--until", "2026-03-01"),
        ("verify", "--limit", "-1"),
        ("verify", "--account", str(10**19)),
        ("timezone", str(10**19), "UTC"),
        ("fold", "--watch", "0"),
        ("demo", "--events", "0"),
    ],
    ids=" ".join,
)
def test_a_wrong_use_is_explained_with_exit_status_1(
    arguments: tuple[str, ...], database: str
) -> None:
    on = None if arguments[0] == "nonsense" else database
    said = fail(*arguments, on=on)
    assert "Usage: " in said
    assert "--help" in said


@pytest.mark.parametrize(
    "words",
    [
        ("backfill", "--pause", "inf"),
        ("backfill", "--pause", "1e12"),
        ("backfill", "--chunk-timeout", "nan"),
        ("backfill", "--chunk-events", "99999999999999999999"),
        ("deploy", "--lock-timeout", "nan"),
        ("plan", "--lock-timeout", "inf"),
        ("verify", "--watch", "nan"),
        ("fold", "--watch", "inf"),
    ],
)
def test_numbers_that_nothing_can_be_done_with_are_wrong_use(
    words: tuple[str, ...], database: str
) -> None:
    assert words[1] in fail(*words, on=database)


def test_purged_days_are_spoken_of_only_where_something_is_deleted(database: str) -> None:
    said = fail("deploy", "--even-purged", on=database)
    assert "--even-purged goes with --delete-removed" in said


def test_what_is_no_account_is_called_so(database: str) -> None:
    assert "'abc' is not the id of an account" in fail("backfill", "--account", "abc", on=database)
