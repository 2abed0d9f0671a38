"""Every statement that can change events leaves the rollups exact, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import HANDOFF, PLAIN, desk, mix, recorded_and_pending, rollups, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

pytestmark = pytest.mark.every_version

COLUMNS = ", ".join(PLAIN)
COVERED = "SELECT DISTINCT v.covered::text FROM rollup.coverage v"

CHANGES = {
    "day": "created_at = created_at + interval '1 day'",
    "hour, and so the day in some zones": "created_at = created_at + interval '7 hours'",
    "agent": "user_id = user_id % 3 + 1",
    "no agent any more": "user_id = NULL",
    "an agent for all": "user_id = 9",
    "inbox": "inbox_id = inbox_id + 1",
    "account": "account_id = account_id % 3 + 1",
    "account and back": "account_id = 4 - account_id",
    "an account without a zone": "account_id = 99",
    "no account": "account_id = NULL",
    "conversation": "conversation_id = conversation_id % 2",
    "no conversation": "conversation_id = NULL",
    "name": "name = 'conversation_bot_handoff'",
    "a name that is not counted": "name = 'conversation_opened'",
    "no name": "name = NULL",
    "values": "value = value + 1, value_in_business_hours = NULL",
    "a value that cannot be added up": "value = 'NaN'",
    "a time that has no day": "created_at = 'infinity'",
    "everything": "name = 'reply_time', account_id = 2, user_id = 1, inbox_id = 1, value = 7",
}


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


def test_an_insert_is_in_the_table_itself_before_it_is_committed(
    connection: psycopg.Connection[Any],
) -> None:
    with connection.transaction():
        write(connection)
        assert recorded_and_pending(connection) == (3, 0)
        write(connection, value=2.5)
        assert recorded_and_pending(connection) == (6, 0)
        assert_exact(connection)
    assert rollups(connection)[0] == ("account", 1, "first_response", 2, 62.5, 60)
    assert_exact(connection)


def test_an_insert_of_many_rows_counts_each(connection: psycopg.Connection[Any]) -> None:
    mix(connection, 3000)
    assert recorded_and_pending(connection)[1] == 0
    assert_exact(connection)


def test_an_insert_for_more_accounts_than_there_are_slots_counts_each(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(
        """
        INSERT INTO rollup.accounts (account_id, timezone, wanted)
        SELECT i, 'UTC', 'UTC'
        FROM generate_series(100, 699) i;
        INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
        SELECT 'reply_time', i, '2026-03-10', '2026-03-10'
        FROM generate_series(100, 699) i
        """
    )
    assert recorded_and_pending(connection) == (600, 0)
    assert_exact(connection)


def test_a_copy_counts_every_row(connection: psycopg.Connection[Any]) -> None:
    with connection.cursor().copy(f"COPY public.reporting_events ({COLUMNS}) FROM STDIN") as copy:
        for number in range(500):
            event = {**PLAIN, "value": number, "account_id": 1 + number % 4}
            copy.write_row(list(event.values()))
    assert recorded_and_pending(connection) == (375 * 3, 0)
    assert_exact(connection)


def test_an_insert_on_conflict_counts_what_it_inserts_and_what_it_updates(
    connection: psycopg.Connection[Any],
) -> None:
    kept, changed = write(connection), write(connection)
    connection.execute(
        f"""
        INSERT INTO public.reporting_events AS e (id, {COLUMNS})
        SELECT i, 'reply_time', 5, NULL, 2, 12, 22, 32, '2026-03-11', '2026-03-11'
        FROM unnest(%s::bigint[]) i
        ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, value = e.value + 1, account_id = excluded.account_id
        WHERE e.id <> %s
        """,
        ([kept, changed, 1000, 1001], kept),
    )
    names = connection.execute("SELECT name FROM public.reporting_events ORDER BY id").fetchall()
    assert [name for (name,) in names] == ["first_response"] + ["reply_time"] * 3
    assert_exact(connection)
    connection.execute(
        f"""
        INSERT INTO public.reporting_events (id, {COLUMNS})
        SELECT id, {COLUMNS} FROM public.reporting_events
        ON CONFLICT DO NOTHING
        """
    )
    assert_exact(connection)


def test_a_merge_counts_inserts_updates_and_deletes(connection: psycopg.Connection[Any]) -> None:
    if connection.info.server_version < 150000:
        pytest.skip("PostgreSQL 14 has no MERGE")
    mix(connection, 60)
    connection.execute(
        f"""
        MERGE INTO public.reporting_events e
        USING generate_series(31, 90) i ON e.id = i
        WHEN MATCHED AND i % 3 = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET user_id = 7, value = i, account_id = 1 + i % 3
        WHEN NOT MATCHED THEN
            INSERT ({COLUMNS})
            VALUES ('{HANDOFF}', i, i, 1 + i % 3, 1, 1, i % 5, '2026-03-10', '2026-03-10')
        """
    )
    assert connection.execute("SELECT count(*) FROM public.reporting_events").fetchone() == (80,)
    assert_exact(connection)


def test_one_statement_that_inserts_twice_updates_and_deletes_counts_all_of_it(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection, 60)
    connection.execute(
        f"""
        WITH one AS (
            INSERT INTO public.reporting_events ({COLUMNS})
            SELECT {COLUMNS} FROM public.reporting_events WHERE id <= 10
            RETURNING id
        ),
        two AS (
            INSERT INTO public.reporting_events ({COLUMNS})
            SELECT {COLUMNS} FROM public.reporting_events WHERE id <= 20
            RETURNING id
        ),
        moved AS (
            UPDATE public.reporting_events
            SET account_id = 3, conversation_id = 1
            WHERE id BETWEEN 21 AND 40
            RETURNING id
        ),
        also_moved AS (
            UPDATE public.reporting_events SET user_id = 5 WHERE id BETWEEN 41 AND 45
        )
        DELETE FROM public.reporting_events WHERE id > 45
        """
    )
    assert connection.execute("SELECT count(*) FROM public.reporting_events").fetchone() == (75,)
    assert_exact(connection)


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_update_moves_what_an_event_adds(
    connection: psycopg.Connection[Any], change: str
) -> None:
    mix(connection)
    connection.execute(f"UPDATE public.reporting_events SET {change} WHERE id % 3 > 0")
    assert_exact(connection)
    connection.execute(f"UPDATE public.reporting_events SET {change}")
    assert recorded_and_pending(connection)[1] == 0
    assert_exact(connection)


def test_a_delete_takes_away_what_an_event_added(connection: psycopg.Connection[Any]) -> None:
    mix(connection)
    connection.execute("DELETE FROM public.reporting_events WHERE id % 2 = 0")
    assert_exact(connection)


def test_counts_that_are_zero_again_have_no_row_in_the_view(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection)
    connection.execute("DELETE FROM public.reporting_events")
    assert rollups(connection) == []
    assert connection.execute("SELECT * FROM rollup.current_members").fetchall() == []
    assert_exact(connection)
    mix(connection)
    assert_exact(connection)


def test_a_hand_off_counts_until_the_last_event_of_its_conversation_has_gone(
    connection: psycopg.Connection[Any],
) -> None:
    ids = [write(connection, name=HANDOFF) for _ in range(3)]
    for left, id_ in ((1, ids[0]), (1, ids[2]), (0, ids[1])):
        connection.execute("DELETE FROM public.reporting_events WHERE id = %s", (id_,))
        assert [row[3] for row in rollups(connection)] == [1] * 3 * left
        assert_exact(connection)


def test_events_that_go_with_their_conversation_are_taken_away(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(
        """
        INSERT INTO public.conversations (id, created_at)
        SELECT i, now() FROM generate_series(0, 5) i;
        ALTER TABLE public.reporting_events
            ADD FOREIGN KEY (conversation_id) REFERENCES public.conversations ON DELETE CASCADE
                ON UPDATE SET NULL
        """
    )
    mix(connection)
    connection.execute("DELETE FROM public.conversations WHERE id IN (1, 2, 3)")
    gone = "SELECT count(*) FROM public.reporting_events WHERE conversation_id IN (1, 2, 3)"
    assert connection.execute(gone).fetchone() == (0,)
    assert_exact(connection)
    connection.execute("UPDATE public.conversations SET id = id + 10 WHERE id IN (4, 5)")
    assert_exact(connection)


def test_an_application_trigger_that_changes_other_events_is_counted_as_well(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(
        """
        CREATE FUNCTION public.meddle() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE public.reporting_events SET value = 1, user_id = 3 WHERE id = NEW.id;
            INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
            VALUES ('conversation_bot_handoff', 2, NEW.created_at, NEW.created_at);
            DELETE FROM public.reporting_events WHERE id = NEW.id - 4;
            RETURN NULL;
        END $$;
        CREATE TRIGGER meddle AFTER INSERT ON public.reporting_events FOR EACH ROW
            WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION public.meddle();
        """
    )
    mix(connection, 40)
    assert_exact(connection)


def test_a_truncate_empties_the_rollups_too_unless_rolled_back(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection)
    connection.execute("BEGIN")
    write(connection)
    connection.execute("TRUNCATE public.reporting_events")
    assert rollups(connection) == []
    assert_exact(connection)
    connection.execute("ROLLBACK")
    assert rollups(connection) != []
    assert_exact(connection)

    connection.execute("BEGIN")
    connection.execute("TRUNCATE public.reporting_events")
    write(connection, account_id=2)
    assert_exact(connection)
    connection.execute("COMMIT")
    assert [row[3] for row in rollups(connection)] == [1, 1, 1]
    assert_exact(connection)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_truncate_above_read_committed_is_left_to_the_next_backfill(
    connection: psycopg.Connection[Any], level: str
) -> None:
    """What others have added to the record since its snapshot, it could not take away."""
    mix(connection)
    connection.execute("CALL rollup.backfill()")
    connection.execute(f"BEGIN ISOLATION LEVEL {level}")
    connection.execute("TRUNCATE public.reporting_events")
    write(connection, account_id=2)
    connection.execute("COMMIT")
    assert rollups(connection) != []
    assert connection.execute(COVERED).fetchall() == [("{}",)]
    connection.execute("CALL rollup.backfill()")
    assert [row[3] for row in rollups(connection)] == [1, 1, 1]
    assert connection.execute(COVERED).fetchall() == [("{(,)}",)]
    assert_exact(connection)
