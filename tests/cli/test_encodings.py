"""Databases in other encodings than UTF-8: every command works there, whatever their text is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.support.command import fail, run, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_postgresql.executors import NoopExecutor

    Session = psycopg.Connection[Any]

TABLES = """
CREATE TABLE "événements" (
    "clé" bigserial PRIMARY KEY, name text, "durée" float8, account_id bigint, agent text,
    created_at timestamp
);
CREATE TABLE "comptes" (id bigint PRIMARY KEY, "réglages" jsonb);
INSERT INTO "comptes" VALUES (1, '{"fuseau horaire é": "Europe/Paris", "nom": "Zoë"}');
"""

REGISTRY = """
format = 2

[sources."événements"]
account = "account_id"
name = "name"
time = "created_at"
time_type = "timestamp"
dimensions = { account = "account_id", agent = "agent" }
measures = { "durée" = "durée" }

[accounts]
schema = "public"
table = "comptes"
id = "id"
timezone = "réglages"
timezone_key = "fuseau horaire é"

[rollups]
schema = "public"
table = "événements_par_jour"
id_type = "text"

[measures."durée"]
sum = "durée"
count = "durée_count"

[events."résolu"]
"résolutions" = { kind = "duration" }

[reports."résolutions"]
aggregate = "count"
metric = "résolutions"
summary = "résolus"
"""

EVENT = """
INSERT INTO "événements" (name, "durée", account_id, agent, created_at)
VALUES ('résolu', 60, 1, %s, '2026-03-10 12:00')
"""

LONG = "é" * 3000

TOTALS = """
SELECT sum(r.count) FROM rollup.current_rollups r WHERE r.dimension_type = 'agent'
"""


@pytest.fixture(params=["SQL_ASCII", "LATIN1", "UTF8"])
def encoding(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def database(empty_template: NoopExecutor, encoding: str) -> Iterator[str]:
    """Give a database in another encoding, with the tables of an application."""
    template = empty_template
    name = f"{template.dbname}_{encoding.lower()}_{secrets.token_hex(4)}"
    whereabouts: dict[str, Any] = {
        "host": template.host,
        "port": template.port,
        "user": template.user,
    }
    maintenance = make_conninfo(
        **whereabouts, password=template.password, dbname=template.maintenance_dbname
    )
    with psycopg.connect(maintenance, autocommit=True) as session:
        session.execute(
            sql.SQL(
                "CREATE DATABASE {} ENCODING {} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
            ).format(sql.Identifier(name), sql.Literal(encoding))
        )
        try:
            dsn = make_conninfo(**whereabouts, password=template.password, dbname=name)
            with psycopg.connect(dsn, client_encoding="utf8") as own:
                own.execute(TABLES)
            yield dsn
        finally:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def registry(tmp_path: Path) -> str:
    file = tmp_path / "registry.toml"
    file.write_text(REGISTRY, encoding="utf-8")
    return str(file)


def test_every_command_works_whatever_the_encoding_of_the_database(
    database: str, registry: str, tmp_path: Path
) -> None:
    named = ("--registry", registry)
    with psycopg.connect(database, autocommit=True, client_encoding="utf8") as session:
        session.execute(EVENT, ("Zoë",))
        assert run("plan", *named, on=database).exit_code == 2
        succeed("deploy", "--backfill", *named, on=database)
        assert "nothing to do" in succeed("deploy", *named, on=database)
        for agent in ("Zoë", "Jürgen", LONG):
            session.execute(EVENT, (agent,))
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session.execute(EVENT, (LONG,))
        session.execute("COMMIT")
        for command in (
            ["status", *named],
            ["status", "--json", *named],
            ["timezone", "1"],
            ["timezone", "1", "Europe/Berlin"],
            ["backfill", "--dry-run"],
            ["backfill"],
            ["fold"],
            ["reads", "1", "on"],
            ["verify"],
            ["verify", "--sample", "5"],
            ["verify", "--json"],
        ):
            succeed(*command, on=database)
        assert session.execute(TOTALS).fetchone() == (5,)
        asked = ("--account", "1", "--since", "2026-03-01", "--until", "2026-04-01")
        summary = succeed("report", "summary", "agent", *asked, *named, on=database)
        assert "Zoë" in summary
        for agent, events in (("Zoë", 2), (LONG, 2)):
            answer = succeed(
                *("report", "aggregate", "résolutions", *asked, "--for", "agent", agent),
                *("--compare", "--format", "csv"),
                on=database,
            )
            assert str(events) in answer
        page = tmp_path / "page.html"
        succeed("report", "--html", str(page), *asked, *named, on=database)
        assert "Zoë" in page.read_text("utf-8")
        assert succeed("verify", on=database).startswith("raw events and rollups agree")
        succeed("undeploy", "--yes", *named, on=database)


@pytest.mark.parametrize("encoding", ["SQL_ASCII"])
def test_ids_of_bytes_that_are_no_text_count_and_are_told_of(database: str, registry: str) -> None:
    named = ("--registry", registry)
    succeed("deploy", "--backfill", *named, on=database)
    with psycopg.connect(database, autocommit=True, client_encoding="sql_ascii") as session:
        for agent in (b"'Zo\xeb'", b"'" + b"\xff\xfe" * 2000 + b"'"):
            session.execute(EVENT.encode().replace(b"%s", agent))
        assert session.execute(TOTALS).fetchone() == (2,)
        for command in (["status", *named], ["backfill"], ["fold"], ["verify"]):
            succeed(*command, on=database)
        session.execute("UPDATE événements_par_jour SET count = count + 1".encode())
        for command in (["verify"], ["verify", "--json"], ["verify", "--repair", "--yes"]):
            assert "SELECT rollup.rebuild()" in fail(*command, on=database)
        session.execute("SELECT rollup.rebuild()")
        assert session.execute(TOTALS).fetchone() == (2,)
    assert succeed("verify", on=database).startswith("raw events and rollups agree")
