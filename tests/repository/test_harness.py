"""The tests' own ground: each test gets databases that no other test has touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.support.databases import Connect

COUNT_ACCOUNTS = "SELECT count(*) FROM public.accounts"
COUNT_TABLES = """
SELECT count(*)
FROM pg_catalog.pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_one_test_writes_another_never_sees(
    turn: str, database: str, connect: Connect
) -> None:
    connection = connect(database)
    assert connection.execute(COUNT_ACCOUNTS).fetchone() == (0,)
    connection.execute("INSERT INTO public.accounts (name) VALUES (%s)", [turn])


def test_the_databases_of_one_test_are_three_different_ones(
    database: str, reference_database: str, empty_database: str, connect: Connect
) -> None:
    connect(reference_database).execute("INSERT INTO public.accounts (name) VALUES ('a')")
    assert connect(database).execute(COUNT_ACCOUNTS).fetchone() == (0,)
    assert connect(reference_database).execute(COUNT_TABLES).fetchone() == (3,)
    assert connect(empty_database).execute(COUNT_TABLES).fetchone() == (0,)


def test_a_copy_has_all_nine_indexes_of_chatwoot(reference_database: str, connect: Connect) -> None:
    found = connect(reference_database).execute(
        "SELECT count(*) FROM pg_catalog.pg_indexes WHERE tablename = 'reporting_events'"
    )
    assert found.fetchone() == (9,)


def test_connections_commit_by_themselves_unless_told_otherwise(
    empty_database: str, connect: Connect
) -> None:
    connect(empty_database).execute("CREATE TABLE kept ()")
    connect(empty_database, autocommit=False).execute("CREATE TABLE not_kept ()")
    watcher = connect(empty_database)
    assert watcher.execute(COUNT_TABLES).fetchone() == (1,)
    with pytest.raises(psycopg.errors.UndefinedTable):
        watcher.execute("TABLE not_kept")
