"""Queries and code that the pages in docs/ show work as they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.registry import load
from tests.support.command import succeed
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact
from tests.support.pages import DOCS, WRITTEN, block, blocks

if TYPE_CHECKING:
    from tests.support.databases import Connect

REPORTS = DOCS["reports.md"]
OPERATIONS = DOCS["operations.md"]

TOOLS = {
    "$__timeFrom()": "'2026-03-08T00:00:00Z'",
    "$__timeTo()": "'2026-03-11T00:00:00Z'",
    "$account": "1",
    "{{account}}": "1",
    "{{since}}": "'2026-03-08'",
    "{{until}}": "'2026-03-11'",
}
"""What Grafana and Metabase put into a query."""


CRON = """
CREATE SCHEMA cron;
CREATE TABLE cron.job (name text, schedule text, command text);
CREATE FUNCTION cron.schedule(name text, schedule text, command text) RETURNS bigint
LANGUAGE sql AS 'INSERT INTO cron.job VALUES ($1, $2, $3) RETURNING 1::bigint';
"""
"""What the page needs of pg_cron."""

BY_MONTH = """
CREATE TABLE public.whole (LIKE public.reporting_events INCLUDING DEFAULTS)
    PARTITION BY RANGE (created_at);
DROP TABLE public.reporting_events CASCADE;
ALTER TABLE public.whole RENAME TO reporting_events;
CREATE SEQUENCE public.ids;
ALTER TABLE public.reporting_events ALTER COLUMN id SET DEFAULT nextval('public.ids');
CREATE TABLE public.reporting_events_2025_03 PARTITION OF public.reporting_events
    FOR VALUES FROM (MINVALUE) TO ('2025-04-01');
CREATE TABLE public.reporting_events_later PARTITION OF public.reporting_events
    FOR VALUES FROM ('2025-04-01') TO (MAXVALUE);
"""

A_YEAR_BEFORE = """
UPDATE public.reporting_events
SET created_at = created_at - interval '1 year'
WHERE created_at < '2026-03-12'
"""

RUN = (
    "cron.schedule",
    "rollup.verifications",
    "DROP TABLE reporting_events_2025_03",
    "CREATE PUBLICATION",
    "setval('reporting_events_id_seq'",
    "DISABLE TRIGGER USER",
    "DISABLE TRIGGER rollup_after_insert",
    # By the tests of roles and of some accounts.
    "TO app_owner",
    "TO app_writer",
    "TO app_reader",
    "CREATE SCHEMA desk",
    "GRANT app_analysts",
)
"""A text of each block of SQL that tests run, besides those of the README and of reports."""


@pytest.fixture
def session(database: str, connect: Connect) -> psycopg.Connection[Any]:
    session = desk(connect(database))
    mix(session, 280)
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    return session


@pytest.mark.parametrize("query", [one for one in blocks("sql", REPORTS) if "SELECT" in one])
def test_queries_to_paste_give_rows(query: str, session: psycopg.Connection[Any]) -> None:
    for name, value in TOOLS.items():
        query = query.replace(name, value)
    assert session.execute(query.encode()).fetchall()


def test_the_queries_of_the_ruby_class_give_rows(session: psycopg.Connection[Any]) -> None:
    [source, _] = blocks("ruby", REPORTS)
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
    [source, _] = blocks("ruby", REPORTS)
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
    [code] = blocks("python", REPORTS)
    names: dict[str, Any] = {}
    exec(code.replace("dbname=app", database), names)
    assert len(names["points"]) > 10


def test_turning_it_off_leaves_reports_exact_and_deploying_turns_it_on(
    session: psycopg.Connection[Any], database: str
) -> None:
    session.execute(block("DISABLE TRIGGER rollup_after_insert", OPERATIONS).encode())
    mix(session, 50)
    report = "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-03-01', '2026-04-01')"
    found = session.execute(report).fetchone()
    session.execute("SET rollup.reads = 'off'")
    assert session.execute(report).fetchone() == found
    succeed("deploy", "--backfill", on=database)
    assert_exact(session)


def test_wrong_days_are_found_where_the_page_looks(session: psycopg.Connection[Any]) -> None:
    query = block("rollup.verifications", OPERATIONS)
    session.execute("UPDATE public.reporting_events_rollups SET count = 9")
    session.execute("SELECT rollup.verify_sample(100)")
    assert session.execute(query.encode()).fetchall()


def test_the_plan_of_a_report_shows_where_the_page_looks(
    session: psycopg.Connection[Any],
) -> None:
    load_it, *settings = block("auto_explain", REPORTS).split(";\n")
    notices: list[str] = []
    session.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    try:
        session.execute(load_it.encode())
    except psycopg.errors.UndefinedFile:
        pytest.skip("this server has no auto_explain")
    for setting in filter(None, settings):
        session.execute(setting.encode())
    session.execute("SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-03-01', 'now')")
    assert any("Query Text" in notice for notice in notices)


def test_jobs_of_a_scheduler_run(session: psycopg.Connection[Any]) -> None:
    session.execute(CRON)
    session.execute(block("cron.schedule", OPERATIONS).encode())
    jobs = session.execute("SELECT command FROM cron.job").fetchall()
    assert len(jobs) == 3
    for [command] in jobs:
        session.execute(command.encode())


def test_what_is_replicated_can_be_published_and_subscribed_to(
    session: psycopg.Connection[Any],
) -> None:
    publication, subscription = (
        re.sub(r"^--.*", "", one, flags=re.MULTILINE).strip()
        for one in block("CREATE PUBLICATION", OPERATIONS).strip().rstrip(";").split(";")
    )
    session.execute(publication.encode())
    session.execute(f"{subscription} WITH (connect = false)".encode())
    session.execute("ALTER SUBSCRIPTION reports SET (slot_name = NONE)")
    session.execute("DROP SUBSCRIPTION reports")
    session.execute(block("setval('reporting_events_id_seq'", OPERATIONS).encode())
    [[tables]] = session.execute("SELECT count(*) FROM pg_publication_tables").fetchall()
    assert tables == publication.count("\n")


def test_data_restored_as_the_page_says_are_counted_once(
    session: psycopg.Connection[Any], database: str
) -> None:
    session.execute(block("DISABLE TRIGGER USER", OPERATIONS).encode())
    mix(session, 50)
    succeed("deploy", on=database)
    succeed("backfill", on=database)
    assert_exact(session)


def test_a_partition_is_dropped_as_the_page_says_and_its_totals_stay(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(BY_MONTH)
    deploy(reference_database, load())
    desk(session)
    mix(session, 600)
    session.execute(A_YEAR_BEFORE)
    totals = (
        "SELECT count(*), sum(r.count) FROM rollup.current_rollups r WHERE r.date < '2025-04-01'"
    )
    before = session.execute(totals).fetchone()
    purge, drop = block("DROP TABLE reporting_events_2025_03", OPERATIONS).strip().splitlines()
    session.execute(purge.encode())
    session.execute(drop.encode())
    succeed("deploy", "--backfill", on=reference_database)
    assert session.execute(totals).fetchone() == before != (0, None)
    assert session.execute("SELECT * FROM rollup.gone_partitions()").fetchall() == []


def test_every_block_of_sql_is_run_by_a_test() -> None:
    for name, page in WRITTEN.items():
        for one in blocks("sql", page) if name not in ("README.md", "docs/reports.md") else ():
            assert any(marker in one for marker in RUN), one
