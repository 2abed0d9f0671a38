"""Text of others in what commands print: it is shown, and nothing in it acts."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.core import GaugeMetricFamily
from psycopg import sql
from psycopg.conninfo import make_conninfo

from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.dry_run import dry_run
from generator.escaping import cell, visible, visible_lines
from generator.operate.metrics import exposition
from generator.registry import DEFAULT, load
from generator.report import page, queries
from tests.support.command import fail, run
from tests.support.events import desk, write

if TYPE_CHECKING:
    from tests.support.databases import Connect

EVIL = "=a\x1b[31m\nerror: forged\r\t\x9b2J\u202eb"
SHOWN = r"=a\x1b[31m\nerror: forged\r\t\x9b2J\u202eb"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
RANGE = ("--account", "1", "--since", "2026-02-01", "--until", "2026-04-01")

COMMANDS = [
    ("plan",),
    ("deploy",),
    ("deploy", "--dry-run"),
    ("status", "--all"),
    ("status", "--json"),
    ("status", "--openmetrics", "--per-account"),
    ("timezone",),
    ("timezone", "1", EVIL),
    ("reads",),
    ("reads", "1", "on"),
    ("backfill", "--dry-run"),
    ("backfill",),
    ("fold",),
    ("verify",),
    ("verify", "--json"),
    ("verify", "--account", EVIL),
    ("report", "timeseries", EVIL, *RANGE),
    ("report", "timeseries", "reply_time", *RANGE, "--timezone", EVIL),
    ("report", "aggregate", "reply_time", *RANGE, "--for", EVIL, EVIL),
    ("report", "aggregate", "reply_time", *RANGE, "--for", "agent", EVIL),
    ("report", "summary", "agent", *RANGE),
    ("report", "summary", "agent", *RANGE, "--compare", "--explain"),
    ("report", "summary", "agent", *RANGE, "--format", "csv"),
    ("report", "summary", "agent", *RANGE, "--format", "json"),
    ("report", "summary", "agent", *RANGE, "--format", "csv", "--compare"),
    ("status", f"--{EVIL}"),
    ("status", "--registry", EVIL),
    (EVIL,),
    ("undeploy", "--yes"),
]


@pytest.fixture
def own(reference_database: str, connect: Connect, tmp_path: Path) -> tuple[str, str]:
    """Give a database where ids, a zone, a name and a deployer are evil, and its registry."""
    session = connect(reference_database)
    session.execute("ALTER TABLE reporting_events ALTER user_id TYPE text")
    path = tmp_path / "text.toml"
    text = DEFAULT.read_text().replace('id_type = "bigint"', 'id_type = "text"')
    path.write_text(text.replace('name = "reply_time"', f"name = {json.dumps(EVIL)}"))
    deploy(reference_database, load(path))
    session.execute(
        "INSERT INTO accounts (id, settings)"
        " VALUES (2, jsonb_build_object('reporting_timezone', %s::text))",
        (EVIL,),
    )
    desk(session)
    write(session, name="reply_time", user_id=EVIL, created_at="2026-03-01 10:00")
    session.execute("CALL rollup.backfill()")
    write(session, name=EVIL, user_id=EVIL, created_at="2026-03-01 10:00")
    session.execute("SELECT rollup.fold()")
    session.execute("UPDATE reporting_events_rollups SET count = count + 1")
    session.execute("UPDATE rollup.deployments SET deployed_by = %s", (EVIL,))
    return reference_database, str(path)


def arguments(command: tuple[str, ...], path: str) -> tuple[str, ...]:
    takes = command[0] in ("plan", "deploy", "status", "undeploy") or "summary" in command
    return (*command, "--registry", path) if takes and "--registry" not in command else command


def test_no_command_prints_a_character_that_acts(own: tuple[str, str]) -> None:
    dsn, path = own
    seen: set[str] = set()
    for command in COMMANDS:
        done = run(*arguments(command, path), on=dsn)
        assert done.exit_code in (0, 1, 2), done.output
        assert not ACTING.search(done.stdout), (command, done.stdout)
        assert not ACTING.search(done.stderr), (command, done.stderr)
        if command[0] != EVIL and "--registry" not in command:
            assert not re.search("^error: forged", done.output, re.MULTILINE), command
        seen |= {command[0]} if SHOWN in done.output else set()
    assert seen >= {"status", "timezone", "verify", "report"}


def test_verify_and_reports_show_a_text_id_escaped(own: tuple[str, str]) -> None:
    dsn, path = own
    assert SHOWN in run("verify", on=dsn).stdout
    assert SHOWN in run(*arguments(("report", "summary", "agent", *RANGE), path), on=dsn).stdout
    assert SHOWN in run("status", "--registry", path, on=dsn).stdout


def test_a_cell_of_csv_that_a_spreadsheet_would_calculate_is_text(own: tuple[str, str]) -> None:
    dsn, path = own
    command = arguments(("report", "summary", "agent", *RANGE, "--format", "csv"), path)
    rows = list(csv.DictReader(io.StringIO(run(*command, on=dsn).stdout)))
    assert f"'{SHOWN}" in [row["dimension_id"] for row in rows]


def test_json_keeps_the_text_as_it_is(own: tuple[str, str]) -> None:
    dsn, path = own
    command = arguments(("report", "summary", "agent", *RANGE, "--format", "json"), path)
    assert EVIL in [row["dimension_id"] for row in json.loads(run(*command, on=dsn).stdout)]
    assert EVIL in {
        row["dimension_id"] for row in json.loads(run("verify", "--json", on=dsn).stdout)
    }


def test_a_page_shows_a_text_id_escaped(own: tuple[str, str], connect: Connect) -> None:
    dsn, path = own
    session = connect(dsn)
    zone = queries.zone_of(session, 1, None)
    [(since, until)] = session.execute(
        "SELECT '2026-02-01'::timestamptz, '2026-04-01'::timestamptz"
    )
    scope = page.Scope(account_id=1, since=since, until=until, zone=zone)
    text = page.render(session, load(Path(path)), scope)
    assert not ACTING.search(text)
    assert r"\u202eb" in text


def test_names_of_partitions_cannot_act_in_a_plan_or_in_a_script(
    empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    partition = sql.Identifier("p\x1b[2J\u202e")
    session.execute(
        "CREATE TABLE accounts (id bigint PRIMARY KEY, settings jsonb);"
        "CREATE TABLE reporting_events (id bigint NOT NULL, name text, value double precision,"
        " value_in_business_hours double precision, account_id integer, inbox_id integer,"
        " user_id integer, conversation_id integer, event_start_time timestamp,"
        " event_end_time timestamp, created_at timestamp NOT NULL, updated_at timestamp)"
        " PARTITION BY RANGE (created_at)"
    )
    session.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF reporting_events DEFAULT").format(partition)
    )
    deploy(empty_database, load())
    session.execute(sql.SQL("DROP TRIGGER rollup_after_insert ON {}").format(partition))
    script = dry_run(empty_database, load(), Patience())
    comments = [line for line in script.splitlines() if line.startswith("--")]
    assert any(r"p\x1b[2J\u202e" in line for line in comments)
    assert not any(map(ACTING.search, comments))
    for command in (("plan",), ("status",), ("deploy",)):
        assert not ACTING.search(run(*command, on=empty_database).output)
    session.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(partition, sql.Identifier(EVIL)))
    for name in ("plan", "status", "deploy"):
        said = fail(name, on=empty_database)
        assert f"error: the name of the partition {EVIL!r}" in said
        assert "hint: rename it: ALTER TABLE" in said


def test_a_message_of_the_server_forges_no_line(database: str) -> None:
    dsn = make_conninfo(database, dbname="no\nerror: forged\x1b[2J")
    done = run("status", on=dsn)
    assert done.exit_code == 1
    assert not ACTING.search(done.output)
    assert not re.search("^error: forged", done.output, re.MULTILINE)


def test_every_label_of_openmetrics_stays_on_its_line() -> None:
    family = GaugeMetricFamily("a", EVIL, labels=["b"])
    family.add_metric(['x\n"\\'], 1)
    text = exposition([family]).decode()
    assert r'a{b="x\n\"\\"} 1.0' in text.split("\n")


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"'\t=1"),
        ("\r=1", r"'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("-5", "-5"),
        ("+5.25", "+5.25"),
        (-5, -5),
        (-2.5, -2.5),
        (None, None),
        ("2026-03-01", "2026-03-01"),
    ],
)
def test_text_alone_is_marked_in_csv(value: Any, wanted: Any) -> None:
    assert cell(value) == wanted


def test_what_is_readable_stays_as_it_is() -> None:
    assert visible("Grüße, 日本, a\u200db") == "Grüße, 日本, a\u200db"
    assert visible_lines("a\n  b\nc") == "a\n  b\n  c"
