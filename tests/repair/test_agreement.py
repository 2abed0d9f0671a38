"""Every damage that is known, and what each command says of it: they agree on what is well."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from generator.deploy.deploy import deploy
from generator.registry import load
from tests.support.agreement import AGREED, AGREED_OF_PARTITIONS, COMMANDS, Agreed
from tests.support.command import run
from tests.support.databases import clone
from tests.support.events import desk, mix
from tests.support.failures import FAILURES
from tests.support.layouts import PARTITIONED
from tests.support.roles import Role, advised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_postgresql.executors import NoopExecutor


GIVE = """
SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, o.owner)
FROM pg_class c, (VALUES (%s)) o (owner)
WHERE c.relispartition
AND c.relkind IN ('r', 'p')
UNION ALL
SELECT format('GRANT ALL ON SCHEMA %%I TO %%I', n.nspname, o.owner)
FROM pg_namespace n, (VALUES (%s)) o (owner)
WHERE n.nspname = 'Old ones'
UNION ALL
SELECT format('GRANT ALL ON SEQUENCE %%s TO %%I', c.oid::regclass, o.owner)
FROM pg_class c, (VALUES (%s)) o (owner)
WHERE c.relname = 'ids'
"""
ALL = AGREED | FAILURES


@pytest.fixture(scope="module")
def filled(reference_template: NoopExecutor) -> Iterator[tuple[str, Role]]:
    """Give a database that is deployed, filled and covered, and its owner, no superuser."""
    with prepared(reference_template, "SELECT") as given:
        yield given


@pytest.fixture(scope="module")
def partitioned(reference_template: NoopExecutor) -> Iterator[tuple[str, Role]]:
    """Give the same with the events in partitions."""
    with prepared(reference_template, PARTITIONED) as given:
        yield given


@contextmanager
def prepared(template: NoopExecutor, layout: str) -> Iterator[tuple[str, Role]]:
    with clone(template) as dsn:
        owner = Role(dsn)
        with psycopg.connect(dsn, autocommit=True) as root:
            root.execute(layout.encode())
            root.execute(owner.creation.encode())
            root.execute(advised("Roles", root, app_owner=owner.name)[0].encode())
            for [statement] in root.execute(GIVE, [owner.name] * 3).fetchall():
                root.execute(statement)
        deploy(owner.dsn, load())
        with psycopg.connect(owner.dsn, autocommit=True) as session:
            mix(desk(session))
            session.execute("CALL rollup.backfill()")
        yield dsn, owner  # without a session, because it is to be copied
        with psycopg.connect(dsn, autocommit=True) as root:
            root.execute(f"REASSIGN OWNED BY {owner.name} TO CURRENT_USER".encode())
            root.execute(f"DROP OWNED BY {owner.name}; DROP ROLE {owner.name}".encode())


@contextmanager
def damaged(dsn: str, owner: Role, statement: str) -> Iterator[str]:
    """Give a damaged copy of a database, as its owner sees it."""
    name = f"rollups_test_{secrets.token_hex(4)}"
    server = make_conninfo(dsn, dbname="postgres")
    with psycopg.connect(server, autocommit=True) as root:
        root.execute(f"CREATE DATABASE {name} TEMPLATE {conninfo_to_dict(dsn)['dbname']}")
        try:
            copy = make_conninfo(owner.dsn, dbname=name)
            try:
                with psycopg.connect(copy, autocommit=True) as session:
                    session.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:  # what a superuser has done
                with psycopg.connect(make_conninfo(dsn, dbname=name), autocommit=True) as session:
                    session.execute(statement.encode())
            yield copy
        finally:
            root.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("one", ALL.values(), ids=ALL)
def test_commands_agree_on_what_is_well(one: Agreed, filled: tuple[str, Role]) -> None:
    assert_agreed(one, filled)


@pytest.mark.parametrize("one", AGREED_OF_PARTITIONS.values(), ids=AGREED_OF_PARTITIONS)
def test_commands_agree_on_partitions(one: Agreed, partitioned: tuple[str, Role]) -> None:
    assert_agreed(one, partitioned)


def assert_agreed(one: Agreed, given: tuple[str, Role]) -> None:
    with psycopg.connect(given[0]) as session:
        if session.info.server_version < one.server * 10000:
            pytest.skip(f"nothing of the kind before PostgreSQL {one.server}")
    for command, arguments in COMMANDS.items():
        with damaged(*given, one.damage) as dsn:
            done = run(*arguments, on=dsn)
        code, words = getattr(one, command)
        assert done.exit_code == code, (command, done.output)
        assert words in done.output, (command, done.output)


def test_nothing_is_wrong_where_nothing_is_damaged(filled: tuple[str, Role]) -> None:
    for arguments in COMMANDS.values():
        with damaged(*filled, "SELECT") as dsn:
            assert run(*arguments, on=dsn).exit_code == 0
