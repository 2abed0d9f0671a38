"""Databases that publish all their tables: none that is written here lacks a replica identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.errors import DatabaseError
from generator.operate import backfill
from generator.registry import DEFAULT, load, parse
from tests.support.command import succeed
from tests.support.events import desk, mix, recorded_and_pending, write, write_until_folded
from tests.support.layouts import COLUMNS, KEY
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

FULL = load()
FEWER = parse(
    DEFAULT.read_text().replace("[events.reply_time]", "[events.conversation_opened]"),
    "registry.toml",
)

WITHOUT_IDENTITY = """
SELECT c.oid::regclass::text
FROM pg_class c
WHERE c.relnamespace = 'rollup'::regnamespace
AND c.relkind = 'r'
AND c.relname NOT LIKE '%yoyo%'
AND c.relreplident <> 'f'
AND NOT EXISTS (
    SELECT
    FROM pg_index i
    WHERE i.indrelid = c.oid
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END
)
"""


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk in a database that publishes every change of every table."""
    session = connect(database)
    session.execute("SET client_min_messages = error")
    session.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    return desk(session)


def test_every_table_of_ours_tells_its_rows_apart(session: Session) -> None:
    assert session.execute(WITHOUT_IDENTITY).fetchall() == []


def test_a_table_to_be_adopted_that_no_session_could_update_is_refused(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute("SET client_min_messages = error")
    session.execute(COLUMNS.replace(" PRIMARY KEY", " NOT NULL") + KEY)
    session.execute("CREATE PUBLICATION everything FOR ALL TABLES")
    with pytest.raises(DatabaseError, match="is published and has no replica identity"):
        deploy(reference_database, FULL)
    session.execute(
        "ALTER TABLE public.reporting_events_rollups"
        " REPLICA IDENTITY USING INDEX index_rollup_unique_key"
    )
    deploy(reference_database, FULL)
    mix(desk(session))
    session.execute("UPDATE public.reporting_events SET value = 7")
    assert_exact(session)


def test_nothing_fails_where_every_change_is_published(session: Session, database: str) -> None:
    mix(session, 100)
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session)
        session.execute("UPDATE public.reporting_events SET inbox_id = 9 WHERE account_id = 1")
    assert recorded_and_pending(session)[1]
    write_until_folded(session)
    assert_exact(session)
    session.execute(
        'UPDATE public.accounts SET settings = \'{"reporting_timezone": "Asia/Tokyo"}\''
    )
    session.execute("INSERT INTO rollup.invalidations VALUES (NULL)")
    session.execute("DELETE FROM public.reporting_events WHERE id % 2 = 0")
    session.execute("CALL rollup.backfill()")
    session.execute("CALL rollup.purge_events('2026-03-08', 2)")
    for registry in (FEWER, FULL):
        deploy(database, registry, delete_removed=True)
        for done in backfill.run(database, backfill.plan(session)):
            assert not done.uncovered
    succeed("verify", on=database)
    succeed("verify", "--sample", "10", on=database)
    session.execute("TRUNCATE public.reporting_events")
    session.execute("SELECT rollup.rebuild()")
    succeed("undeploy", "--yes", on=database)
