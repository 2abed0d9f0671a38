"""Columns that are replaced or retyped: no day is covered until they are counted anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.plan import plan
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import DEFAULT, load, parse
from tests.support.command import fail, run
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.roles import new_roles

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

EVENTS = "public.reporting_events"
REGISTRY = load()
PACKAGED = DEFAULT.read_text("utf-8")
CHANGED = "SELECT c.column_name, c.change FROM rollup.changed_columns c ORDER BY 1"
COVERED = "SELECT count(*) FROM rollup.coverage v WHERE v.covered <> '{}'"
MEMORY = "SELECT r::text FROM rollup.read_columns r ORDER BY 1"
AGAIN = f"ALTER TABLE {EVENTS} DROP value, ADD value double precision"

CHANGES = {
    "dropped and added again": (AGAIN, "value", "is another one"),
    "swapped with another": (
        f"ALTER TABLE {EVENTS} RENAME value TO v;"
        f"ALTER TABLE {EVENTS} RENAME value_in_business_hours TO value;"
        f"ALTER TABLE {EVENTS} RENAME v TO value_in_business_hours",
        "value",
        "is another one",
    ),
    "of a type of the same family": (
        f"ALTER TABLE {EVENTS} ALTER user_id TYPE smallint USING 7",
        "user_id",
        "has another type",
    ),
    "of another precision": (
        f"ALTER TABLE {EVENTS} ALTER value TYPE numeric(9, 0)",
        "value",
        "has another type",
    ),
    "of another collation": (
        f'ALTER TABLE {EVENTS} ALTER name TYPE varchar COLLATE "C" USING upper(name)',
        "name",
        "has another collation",
    ),
}
HARMLESS = (
    f"ANALYZE {EVENTS}",
    f"VACUUM FULL {EVENTS}",
    "VACUUM FULL pg_attribute",
    f"ALTER TABLE {EVENTS} ALTER value SET STATISTICS 7, ALTER value SET DEFAULT 1",
    f"ALTER TABLE {EVENTS} ADD other integer DEFAULT 7, DROP updated_at",
    f"ALTER TABLE {EVENTS} RENAME value TO v; ALTER TABLE {EVENTS} RENAME v TO value",
    f"GRANT SELECT (value) ON {EVENTS} TO PUBLIC",
    "ALTER TABLE public.accounts ALTER settings TYPE jsonb USING settings",
)
REFUSED = (
    "SELECT rollup.rebuild()",
    "SELECT rollup.rebuild(1)",
    "SELECT * FROM rollup.backfill_chunks()",
    "SELECT rollup.backfill_chunk(ARRAY [1], NULL, NULL)",
    "CALL rollup.backfill()",
    "CALL rollup.purge_events('2026-03-09')",
)


def filled(session: Session) -> Session:
    """Give a desk with events, of which all days are covered."""
    mix(desk(session))
    return session


@pytest.mark.parametrize("change", CHANGES)
def test_no_day_is_covered_until_a_changed_column_is_taken_over_and_counted(
    change: str, database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    statement, column, what = CHANGES[change]
    session.execute(statement)
    assert (column, what) in session.execute(CHANGED).fetchall()
    assert session.execute(COVERED).fetchone() == (0,)
    for refused in REFUSED:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=column) as raised:
            session.execute(refused)
        assert "generator deploy" in str(raised.value.diag.message_hint)
    done = deploy(database, REGISTRY)
    assert done.coverage_voided
    assert f"take over column {column} on {EVENTS}" in done.changes
    assert session.execute(CHANGED).fetchall() == []
    assert session.execute(COVERED).fetchone() == (0,)
    assert deploy(database, REGISTRY).changes == ()
    session.execute("CALL rollup.backfill()")
    assert session.execute(COVERED).fetchone() == (3,)
    assert_exact(session)


@pytest.mark.parametrize("change", CHANGES)
def test_writes_and_reports_go_on_beside_a_changed_column(
    change: str, database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    session.execute(CHANGES[change][0])
    write(session, user_id=7)
    session.execute(f"UPDATE {EVENTS} SET user_id = 8 WHERE user_id = 7")
    session.execute(f"DELETE FROM {EVENTS} WHERE account_id = 2")
    session.execute("SELECT rollup.fold()")
    sources = (
        "SELECT DISTINCT r.source FROM rollup.explain_report("
        "1, 'reply_time', NULL, NULL, '2026-03-01', '2026-04-01', 'day') r"
    )
    assert session.execute(sources).fetchall() == [("raw events",)]
    session.execute(f"TRUNCATE {EVENTS}")


@pytest.mark.parametrize("statement", HARMLESS)
def test_what_changes_no_value_is_no_change(
    statement: str, database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    for one in statement.split(";"):
        session.execute(one.encode())
    assert session.execute(CHANGED).fetchall() == []
    assert session.execute(COVERED).fetchone() == (3,)
    assert inspect(session, REGISTRY).is_current
    assert deploy(database, REGISTRY).changes == ()


def test_every_command_names_a_changed_column(database: str, connect: Connect) -> None:
    session = filled(connect(database))
    session.execute(AGAIN)
    named = f"column value of {EVENTS} is another one since the last deployment"
    said = run("status", "--exit-code", on=database)
    assert said.exit_code == 2
    assert "1 OUTDATED" in said.output
    assert named in said.output
    found = plan(database, REGISTRY, Patience())
    assert [(one.action, one.kind, one.name) for one in found.listed] == [
        ("take over", "column", "value")
    ]
    assert found.incomplete
    assert found.incomplete.reasons == ("columns that are read have changed",)
    said = run("verify", on=database)
    assert said.exit_code == 2
    assert named in said.output
    assert "value of public.reporting_events is another one" in fail(
        "verify", "--repair", "--yes", on=database
    )
    said = run("deploy", on=database)
    assert f"take over column value on {EVENTS}" in said.output
    assert "no longer covered until they are backfilled" in said.output


def test_a_column_that_changes_while_the_view_is_gone_is_noticed(
    database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute("DROP VIEW rollup.changed_columns CASCADE")
    session.execute(AGAIN)
    assert deploy(database, REGISTRY).coverage_voided
    assert session.execute(COVERED).fetchone() == (0,)


def test_a_registry_that_follows_a_rename_voids_no_more_than_it_counts_otherwise(
    database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute(f"ALTER TABLE {EVENTS} RENAME inbox_id TO box_id")
    assert session.execute(CHANGED).fetchall() == [("inbox_id", "is gone")]
    assert session.execute(COVERED).fetchone() == (0,)
    text = PACKAGED.replace('inbox = "inbox_id"', 'inbox = "box_id"')
    renamed = parse(text, "registry.toml")
    assert not deploy(database, renamed).coverage_voided
    assert session.execute(CHANGED).fetchall() == []
    but_for_gaps = "SELECT count(*) FROM rollup.coverage v WHERE v.covered_but_for_gaps <> '{}'"
    assert session.execute(but_for_gaps).fetchone() == (3,)


def test_after_a_restore_names_and_types_tell_and_a_deployment_renews_the_memory(
    database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute("UPDATE rollup.read_columns SET relation = 1, attnum = attnum + 1, type = 1")
    assert session.execute(CHANGED).fetchall() == []
    assert session.execute(COVERED).fetchone() == (3,)
    done = deploy(database, REGISTRY)
    assert done.changes == ("remember columns",)
    assert not done.coverage_voided
    session.execute(AGAIN)
    assert session.execute(CHANGED).fetchall() == [("value", "is another one")]


def test_a_deployment_waits_for_a_session_that_changes_a_column(
    database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute("UPDATE rollup.read_columns SET relation = 1")
    memory = session.execute(MEMORY).fetchall()
    altering = connect(database, autocommit=False)
    altering.execute(AGAIN)
    with pytest.raises(DatabaseError, match="a lock was not to be had") as raised:
        deploy(database, REGISTRY, patience=Patience(lock_timeout=0.1, attempts=1))
    assert str(altering.info.backend_pid) in str(raised.value.hint)
    assert session.execute(MEMORY).fetchall() == memory
    altering.rollback()


def test_a_reader_of_coverage_needs_nothing_else(database: str, connect: Connect) -> None:
    session = filled(connect(database))
    with new_roles(session, database) as [reader]:
        session.execute(
            f"GRANT USAGE ON SCHEMA rollup TO {reader.name};"
            f"GRANT SELECT ON rollup.coverage, rollup.changed_columns TO {reader.name}"
        )
        other = connect(reader.dsn)
        assert other.execute(COVERED).fetchone() == (3,)
        session.execute(AGAIN)
        assert other.execute(COVERED).fetchone() == (0,)
        assert other.execute(CHANGED).fetchall() == [("value", "is another one")]


def test_a_deployment_that_remembers_no_columns_voids_nothing(
    database: str, connect: Connect
) -> None:
    session = filled(connect(database))
    session.execute("DROP TABLE rollup.read_columns CASCADE")
    session.execute("DELETE FROM rollup._yoyo_migration WHERE migration_id LIKE '0004%'")
    done = deploy(database, REGISTRY)
    assert done.migrations == ("0004.read-columns",)
    assert not done.coverage_voided
    assert session.execute(COVERED).fetchone() == (3,)
    session.execute(AGAIN)
    assert session.execute(COVERED).fetchone() == (0,)


def test_partitions_may_number_their_columns_otherwise(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(
        f"ALTER TABLE {EVENTS} RENAME TO plain;"
        f"CREATE TABLE {EVENTS} (LIKE public.plain INCLUDING DEFAULTS)"
        " PARTITION BY RANGE (created_at);"
        "ALTER TABLE public.plain DROP value, ADD value double precision;"
        f"ALTER TABLE {EVENTS} ATTACH PARTITION public.plain DEFAULT"
    )
    deploy(reference_database, REGISTRY)
    filled(session)
    assert session.execute(COVERED).fetchone() == (3,)
    session.execute(AGAIN)
    assert session.execute(CHANGED).fetchall() == [("value", "is another one")]
    assert session.execute(COVERED).fetchone() == (0,)
    deploy(reference_database, REGISTRY)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
