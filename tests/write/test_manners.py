"""The triggers keep out of the way: they write only what they must, and no role can misuse them."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from tests.support.events import (
    HANDOFF,
    desk,
    mix,
    recorded_and_pending,
    rollups,
    row_versions,
    write,
)
from tests.support.oracle import assert_exact, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

ACCOUNTS = "SELECT a.xmin::text, a::text FROM rollup.accounts a ORDER BY a.account_id"
SLOTS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"

INDIFFERENT = {
    "an insert of no rows": """
        INSERT INTO public.reporting_events SELECT * FROM public.reporting_events WHERE false
    """,
    "an insert that is not counted": """
        INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
        VALUES ('conversation_opened', 1, now(), now()), (NULL, 1, now(), now()),
            ('reply_time', NULL, now(), now()), ('reply_time', 1, 'infinity', now())
    """,
    "an update of no rows": "UPDATE public.reporting_events SET value = 1 WHERE false",
    "an update of nothing": "UPDATE public.reporting_events SET value = value",
    "an update of a column that is not counted": """
        UPDATE public.reporting_events SET updated_at = now(), event_end_time = now()
    """,
    "an update of what is not counted": """
        UPDATE public.reporting_events SET value = 5 WHERE name = 'conversation_opened'
    """,
    "an update from one value that counts as NULL to another": """
        UPDATE public.reporting_events SET value = 1e300 WHERE value IS NULL
    """,
    "an exchange of two events": """
        UPDATE public.reporting_events e
        SET value = f.value, value_in_business_hours = f.value_in_business_hours,
            account_id = f.account_id, user_id = f.user_id, inbox_id = f.inbox_id,
            conversation_id = f.conversation_id, name = f.name, created_at = f.created_at
        FROM public.reporting_events f
        WHERE f.id = 101 - e.id
    """,
    "a delete of no rows": "DELETE FROM public.reporting_events WHERE false",
    "a delete of what is not counted": """
        DELETE FROM public.reporting_events WHERE name = 'conversation_opened'
    """,
}

FORBIDDEN = [
    "SELECT * FROM public.reporting_events_rollups",
    "DELETE FROM public.reporting_events_rollups",
    "SELECT * FROM rollup.current_rollups",
    "DELETE FROM rollup.pending_events",
    "INSERT INTO rollup.distinct_members VALUES (1, '2026-03-10', 'agent', 1, 'x', 1, 1)",
    "UPDATE rollup.accounts SET timezone = 'UTC'",
    "SELECT rollup.set_timezone(1, 'UTC')",
    "SELECT rollup.rebuild()",
    "SELECT rollup.fold()",
    "CALL rollup.backfill()",
    "TRUNCATE public.reporting_events",
]

FORGERIES = [
    (
        "INSERT ON mine REFERENCING NEW TABLE AS inserted",
        "INSERT INTO mine SELECT * FROM public.reporting_events",
    ),
    ("DELETE ON mine REFERENCING OLD TABLE AS deleted", "DELETE FROM mine"),
    ("TRUNCATE ON mine", "TRUNCATE mine"),
]

NAMES_TO_BORROW = [
    ("public", "reporting_events_rollups"),
    ("public", "reporting_events"),
    ("public", "accounts"),
    ("rollup", "accounts"),
    ("rollup", "pending_events"),
    ("rollup", "distinct_members"),
]


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@pytest.fixture
def role(database: str, connect: Connect) -> Iterator[str]:
    """Give the name of a role that may read and write events, and nothing else."""
    owner = connect(database)
    name = f"rollups_test_{secrets.token_hex(4)}"
    owner.execute(f"CREATE ROLE {name}")
    owner.execute(
        f"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON public.reporting_events TO {name};
        GRANT USAGE ON SEQUENCE public.reporting_events_id_seq TO {name};
        """
    )
    yield name
    owner.execute(f"DROP OWNED BY {name}")
    owner.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("statement", INDIFFERENT.values(), ids=list(INDIFFERENT))
def test_what_changes_no_count_writes_no_row_and_takes_no_slot(
    connection: psycopg.Connection[Any], statement: str
) -> None:
    mix(connection, 100)
    before = row_versions(connection)
    for level in ("READ COMMITTED", "REPEATABLE READ"):
        connection.execute(f"BEGIN ISOLATION LEVEL {level}")
        connection.execute(statement)
        assert connection.execute(SLOTS).fetchone() == (0,)
        assert row_versions(connection) == before
        connection.execute("COMMIT")
    assert_exact(connection)


def test_a_write_touches_only_the_rows_that_it_counts_in(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection, 100)
    before = row_versions(connection)
    write(connection, user_id=None, name=HANDOFF, account_id=2)
    touched = row_versions(connection) - before
    assert sorted(kind for kind, *_ in touched) == ["member"] * 2 + ["rollup"] * 2
    assert_exact(connection)


def test_a_role_that_may_only_write_events_keeps_the_rollups_exact(
    connection: psycopg.Connection[Any], database: str, connect: Connect, role: str
) -> None:
    session = connect(database)
    session.execute(f"SET SESSION AUTHORIZATION {role}")
    for level in ("READ COMMITTED", "REPEATABLE READ"):
        with session.transaction():
            session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            mix(session, 60)
            session.execute("UPDATE public.reporting_events SET account_id = 3 WHERE id % 2 = 0")
            session.execute("DELETE FROM public.reporting_events WHERE id % 7 = 0")
        assert_exact(connection)
    assert recorded_and_pending(connection)[1] > 0
    write(session)
    assert_exact(connection)


def test_a_role_that_may_only_write_events_cannot_touch_rollups(
    connection: psycopg.Connection[Any], database: str, connect: Connect, role: str
) -> None:
    mix(connection, 20)
    session = connect(database)
    session.execute(f"SET SESSION AUTHORIZATION {role}")
    for statement in FORBIDDEN:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)
    assert_exact(connection)


@pytest.mark.parametrize(("event", "statement"), FORGERIES, ids=["insert", "delete", "truncate"])
def test_a_role_that_may_read_rollups_cannot_forge_them_by_a_trigger_of_its_own(
    connection: psycopg.Connection[Any],
    database: str,
    connect: Connect,
    role: str,
    event: str,
    statement: str,
) -> None:
    """Trigger functions run with their owner's rights, whatever table they are attached to."""
    mix(connection, 20)
    connection.execute(
        f"GRANT USAGE ON SCHEMA rollup TO {role}; GRANT SELECT ON rollup.current_rollups TO {role}"
    )
    before = row_versions(connection), connection.execute(ACCOUNTS).fetchall()
    session = connect(database)
    session.execute(f"SET SESSION AUTHORIZATION {role}")
    session.execute("SELECT * FROM rollup.current_rollups")
    session.execute("CREATE TEMP TABLE mine (LIKE public.reporting_events)")
    session.execute("INSERT INTO mine SELECT * FROM public.reporting_events")
    function = f"rollup.reporting_events_after_{event.split()[0].lower()}"
    with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException):
        session.execute(
            f"CREATE TRIGGER forge AFTER {event} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        session.execute("SET default_transaction_isolation = 'repeatable read'")
        session.execute(statement)
    assert (row_versions(connection), connection.execute(ACCOUNTS).fetchall()) == before
    assert_exact(connection)


def test_temporary_tables_of_the_same_names_capture_nothing(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    session = connect(database)
    for schema, table in NAMES_TO_BORROW:
        session.execute(
            sql.SQL("CREATE TEMP TABLE {} (LIKE {} INCLUDING ALL)").format(
                sql.Identifier(table), sql.Identifier(schema, table)
            )
        )
        session.execute("SET search_path = pg_temp, public, rollup")
        mix(session, 60)
        session.execute("INSERT INTO public.accounts (settings) VALUES (%s)", ('{"a": 1}',))
        session.execute("SET default_transaction_isolation = 'repeatable read'")
        mix(session, 60)
        session.execute("SET default_transaction_isolation = 'read committed'")
        session.execute("SELECT rollup.set_timezone(2, 'Asia/Tokyo')")
        session.execute("SELECT rollup.fold(), rollup.rebuild()")
        session.execute("CALL rollup.backfill()")
        captured = sql.SQL("SELECT * FROM {}").format(sql.Identifier("pg_temp", table))
        assert session.execute(captured).fetchall() == []
        assert recorded_and_pending(connection)[1] == 0
        assert_exact(session)
        session.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier("pg_temp", table)))


def test_a_replicas_writes_are_drift_until_a_rebuild(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    mix(connection, 40)
    replica = connect(database, options="-c session_replication_role=replica")
    mix(replica, 40)
    replica.execute("UPDATE public.reporting_events SET account_id = 2 WHERE id <= 10")
    replica.execute("DELETE FROM public.reporting_events WHERE id BETWEEN 11 AND 20")
    assert differences(connection)
    [rebuilt] = connection.execute("SELECT rollup.rebuild()").fetchone() or (0,)
    assert rebuilt > 0
    assert_exact(connection)


def test_the_application_sees_its_own_returned_rows_and_counts(
    connection: psycopg.Connection[Any],
) -> None:
    cursor = connection.execute(
        """
        INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
        SELECT 'reply_time', 1, '2026-03-10', '2026-03-10'
        FROM generate_series(1, 3)
        RETURNING id
        """
    )
    assert cursor.rowcount == 3
    assert len(cursor.fetchall()) == 3
    assert rollups(connection) == [("account", 1, "reply_time", 3, 0, 0)]
    assert_exact(connection)
