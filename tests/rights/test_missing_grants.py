"""A role that lacks a right is told the GRANT, or to run the command as the owner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.database import permissions
from generator.database.permissions import missing
from generator.deploy.deploy import deploy
from generator.registry import load
from generator.render.objects import render
from tests.support.command import fail, run
from tests.support.events import desk, write
from tests.support.roles import new_roles

if TYPE_CHECKING:
    from tests.support.databases import Connect

REPORT = ("report", "aggregate", "reply_time", "--account", "1")
PAGE = "what a reader needs: docs/operations.md#roles"
OWNER = "hint: run it as the owner of the tables, or as a member of it"


@pytest.mark.parametrize("command", [REPORT, ("status",), ("verify",)], ids=" ".join)
def test_following_the_hints_of_a_reading_command_makes_it_work(
    command: tuple[str, ...], database: str, connect: Connect
) -> None:
    root = desk(connect(database))
    write(root, created_at="2026-03-01 10:00")
    with new_roles(root, database) as [reader]:
        granted = []
        while (done := run(*command, on=reader.dsn)).exit_code == 1:
            hint = done.stderr.partition("hint: ")[2].strip()
            grant, _, page = hint.partition("; ")
            assert grant.startswith("GRANT "), done.stderr
            assert page == PAGE
            assert grant not in granted
            root.execute(grant.encode())
            granted.append(grant)
        assert granted[0] == f'GRANT USAGE ON SCHEMA "rollup" TO "{reader.name}"'
        assert any(grant.startswith("GRANT SELECT ON ") for grant in granted)
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("command", [REPORT, ("status",)], ids=" ".join)
def test_one_grant_suffices_where_default_privileges_let_no_role_run_functions(
    command: tuple[str, ...], reference_database: str, connect: Connect
) -> None:
    root = connect(reference_database)
    root.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    deploy(reference_database, load())
    desk(root)
    write(root, created_at="2026-03-01 10:00")
    with new_roles(root, reference_database) as [reader]:
        granted = []
        while (done := run(*command, on=reader.dsn)).exit_code == 1:
            grant = done.stderr.partition("hint: ")[2].partition("; ")[0]
            assert grant.startswith("GRANT "), done.stderr
            assert grant not in granted
            root.execute(grant.encode())
            granted.append(grant)
        assert done.exit_code == 0, done.output
        [functions] = [one for one in granted if one.startswith("GRANT EXECUTE ")]
        closed = [one.name for one in render(load()) if one.is_closed]
        assert not [name for name in closed if f"{name}(" in functions]


@pytest.mark.parametrize(
    "command",
    [("backfill",), ("fold",), ("timezone", "1", "UTC"), ("verify", "--repair")],
    ids=" ".join,
)
def test_a_command_that_changes_something_is_for_the_owner(
    command: tuple[str, ...], database: str, connect: Connect
) -> None:
    root = connect(database)
    with new_roles(root, database) as [reader]:
        assert OWNER in fail(*command, on=reader.dsn)


def test_a_refusal_with_a_hint_of_its_own_keeps_it(database: str, connect: Connect) -> None:
    root = desk(connect(database))
    write(root, created_at="2026-03-01 10:00")
    with new_roles(root, database) as [reader]:
        root.execute(
            f"GRANT USAGE ON SCHEMA rollup TO {reader.name};"
            f"GRANT SELECT ON ALL TABLES IN SCHEMA rollup, public TO {reader.name};"
            "ALTER TABLE reporting_events ENABLE ROW LEVEL SECURITY"
        )
        said = fail(*REPORT, "--since", "2026-02-01T05:00", on=reader.dsn)
        assert "row-level security" in said
        assert PAGE not in said


REFUSALS = {
    "de": ("keine Berechtigung für Schema {}", "keine Berechtigung für Tabelle {}"),
    "fr": ("droit refusé pour le schéma {}", "droit refusé pour la table {}"),
    "ja": ("スキーマ{}へのアクセスが拒否されました", "テーブル{}へのアクセスが拒否されました"),
}


@pytest.mark.parametrize("language", REFUSALS)
def test_the_grant_is_named_whatever_the_language_of_the_server(
    language: str, database: str, connect: Connect
) -> None:
    of_schema, of_table = REFUSALS[language]
    root = connect(database)
    with new_roles(root, database) as [reader], connect(reader.dsn) as session:
        user = f'TO "{reader.name}"; {PAGE}'
        said = missing(session, of_schema.format("rollup"))
        assert said == f'GRANT USAGE ON SCHEMA "rollup" {user}'
        root.execute(f"GRANT USAGE ON SCHEMA rollup TO {reader.name}")
        for schema, table in (("public", "reporting_events"), ("rollup", "accounts")):
            said = missing(session, of_table.format(table))
            assert said == f'GRANT SELECT ON "{schema}"."{table}" {user}'
        assert missing(session, of_table.format("no_table_of_ours")) == PAGE


def test_no_message_of_the_server_is_compared_with_english_words() -> None:
    source = Path(permissions.__file__).parents[1]
    for path in source.rglob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"\bin (str\(error\)|message)\b|permission denied", text), path
