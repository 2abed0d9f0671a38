"""What the pages in docs/ show works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import options
from tests.events import desk, mix

if TYPE_CHECKING:
    import psycopg

    from tests.databases import Connect

ROOT = Path(__file__).parent.parent
PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
REPORTS = PAGES["reports.md"]

TOOLS = {
    "$__timeFrom()": "'2026-03-08T00:00:00Z'",
    "$__timeTo()": "'2026-03-11T00:00:00Z'",
    "$account": "1",
    "{{account}}": "1",
    "{{since}}": "'2026-03-08'",
    "{{until}}": "'2026-03-11'",
}
"""What Grafana and Metabase put into a query."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", REPORTS, re.DOTALL)


@pytest.fixture
def session(database: str, connect: Connect) -> psycopg.Connection[Any]:
    session = desk(connect(database))
    mix(session, 280)
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    return session


@pytest.mark.parametrize("query", [block for block in blocks("sql") if "SELECT" in block])
def test_queries_to_paste_give_rows(query: str, session: psycopg.Connection[Any]) -> None:
    for name, value in TOOLS.items():
        query = query.replace(name, value)
    assert session.execute(query.encode()).fetchall()


def test_the_queries_of_the_ruby_class_give_rows(session: psycopg.Connection[Any]) -> None:
    [source, _] = blocks("ruby")
    queries = re.findall(r"(SELECT .*?)(?:\n +SQL|', )", source, re.DOTALL)
    arguments = {
        "timeseries": "1, 'reply_time', NULL, NULL, '2026-03-08', '2026-03-11', 'day', false, NULL",
        "aggregate": "1, 'reply_time', 'inbox', 1, '2026-03-08', '2026-03-11', false",
        "summary": "1, 'agent', '2026-03-08', '2026-03-11', false",
    }
    assert len(queries) == len(arguments)
    for query in queries:
        [(name, places)] = re.findall(r"rollup\.(\w+)\(([?, ]*)\)", query)
        values = arguments[name].split(", ")
        assert places.count("?") == len(values)
        assert session.execute(query.replace(places, arguments[name])).fetchall()


def test_the_python_code_runs(session: psycopg.Connection[Any], database: str) -> None:
    [code] = blocks("python")
    names: dict[str, Any] = {}
    exec(code.replace("dbname=app", database), names)
    assert len(names["points"]) > 10


def test_every_command_and_option_exists() -> None:
    for page in PAGES.values():
        for line in re.findall(r"python -m generator ([^`\n#;|>]*)", page):
            words = line.split()
            assert {word for word in words if word.startswith("--")} <= options(words)


def test_every_function_and_link_exists() -> None:
    rendered = {path.stem for path in (ROOT / "sql").glob("*/*.sql")}
    for page in PAGES.values():
        assert {f"rollup.{name}" for name in re.findall(r"rollup\.(\w+)\(", page)} <= rendered
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page):
            assert (ROOT / "docs" / target).exists(), target
