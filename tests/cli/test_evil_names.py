"""A role and a database whose names are evil, and exist: all works, and nothing in a name acts."""

from __future__ import annotations

import io
import json
import re
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from rich.console import Console

from generator.demo.stage import Stage
from tests.cli.test_escaping import ACTING
from tests.support.command import plain_lines, run, terminal
from tests.support.events import desk, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

TOKEN = secrets.token_hex(4)  # names are those of a server, which several processes use
ROLE = f'a\x1b[31m;"x{TOKEN}'
SHOWN_ROLE = r"a\x1b[31m;"
READER = f"=cmd()\nerror: forged\u202e{TOKEN}"
DATABASE = f"=cmd()\nerror: forged\x1b[2J{TOKEN}"
PASSWORD = "of-a-test"

RANGE = ("--account", "1", "--since", "2026-03-01", "--until", "2026-03-03")
COMMANDS = [
    ("plan",),
    ("deploy", "--dry-run"),
    ("deploy",),
    ("plan",),
    ("status", "--all"),
    ("status", "--json"),
    ("status", "--openmetrics", "--per-account"),
    ("timezone",),
    ("backfill",),
    ("reads", "1", "on"),
    ("verify",),
    ("report", "timeseries", "reply_time", *RANGE, "--compare", "--explain"),
    ("report", "summary", "agent", *RANGE, "--format", "csv"),
    ("report", "summary", "agent", *RANGE, "--json"),
]


@pytest.fixture
def dsns(reference_database: str, connect: Connect) -> Iterator[tuple[str, str]]:
    """Give an evil database as an evil superuser and as an evil role that may do nothing."""
    template = sql.Identifier(str(conninfo_to_dict(reference_database)["dbname"]))
    root = connect(make_conninfo(reference_database, dbname="postgres"))
    database, role, reader = map(sql.Identifier, (DATABASE, ROLE, READER))
    with ExitStack() as stack:
        for name, options in (
            (role, "SUPERUSER LOGIN PASSWORD 'of-a-test'"),
            (reader, "LOGIN PASSWORD 'of-a-test'"),
        ):
            root.execute(sql.SQL("CREATE ROLE {} {}").format(name, sql.SQL(options)))
            stack.callback(root.execute, sql.SQL("DROP ROLE {}").format(name))
        root.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(database, template, role)
        )
        stack.callback(root.execute, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
        evil = make_conninfo(reference_database, dbname=DATABASE, password=PASSWORD)
        yield make_conninfo(evil, user=ROLE), make_conninfo(evil, user=READER)


def test_every_command_works_there_and_prints_no_character_that_acts(
    dsns: tuple[str, str], connect: Connect
) -> None:
    owner, reader = dsns
    printed = {}
    for words in COMMANDS:
        done = run(*words, on=owner)
        assert done.exit_code in (0, 2), done.output
        assert_harmless(done.output, words)
        printed[words[:2]] = done.stdout
        if words == ("deploy",):
            session = desk(connect(owner))
            write(session, name="reply_time", created_at="2026-03-02 10:00")
    assert SHOWN_ROLE in printed["status", "--all"]
    assert json.loads(printed["status", "--json"])["deployment"]["deployed_by"] == ROLE
    for words in (("status",), ("verify",), ("backfill",), ("plan",)):
        done = run(*words, on=reader)
        assert done.exit_code == 1
        assert_harmless(done.output, words)
    assert run("undeploy", "--yes", on=owner).exit_code == 0


def test_a_session_of_the_role_that_is_in_the_way_is_named_harmlessly(
    dsns: tuple[str, str], connect: Connect
) -> None:
    owner, _ = dsns
    assert run("deploy", on=owner).exit_code == 0
    connect(owner).execute("ALTER TABLE reporting_events DISABLE TRIGGER rollup_after_insert")
    writer = connect(owner, autocommit=False)
    write(writer)
    for words in (("plan",), ("deploy", "--attempts", "1", "--lock-timeout", "0.05")):
        done = run(*words, on=owner)
        assert SHOWN_ROLE in done.output
        assert_harmless(done.output, words)
    with terminal("plan", on=owner, columns=60) as screen:
        assert screen.end() == 2
    lines = "\n".join(plain_lines(screen.shown))
    assert SHOWN_ROLE in lines
    assert_harmless(lines, ("plan",))
    writer.rollback()


def test_a_database_that_cannot_be_reached_is_named_harmlessly(dsns: tuple[str, str]) -> None:
    for changed in ({"dbname": f"{DATABASE}2"}, {"user": f"{ROLE}2"}):
        done = run("status", on=make_conninfo(dsns[1], **changed))
        assert done.exit_code == 1
        assert_harmless(done.output, tuple(changed))


def test_the_demo_shows_such_names_harmlessly() -> None:
    console = Console(file=io.StringIO(), width=80)
    Stage(console).say(f"in the database {DATABASE} of {ROLE}")
    assert isinstance(console.file, io.StringIO)
    assert_harmless(console.file.getvalue(), ("demo",))


def assert_harmless(output: str, words: tuple[str, ...]) -> None:
    assert not ACTING.search(output), (words, output)
    assert not re.search("^error: forged", output, re.MULTILINE), (words, output)
    assert not re.search("^=cmd", output, re.MULTILINE), (words, output)
