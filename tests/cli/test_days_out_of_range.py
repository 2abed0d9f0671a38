"""Days that Python cannot hold, and databases of other encodings: every command reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from generator.cli import cli
from tests.support import reference
from tests.support.events import write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect


def run(dsn: str, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, [*arguments, "--database-url", dsn], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def test_a_difference_in_the_year_10000_hides_no_other(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin'); SELECT rollup.rebuild()")
    write(session, created_at="9999-12-31 23:59:59")
    write(session, created_at="2026-03-10 12:00")
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    days = {row["date"] for row in json.loads(run(database, "verify", "--json", code=2))}
    assert days == {"10000-01-01", "2026-03-10"}
    assert "10000-01-01" in run(database, "verify", code=2)
    run(database, "verify", "--sample", "100", code=2)
    run(database, "backfill", "--dry-run")
    run(database, "status")
    run(database, "verify", "--repair")
    assert_exact(session)
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    run(database, "verify", "--sample", "100", "--repair")
    assert_exact(session)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_deployed_and_verified(
    encoding: str, empty_database: str, connect: Connect
) -> None:
    name = f"encoded_{encoding.lower()}_{conninfo_to_dict(empty_database)['dbname']}"
    maintenance = connect(empty_database)
    maintenance.execute(
        f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'"
        " LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    dsn = make_conninfo(empty_database, dbname=name)
    try:
        reference.install(dsn)
        run(dsn, "deploy")
        with psycopg.connect(dsn, autocommit=True, client_encoding="utf8") as session:
            session.execute("INSERT INTO public.accounts (id, name) VALUES (1, 'Müller')")
            session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin')")
            session.execute("CALL rollup.backfill()")
            write(session)
        assert "agree" in run(dsn, "verify")
        run(dsn, "status", "--exit-code")
        run(dsn, "plan")
    finally:
        maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")
