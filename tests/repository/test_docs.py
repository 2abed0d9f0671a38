"""What the pages in docs/ show works as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import options, succeed
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
REPORTS = PAGES["reports.md"]
OPERATIONS = PAGES["operations.md"]

TOOLS = {
    "$__timeFrom()": "'2026-03-08T00:00:00Z'",
    "$__timeTo()": "'2026-03-11T00:00:00Z'",
    "$account": "1",
    "{{account}}": "1",
    "{{since}}": "'2026-03-08'",
    "{{until}}": "'2026-03-11'",
}
"""What Grafana and Metabase put into a query."""


def blocks(language: str, page: str = REPORTS) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


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


def test_moments_of_the_ruby_class_do_not_depend_on_the_zone_of_the_session(
    session: psycopg.Connection[Any],
) -> None:
    [source, _] = blocks("ruby")
    assert re.findall(r"@(?:from|to) = (.*)", source) == [
        "from.in_time_zone.utc.iso8601(6)",
        "to.in_time_zone.utc.iso8601(6)",
    ]
    found = []
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        session.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
        moments = "'2026-03-08T05:00:00.000000Z', '2026-03-09T05:00:00.000000Z'"
        report = f"SELECT rollup.aggregate(2, 'resolutions_count', NULL, NULL, {moments})"
        found.append(session.execute(report).fetchone())
    assert found[0] != (0,)
    assert len(set(found)) == 1


def test_the_python_code_runs(session: psycopg.Connection[Any], database: str) -> None:
    [code] = blocks("python")
    names: dict[str, Any] = {}
    exec(code.replace("dbname=app", database), names)
    assert len(names["points"]) > 10


def test_turning_it_off_leaves_reports_exact_and_deploying_turns_it_on(
    session: psycopg.Connection[Any], database: str
) -> None:
    [statements] = [block for block in blocks("sql", OPERATIONS) if "DISABLE TRIGGER" in block]
    session.execute(statements.encode())
    mix(session, 50)
    report = "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-03-01', '2026-04-01')"
    found = session.execute(report).fetchone()
    session.execute("SET rollup.reads = 'off'")
    assert session.execute(report).fetchone() == found
    succeed("deploy", "--backfill", on=database)
    assert_exact(session)


def test_wrong_days_are_found_where_the_page_looks(session: psycopg.Connection[Any]) -> None:
    [query] = [block for block in blocks("sql", OPERATIONS) if "verifications" in block]
    session.execute("UPDATE public.reporting_events_rollups SET count = 9")
    session.execute("SELECT rollup.verify_sample(100)")
    assert session.execute(query.encode()).fetchall()


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
