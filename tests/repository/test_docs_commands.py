"""The commands that the pages show run as they stand."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import click
import pytest

from generator.cli import cli
from generator.registry import DEFAULT
from tests.repair.test_restore import DEPLOYMENTS
from tests.support.command import options, run
from tests.support.events import desk, mix
from tests.support.pages import DOCS, PAGES, ROOT, WRITTEN, commands, lines_of_shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Connect

SHOWN = sorted({one for page in WRITTEN.values() for one in commands(page)})
ENDLESS = r" --watch \d+"
"""Goes on until it is interrupted, which other tests do."""
FOR_EXAMPLE = {"ACCOUNT_ID": "1", "ZONE": "Europe/Berlin"}
ELSEWHERE = ("make ", "pip install ", "export DATABASE_URL=", "pg_dump ", "python -m benchmarks ")


@pytest.mark.parametrize("command", SHOWN)
def test_every_command_succeeds(
    command: str,
    database: str,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(DEFAULT.read_text())
    mix(desk(connect(database)), 60)
    line, _, _ = re.sub(ENDLESS, "", command).partition(" > ")
    words = [FOR_EXAMPLE.get(word, word) for word in shlex.split(line)]
    if words[0] == "undeploy":
        words.append("--yes")
    done = run(*words, on=None if words[0] == "render" else database)
    assert done.exit_code == 0, done.output


def test_every_line_for_a_shell_is_one_that_is_run_or_checked() -> None:
    for page in WRITTEN.values():
        for line in lines_of_shell(page):
            assert line.startswith(("python -m generator ", *ELSEWHERE)), line


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES.values():
        assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page, re.MULTILINE)) <= targets


def test_every_package_to_install_is_this_one_with_extras_that_it_has() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for page in PAGES.values():
        for name, extra in re.findall(r"pip install '?([\w-]+)(?:\[(\w+)\])?", page):
            assert name == project["name"]
            assert extra in ("", *project["optional-dependencies"])


def test_the_dump_leaves_out_what_the_tests_of_restoring_leave_out() -> None:
    [line] = [one for one in lines_of_shell(DOCS["operations.md"]) if one.startswith("pg_dump")]
    assert shlex.split(line) == ["pg_dump", "--data-only", *DEPLOYMENTS]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_exists(name: str) -> None:
    """Also those that a sentence shortens, such as `deploy --backfill`."""
    shortened = "|".join(cli.commands)
    found = [
        *re.findall(r"python -m generator ([^`\n#;|>]*)", PAGES[name]),
        *re.findall(rf"`((?:{shortened}) [^`\n]*)`", PAGES[name]),
    ]
    for line in found:
        words = line.split()
        if words[0] == "COMMAND":
            continue
        known = options(words)
        command: click.Command = cli.commands[words[0]]
        if isinstance(command, click.Group):
            known |= {option for one in command.commands for option in options([words[0], one])}
        used = {word.rstrip(",;") for word in words if word.startswith("--")}
        assert used <= known, f"{words[0]} has no {used - known}"
