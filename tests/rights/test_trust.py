"""Rights, columns and settings that others change: reads are refused, and no write fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support.command import fail
from tests.support.events import desk, mix, write
from tests.support.layouts import PARTITIONED
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.roles import Role, advised, new_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

POLICY = """
ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants ON {0} USING ({1} = current_setting('app.account', true)::integer)
"""
HIDDEN = {
    "public.reporting_events": "account_id",
    "public.accounts": "id",
    "public.reporting_events_rollups": "account_id",
    "rollup.accounts": "account_id",
    "rollup.distinct_members": "account_id",
    "rollup.invalidations": "account_id",
    "rollup.pending_events": "account_id",
}
ASKED = (
    "SELECT * FROM rollup.drift()",
    "SELECT rollup.rebuild()",
    "SELECT rollup.rebuild(1)",
    "SELECT rollup.fold()",
    "SELECT * FROM rollup.backfill_chunks()",
    "CALL rollup.backfill()",
    "CALL rollup.purge_events('2026-03-09')",
    "SELECT * FROM rollup.verify_sample(10)",
    "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-03-01', '2026-04-01')",
    "SELECT * FROM rollup.timeseries(1, 'reply_time', NULL, NULL, '2026-03-01', '2026-04-01')",
    "SELECT * FROM rollup.summary(1, 'agent', '2026-03-01', '2026-04-01')",
)
COMMANDS = (
    ("verify",),
    ("verify", "--repair"),
    ("verify", "--sample", "5"),
    ("backfill", "--yes"),
    ("fold",),
    ("deploy",),
    ("plan",),
)


@pytest.fixture
def owner(reference_database: str, connect: Connect) -> Iterator[Role]:
    """Give a role, no superuser, that owns the tables and has deployed; some days are covered."""
    root = connect(reference_database)
    with new_roles(root, reference_database) as [role]:
        root.execute(advised("Roles", root, app_owner=role.name)[0])
        deploy(role.dsn, load())
        session = connect(role.dsn)
        mix(desk(session))
        yield role
        session.close()


def totals(session: Session) -> list[tuple[Any, ...]]:
    query = "SELECT r::text FROM public.reporting_events_rollups r ORDER BY 1"
    return session.execute(query).fetchall()


@pytest.mark.parametrize("table", HIDDEN)
def test_what_a_policy_hides_is_never_taken_for_deleted(
    table: str, owner: Role, reference_database: str, connect: Connect
) -> None:
    root, session = connect(reference_database), connect(owner.dsn)
    before = totals(root)
    session.execute(POLICY.format(table, HIDDEN[table]))
    for statement in ASKED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=table) as refused:
            session.execute(statement)
        assert f"ALTER TABLE {table} NO FORCE" in str(refused.value.diag.message_hint)
    for command in COMMANDS:
        assert table in fail(*command, on=owner.dsn)
    assert totals(root) == before
    report = inspect(session, load())
    assert not report.is_current
    assert any(table in problem for problem in report.problems)
    session.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    assert inspect(session, load()).is_current
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)


@pytest.mark.parametrize("table", HIDDEN)
def test_no_write_fails_where_a_policy_hides_rows(
    table: str, owner: Role, reference_database: str, connect: Connect
) -> None:
    root, session = connect(reference_database), connect(owner.dsn)
    session.execute(POLICY.format(table, HIDDEN[table]))
    root.execute("INSERT INTO public.accounts (id, name) VALUES (9, 'Nine')")
    root.execute('UPDATE public.accounts SET settings = \'{"reporting_timezone": "Asia/Tokyo"}\'')
    mix(root)
    write(root)
    write(root, account_id=9)
    root.execute("UPDATE public.reporting_events SET value = 7 WHERE account_id = 1")
    root.execute("DELETE FROM public.reporting_events WHERE account_id = 2")
    if table.startswith("public.") and table != "public.reporting_events_rollups":
        assert_exact_where_covered(root)  # of the others views of the owner show a part
    session.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    assert_exact_where_covered(root)
    session.execute("CALL rollup.backfill()")
    zones = "SELECT a.wanted FROM rollup.accounts a WHERE a.account_id = 9"
    assert session.execute(zones).fetchone() == ("Asia/Tokyo",)
    assert_exact(root)


ABOVE = "SET default_transaction_isolation = 'repeatable read'"
PUT_OFF = {
    "a truncate": (ABOVE, "TRUNCATE public.reporting_events"),
    "an account, above read committed": (ABOVE, "DELETE FROM public.accounts WHERE id = 1"),
    "an account that is changed": ("SELECT", "DELETE FROM public.accounts WHERE id = 1"),
    "an event with another column": (
        "ALTER TABLE public.reporting_events RENAME value TO worth",
        "DELETE FROM public.reporting_events WHERE account_id = 1",
    ),
}
"""What is written by the application, and cannot be followed before the next backfill."""


@pytest.mark.parametrize("case", PUT_OFF)
def test_no_write_fails_where_a_policy_hides_what_is_put_off(
    case: str, owner: Role, reference_database: str, connect: Connect
) -> None:
    root, session = connect(reference_database), connect(owner.dsn)
    root.execute(
        "INSERT INTO public.accounts (id, name, settings)"
        " VALUES (1, 'One', '{\"reporting_timezone\": \"Asia/Tokyo\"}')"
    )
    session.execute("CALL rollup.backfill()")
    session.execute(POLICY.format("rollup.invalidations", "account_id"))
    holder = connect(reference_database, autocommit=False)
    holder.execute("SELECT FROM rollup.accounts FOR UPDATE")
    before, write_ = PUT_OFF[case]
    root.execute(before)
    root.execute("SET lock_timeout = '100ms'")
    root.execute(write_)
    holder.rollback()
    session.execute("ALTER TABLE rollup.invalidations NO FORCE ROW LEVEL SECURITY")
    covered = "SELECT v.covered::text FROM rollup.coverage v WHERE v.account_id = 1"
    assert session.execute(covered).fetchone() == ("{}",)
    if "RENAME" in before:
        session.execute("ALTER TABLE public.reporting_events RENAME worth TO value")
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_deploy_refuses_tables_of_which_it_sees_a_part(
    reference_database: str, connect: Connect
) -> None:
    root = connect(reference_database)
    with new_roles(root, reference_database) as [role]:
        root.execute(advised("Roles", root, app_owner=role.name)[0])
        connect(role.dsn).execute(POLICY.format("public.accounts", "id"))
        with pytest.raises(DatabaseError, match=r"public\.accounts hides rows"):
            deploy(role.dsn, load())
        assert "NO FORCE ROW LEVEL SECURITY" in fail("plan", on=role.dsn)


def test_a_reader_with_a_policy_gets_no_part_of_a_report(
    owner: Role, reference_database: str, connect: Connect
) -> None:
    root, session = connect(reference_database), connect(owner.dsn)
    with new_roles(root, reference_database) as [reader]:
        grants = advised("Roles", root, app_reader=reader.name)[2]
        session.execute(grants)
        session.execute("ALTER TABLE public.reporting_events ENABLE ROW LEVEL SECURITY")
        session.execute(
            f"CREATE POLICY even ON public.reporting_events TO {reader.name} USING (id % 2 = 0)"
        )
        reading = connect(reader.dsn)
        for statement in ASKED[-3:]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="hides rows"):
                reading.execute(statement)
            session.execute(statement)
        reading.close()


@pytest.mark.parametrize("partitioned", [False, True])
def test_a_trigger_function_does_nothing_on_a_table_of_another_role(
    partitioned: bool, owner: Role, reference_database: str, connect: Connect
) -> None:
    root, session = connect(reference_database), connect(owner.dsn)
    before = totals(root)
    with new_roles(root, reference_database) as [mallory]:
        root.execute(f"GRANT USAGE ON SCHEMA rollup TO {mallory.name}")
        root.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rollup TO {mallory.name}")
        attacking = connect(mallory.dsn)
        attacking.execute("CREATE TEMP TABLE seen (who text)")
        attacking.execute(
            "CREATE FUNCTION pg_temp.leak(record) RETURNS text LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$"
        )
        attacking.execute("CREATE TYPE pg_temp.trap AS (x integer)")
        attacking.execute(
            "CREATE FUNCTION pg_temp.shown(pg_temp.trap) RETURNS text LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'ran as %', current_user; END $$"
        )
        attacking.execute(
            "CREATE TEMP TABLE reporting_events ("
            " name text, account_id bigint, user_id bigint, inbox_id bigint,"
            " conversation_id bigint, value float8, value_in_business_hours float8,"
            " created_at timestamp)" + (" PARTITION BY LIST (account_id)" if partitioned else "")
        )
        if partitioned:
            attacking.execute(
                "CREATE TEMP TABLE one PARTITION OF reporting_events FOR VALUES IN (1)"
            )
        for table in ["reporting_events", *(["one"] if partitioned else [])]:
            attacking.execute(
                f"CREATE TRIGGER forged AFTER INSERT ON pg_temp.{table}"
                " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"
                " EXECUTE FUNCTION rollup.reporting_events_after_insert()"
            )
            attacking.execute(
                f"INSERT INTO pg_temp.{table} VALUES"
                " ('reply_time', 1, 1, 1, 1, 99, 99, '2026-03-09 12:00')"
            )
        attacking.execute(
            "CREATE TRIGGER truncating AFTER TRUNCATE ON pg_temp.reporting_events"
            " FOR EACH STATEMENT EXECUTE FUNCTION rollup.reporting_events_after_truncate()"
        )
        attacking.execute("TRUNCATE pg_temp.reporting_events")
        assert totals(root) == before
        assert root.execute("SELECT count(*) FROM rollup.pending_events").fetchone() == (0,)
        assert root.execute("SELECT count(*) FROM rollup.invalidations").fetchone() == (0,)
        shown = {str(one): one.status for one in inspect(session, load()).objects}
        assert shown["function rollup.reporting_events_after_insert"] == "OUTDATED"
        assert "ORPHANED" in shown.values()
        attacking.close()
        session.execute("DISCARD ALL")
        deploy(owner.dsn, load())
        assert inspect(session, load()).is_current
        may = "SELECT has_function_privilege(%s, 'rollup.{}()', 'EXECUTE')"
        for name in ("reporting_events_after_insert", "accounts_after_insert"):
            assert root.execute(may.format(name), (mallory.name,)).fetchone() == (False,)


def test_default_privileges_open_no_trigger_function(
    reference_database: str, connect: Connect
) -> None:
    root = connect(reference_database)
    with new_roles(root, reference_database, 2) as [role, other]:
        root.execute(advised("Roles", root, app_owner=role.name)[0])
        connect(role.dsn).execute(
            f"ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {other.name}"
        )
        deploy(role.dsn, load())
        assert inspect(connect(role.dsn), load()).is_current
        connect(role.dsn).execute(
            f"ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM {other.name}"
        )


@pytest.mark.parametrize("how", ["renamed", "detached"])
def test_a_table_that_is_no_longer_the_source_is_written_to_without_being_counted(
    how: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    if how == "renamed":
        session.execute("ALTER TABLE public.reporting_events RENAME TO old_events")
        session.execute(
            "CREATE TABLE public.reporting_events (LIKE public.old_events INCLUDING ALL)"
        )
        table = "public.old_events"
    else:
        session.execute(
            "CREATE TABLE public.child (LIKE public.reporting_events INCLUDING DEFAULTS);"
            "ALTER TABLE public.child INHERIT public.reporting_events"
        )
        deploy(database, load())
        session.execute("ALTER TABLE public.child NO INHERIT public.reporting_events")
        table = "public.child"
    before = totals(session)
    session.execute(
        f"INSERT INTO {table} (name, value, account_id, created_at, updated_at)"
        " SELECT 'reply_time', 1, 1, '2026-03-09', now() FROM generate_series(1, 3)"
    )
    session.execute(f"UPDATE {table} SET value = 5 WHERE value = 1")
    session.execute(f"DELETE FROM {table}")
    session.execute(f"TRUNCATE {table}")
    assert totals(session) == before
    assert any(
        one.status == "ORPHANED" and one.table == table for one in inspect(session, load()).objects
    )


AWAY = {
    "renamed": (
        "ALTER TABLE public.reporting_events RENAME TO aside",
        "public.aside",
        "ALTER TABLE public.aside RENAME TO reporting_events",
    ),
    "moved": (
        "ALTER TABLE public.reporting_events SET SCHEMA attic",
        "attic.reporting_events",
        "ALTER TABLE attic.reporting_events SET SCHEMA public",
    ),
    "renamed and a partition written to": (
        "ALTER TABLE public.reporting_events RENAME TO aside",
        "public.march_of_others",
        "ALTER TABLE public.aside RENAME TO reporting_events",
    ),
}
WRITES = (
    "INSERT INTO {} (id, name, value, account_id, created_at, updated_at)"
    " VALUES (0, 'reply_time', 1, 1, '2026-03-10', now())",
    "UPDATE {} SET value = 7 WHERE account_id = 1",
    "DELETE FROM {} WHERE account_id = 1",
    "TRUNCATE {}",
)


@pytest.mark.parametrize("write_", WRITES, ids=["insert", "update", "delete", "truncate"])
@pytest.mark.parametrize("how", AWAY)
def test_no_day_is_wrong_after_the_events_table_was_written_to_under_another_name(
    how: str, write_: str, reference_database: str, connect: Connect
) -> None:
    away, table, back = AWAY[how]
    session = connect(reference_database)
    session.execute("CREATE SCHEMA attic")
    if "partition" in how:
        session.execute(PARTITIONED)
    deploy(reference_database, load())
    mix(desk(session))
    session.execute(away)
    session.execute(write_.format(table))
    session.execute(back)
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_detached_partition_is_written_to_without_voiding_coverage(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, load())
    mix(desk(session))
    session.execute("ALTER TABLE public.march DETACH PARTITION public.march_of_others")
    for statement in WRITES:
        session.execute(statement.format("public.march_of_others"))
    assert session.execute("SELECT count(*) FROM rollup.invalidations").fetchone() == (0,)


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE rollup.deployments CASCADE",
        "DROP TABLE rollup.invalidations CASCADE",
        "DELETE FROM rollup.deployments",
        "ALTER TABLE rollup.invalidations ADD more integer NOT NULL",
    ],
)
def test_no_write_to_the_events_table_under_another_name_fails(
    damage: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute(damage)
    session.execute("ALTER TABLE public.reporting_events RENAME TO aside")
    for statement in WRITES:
        session.execute(statement.format("public.aside"))


CHANGES = {
    "the time has a zone": "ALTER TABLE public.reporting_events ALTER created_at TYPE timestamptz",
    "the time is gone": "ALTER TABLE public.reporting_events DROP created_at CASCADE",
    "the time has another name": (
        "ALTER TABLE public.reporting_events RENAME created_at TO happened_at"
    ),
    "a value is text": "ALTER TABLE public.reporting_events ALTER value TYPE text",
    "an id is text": "ALTER TABLE public.reporting_events ALTER user_id TYPE text",
    "an id is a uuid": (
        "ALTER TABLE public.reporting_events DROP user_id CASCADE, ADD user_id uuid"
    ),
    "a column came again": (
        "ALTER TABLE public.reporting_events DROP inbox_id CASCADE, ADD inbox_id numeric"
    ),
    "settings are text": (
        "ALTER TABLE public.accounts ALTER settings DROP DEFAULT, ALTER settings TYPE text"
    ),
    "settings are gone": "ALTER TABLE public.accounts DROP settings",
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_write_fails_and_no_day_is_wrong_after_columns_have_changed(
    change: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("SET TimeZone TO 'Asia/Tokyo'")
    session.execute(CHANGES[change])
    time = {"the time is gone": None, "the time has another name": "happened_at"}
    odd = {"an id is text": "user_id", "a value is text": "value"}.get(change)
    values = {
        "name": "'reply_time'",
        "account_id": "1",
        "updated_at": "now()",
        time.get(change, "created_at"): "'2026-03-09 22:30+00'",
        odd: "CASE WHEN i % 2 = 1 THEN '5' ELSE 'abc' END",
    }
    values.pop(None, None)
    for rows in (1, 3):
        session.execute(
            f"INSERT INTO public.reporting_events ({', '.join(filter(None, values))})"
            f" SELECT {', '.join(values.values())} FROM generate_series(1, {rows}) i"
        )
    session.execute(
        "UPDATE public.reporting_events SET updated_at = now(), name = 'first_response'"
    )
    session.execute("UPDATE public.accounts SET name = 'Other'")
    session.execute("DELETE FROM public.reporting_events WHERE account_id = 2")
    report = inspect(session, load())
    assert not report.is_current
    assert report.problems
    assert fail("deploy", on=database)
    for statement in ASKED[:2]:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="public"):
            session.execute(statement)


def test_days_are_those_of_utc_after_the_time_has_got_a_zone(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin')")
    session.execute("SELECT rollup.rebuild()")
    session.execute("ALTER TABLE public.reporting_events ALTER created_at TYPE timestamptz")
    session.execute("SET TimeZone TO 'Asia/Tokyo'")
    write(session, created_at="2026-04-07 20:30+00")
    days = "SELECT DISTINCT r.date::text FROM rollup.current_rollups r"
    assert session.execute(days).fetchall() == [("2026-04-07",)]


SETTINGS = {
    "rollup.append_until": ("abc", "infinity", "NaN", "1e400", "-1", "9999999999999", " ", "'"),
    "rollup.lateness": ("abc", "99999999999", "-5", "1e9", "NaN", " ", "20000", "99999"),
}


@pytest.mark.parametrize(
    ("setting", "value"), [(name, value) for name, values in SETTINGS.items() for value in values]
)
def test_no_setting_of_a_client_fails_its_writes(
    setting: str, value: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute("SELECT set_config(%s, %s, false)", (setting, value))
    for _ in range(3):
        write(session)
    mix(session)
    session.execute("DELETE FROM public.reporting_events WHERE id = 1")
    assert_exact(session)
