"""Deployments over a database that an older version deployed: what is durable is converted."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from generator.database.patience import Patience
from generator.deploy.conversion import conversion
from generator.deploy.deploy import deploy
from generator.deploy.deployments import Deployed
from generator.deploy.plan import plan
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import DEFAULT as PACKAGED
from generator.registry import load, parse
from generator.registry.counting import FORMAT
from generator.registry.event import event
from generator.render.objects import rendered_tables
from tests.support import oracle
from tests.support.events import mix, recorded_and_pending, write
from tests.support.waiting import PATIENCE, await_lock

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()

DUMP = Path(__file__).parents[1] / "fixtures" / "format_1.sql.gz"
"""A desk, dumped when pending events had the columns of the source table.

Its rollup table was Chatwoot's own. Accounts 1 and 2 are covered, their days before 2026-03-09
purged; reply_time came later and was backfilled for account 1 alone; account 3 is not covered. 96
events are pending. The view public.daily reads rollup.current_rollups.
"""

ARCHIVED = oracle.DIFFERENCES.replace(
    b"public.reporting_events e",
    b"(TABLE public.reporting_events UNION ALL TABLE public.archive) e",
)
KEPT = """
SELECT 'account', to_jsonb(a)::text FROM rollup.accounts a
UNION ALL
SELECT 'coverage', to_jsonb(v)::text FROM rollup.coverage v
UNION ALL
SELECT 'gap', to_jsonb(g)::text FROM rollup.gaps g
UNION ALL
SELECT 'member', to_jsonb(m)::text FROM rollup.distinct_members m
UNION ALL
SELECT 'rollup', to_jsonb(r)::text FROM public.reporting_events_rollups r
UNION ALL
SELECT 'seen', to_jsonb(d)::text FROM public.daily d
UNION ALL
SELECT 'differs', to_jsonb(d)::text FROM rollup.drift() d
ORDER BY 1, 2
"""
FORMER = """
SELECT p.id, p.sign, p.account_id, p.name, p.created_at AT TIME ZONE 'UTC', p.user_id, p.inbox_id,
    p.conversation_id, p.value, p.value_in_business_hours
FROM rollup.pending_events p
ORDER BY p.id
"""
PENDING = """
SELECT p.id, p.sign, p.account_id, p.event, p.at, p.agent, p.inbox, p.conversation_id, p.value,
    p.value_in_business_hours
FROM rollup.pending_events p
ORDER BY p.id
"""
TOTAL = "SELECT sum(r.count) FROM rollup.current_rollups r"
DRIFT = """
SELECT d.*
FROM rollup.drift() d
JOIN rollup.coverage v USING (account_id)
WHERE v.covered @> d.date
"""
FILE = "SELECT pg_relation_filenode('rollup.pending_events')"
ODD = {
    "a column of two dimensions, one of which has its name": (
        (("{ account =", '{ team = "user_id", account ='),),
        "account_id bigint, name text, created_at timestamp, user_id bigint, inbox_id bigint",
        "1, 'reply_time', '2026-03-29 02:30', 7, 9",
        {"agent": 7, "team": 7, "inbox": 9},
    ),
    "dimensions that swap their names with columns": (
        (
            ('agent = "user_id"', 'inbox_id = "user_id"'),
            ('inbox = "inbox_id"', 'user_id = "inbox_id"'),
        ),
        "account_id bigint, name text, created_at timestamp, user_id bigint, inbox_id bigint",
        "1, 'reply_time', '2026-03-29 02:30', 7, 9",
        {"inbox_id": 7, "user_id": 9},
    ),
    "a time that has its name, but another type": (
        (('time = "created_at"', 'time = "at"'),),
        "account_id bigint, name text, at timestamp, user_id bigint, inbox_id bigint",
        "1, 'reply_time', '2026-03-29 02:30', 7, 9",
        {"agent": 7, "inbox": 9},
    ),
    "a column that nothing reads any more, whose name is needed": (
        (),
        "account_id bigint, name text, created_at timestamp, user_id bigint, inbox_id bigint,"
        " agent text",
        "1, 'reply_time', '2026-03-29 02:30', 7, 9, 'x'",
        {"agent": 7, "inbox": 9},
    ),
    "a measure that gets another name": (
        (('{ value = "value"', '{ seconds = "value"'), ("[measures.value]", "[measures.seconds]")),
        "account_id bigint, name text, created_at timestamp, user_id bigint, inbox_id bigint,"
        " value double precision",
        "1, 'reply_time', '2026-03-29 02:30', 7, 9, 1.5",
        {"agent": 7, "inbox": 9, "seconds": 1.5},
    ),
    "long ids that older versions have left": (
        (('id_type = "bigint"', 'id_type = "text"'),),
        "account_id bigint, name text, created_at timestamp, user_id text, inbox_id text",
        "1, 'reply_time', '2026-03-29 02:30', repeat('é', 3000), 'short'",
        {"agent": "short_id", "inbox": "short"},
    ),
}
SHORT_ID = """
CREATE FUNCTION rollup.short_id(id text) RETURNS text LANGUAGE sql AS $$SELECT 'short_id'$$
"""


@pytest.fixture
def old(empty_database: str) -> str:
    """Give the connection string of a database that is restored from the dump."""
    with psycopg.connect(empty_database, autocommit=True) as session:
        session.execute(gzip.decompress(DUMP.read_bytes()))
    return empty_database


def test_pending_events_are_renamed_in_place_and_nothing_is_lost(
    old: str, connect: Connect
) -> None:
    session = connect(old)
    before = [session.execute(query).fetchall() for query in (KEPT, FORMER, FILE)]
    planned = plan(old, REGISTRY, Patience()).listed
    [converted] = [one for one in planned if one.action == "convert"]
    assert (converted.kind, converted.name) == ("table", "rollup.pending_events")
    assert (
        "name to event, created_at to at, user_id to agent, inbox_id to inbox" in converted.remark
    )
    done = deploy(old, REGISTRY)
    assert "convert table rollup.pending_events" in done.changes
    assert not done.coverage_voided
    assert [session.execute(query).fetchall() for query in (KEPT, PENDING, FILE)] == before
    assert inspect(session, REGISTRY).is_current
    assert session.execute("SELECT format FROM rollup.deployments ORDER BY id").fetchall() == [
        (1,), (1,), (FORMAT,),
    ]  # fmt: skip
    assert plan(old, REGISTRY, Patience()).is_nothing


def test_what_was_pending_is_folded_and_work_goes_on(old: str, connect: Connect) -> None:
    deploy(old, REGISTRY)
    session = connect(old)
    mix(session, 50)
    session.execute("UPDATE public.reporting_events SET conversation_id = 1 WHERE id % 5 = 0")
    session.execute("SELECT rollup.fold()")
    assert recorded_and_pending(session)[1] == 0
    session.execute("CALL rollup.backfill()")
    assert session.execute(DRIFT).fetchall() == []
    found = session.execute(ARCHIVED, {"covered": False}).fetchall()
    assert all("reply_time" in str(one) for one in found), "reply_time came after days were purged"


def test_what_is_appended_while_a_conversion_waits_is_converted(old: str, connect: Connect) -> None:
    writer, reader = connect(old), connect(old)
    before = reader.execute(TOTAL).fetchone()
    with ThreadPoolExecutor(max_workers=1) as executor:
        with writer.transaction():
            write(writer, name="opened")  # holds the table, and no slot
            deployment = executor.submit(deploy, old, REGISTRY)
            await_lock(reader, "public.reporting_events", "ShareRowExclusiveLock")
            write(writer, name="reply_time")
            assert reader.execute(TOTAL).fetchone() == before
            assert not deployment.done()
        assert not deployment.result(PATIENCE).coverage_voided
    write(writer)
    assert reader.execute("SELECT rollup.fold()").fetchone() != (0,)
    assert reader.execute(DRIFT).fetchall() == []


def test_an_older_program_refuses_a_database_of_a_newer_one(
    database: str, connect: Connect
) -> None:
    connect(database).execute("UPDATE rollup.deployments SET format = format + 1")
    with pytest.raises(DatabaseError, match="newer version"):
        deploy(database, REGISTRY)
    with pytest.raises(DatabaseError, match="newer version"):
        plan(database, REGISTRY, Patience())


@pytest.mark.parametrize(("edits", "columns", "values", "expected"), ODD.values(), ids=ODD)
def test_odd_columns_are_converted(
    edits: tuple[tuple[str, str], ...],
    columns: str,
    values: str,
    expected: dict[str, Any],
    empty_database: str,
    connect: Connect,
) -> None:
    text = PACKAGED.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    registry = parse(text, "edited")
    session = connect(empty_database)
    session.execute("CREATE SCHEMA rollup")
    session.execute(SHORT_ID)
    session.execute(
        "CREATE TABLE rollup.pending_events"
        f" (id bigint GENERATED ALWAYS AS IDENTITY, sign integer NOT NULL, {columns})"
    )
    session.execute(
        f"INSERT INTO rollup.pending_events OVERRIDING SYSTEM VALUE VALUES (5, 1, {values})"
    )
    last = Deployed(
        version="", registry_digest="", counting=registry.counting, definitions={}, format=1
    )
    converted = conversion(session, registry, last)
    assert converted is not None
    [table] = [one.text for one in rendered_tables(registry) if one.name == "rollup.pending_events"]
    with session.transaction():
        for statement in converted.statements(table):
            statement.run(session)
    cursor = session.cursor(row_factory=dict_row)
    row = cursor.execute("SELECT * FROM rollup.pending_events").fetchone() or {}
    assert row["at"] == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    kept = {"id": 5, "sign": 1, "account_id": 1, "event": "reply_time"}
    rest = {one.name: None for one in event(registry).columns}
    assert row == rest | kept | {"at": row["at"]} | expected
