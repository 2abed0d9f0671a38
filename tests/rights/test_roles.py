"""Owner, writer and reader, with the rights that docs/operations.md gives them and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.operate.status import inspect
from generator.registry import load
from tests.support.command import succeed
from tests.support.events import MIXTURE, desk, mix, recorded_and_pending, row_versions, write
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.roles import Role, advised, new_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

REGISTRY = load()

ROUTINES = """
SELECT
    p.oid::regprocedure::text,
    p.provolatile = 'v',
    has_function_privilege('public', p.oid, 'EXECUTE'),
    has_function_privilege(%s, p.oid, 'EXECUTE')
FROM pg_proc p
WHERE p.pronamespace = 'rollup'::regnamespace
ORDER BY 1
"""

RELATIONS = """
SELECT c.oid::regclass::text
FROM pg_class c
WHERE (c.relnamespace = 'rollup'::regnamespace OR c.relname = 'reporting_events_rollups')
AND c.relkind IN ('r', 'v', 'S')
ORDER BY 1
"""

PRIVILEGES = {
    "r": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
    "v": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "S": ("SELECT", "USAGE", "UPDATE"),
}

RANGE = "'2026-03-07 13:00+00', '2026-03-11 02:00+00'"
REPORTS = {
    "timeseries": f"SELECT * FROM rollup.timeseries(1, 'reply_time', NULL, NULL, {RANGE})",
    "aggregate": f"SELECT rollup.aggregate(1, 'resolutions_count', 'agent', 2, {RANGE})",
    "distinct": f"SELECT rollup.aggregate(1, 'bot_handoffs_count', NULL, NULL, {RANGE})",
    "summary": f"SELECT * FROM rollup.summary(1, 'inbox', {RANGE})",
    "explain": f"SELECT * FROM rollup.explain_report(1, 'reply_time', NULL, NULL, {RANGE})",
    "without events": f"SELECT rollup.aggregate(5, 'reply_time', NULL, NULL, {RANGE})",
    "view": "SELECT * FROM rollup.current_rollups ORDER BY 1, 2, 3, 4, 5",
    "members": "SELECT * FROM rollup.current_members ORDER BY 1, 2, 3, 4, 5, 6",
    "coverage": "SELECT * FROM rollup.coverage ORDER BY 1",
    "coverage of metrics": "SELECT * FROM rollup.metric_coverage ORDER BY 1, 2, 3",
    "status": "SELECT * FROM rollup.status ORDER BY 1",
    "another zone": f"SELECT * FROM rollup.timeseries(1, 'reply_time', NULL, NULL, {RANGE},"
    " timezone => 'Berlin')",
    "columns": "SELECT count(*) FROM rollup.changed_columns",
    "differences": "SELECT * FROM rollup.standing_differences ORDER BY 1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A database with the product, deployed by its owner, and the roles that work with it."""

    root: Session
    owner: Role
    writer: Role
    reader: Role


@pytest.fixture
def company(reference_database: str, connect: Connect) -> Iterator[Company]:
    root = connect(reference_database)
    with new_roles(root, reference_database, 3) as [owner, writer, reader]:
        names = {"app_owner": owner.name, "app_writer": writer.name, "app_reader": reader.name}
        for_owner, for_writer, for_reader = advised("Roles", root, **names)
        root.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        root.execute(for_owner)
        deploy(owner.dsn, REGISTRY)
        owning = connect(owner.dsn)
        root.execute(f"{for_writer}; GRANT TRUNCATE ON public.reporting_events TO {writer.name}")
        owning.execute(for_reader)
        desk(owning)
        owning.execute("INSERT INTO public.accounts (id) VALUES (5)")
        yield Company(root=root, owner=owner, writer=writer, reader=reader)
        owning.close()


def privileges(session: Session, role: Role) -> set[str]:
    """List what a role may do with our tables, views and sequences, and with the rollup table."""
    found = set()
    for name, kind in session.execute(RELATIONS.replace("text\n", "text, c.relkind::text\n", 1)):
        which = "sequence" if kind == "S" else "table"
        for privilege in PRIVILEGES[kind]:
            query = f"SELECT has_{which}_privilege(%s, %s, %s)"
            if session.execute(query, (role.name, name, privilege)).fetchone() == (True,):
                found.add(f"{privilege} {name}")
    return found


def test_what_a_superuser_deploys_later_belongs_to_the_owner(
    company: Company, reference_database: str, connect: Connect
) -> None:
    company.root.execute(
        "DROP VIEW rollup.status; DROP FUNCTION rollup.try_slots CASCADE;"
        "DROP TABLE rollup.distinct_members CASCADE; DROP TYPE rollup.chunk CASCADE"
    )
    assert deploy(reference_database, REGISTRY).changes
    assert inspect(company.root, REGISTRY).problems == []
    mix(connect(company.writer.dsn))
    with connect(company.owner.dsn) as session:
        session.execute("CALL rollup.backfill()")
        assert_exact(session)
    assert deploy(company.owner.dsn, REGISTRY).changes == ()


def test_the_owner_does_all_there_is_to_do(company: Company, connect: Connect) -> None:
    session = connect(company.owner.dsn)
    assert session.execute("SELECT usesuper FROM pg_user WHERE usename = user").fetchone() == (
        False,
    )
    mix(session)
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin')")
    session.execute("CALL rollup.backfill()")
    session.execute("CALL rollup.purge_events('2026-03-08')")
    session.execute("SELECT rollup.fold()")
    session.execute("SELECT rollup.rebuild()")
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []
    on = company.owner.dsn
    for command in (["verify"], ["reads", "1", "on"], ["fold"], ["timezone", "2", "Asia/Tokyo"]):
        succeed(*command, on=on)
    assert inspect(session, REGISTRY).is_current
    succeed("undeploy", "--yes", on=on)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_whatever_a_writer_writes_is_counted(
    level: str, company: Company, connect: Connect
) -> None:
    writer = connect(company.writer.dsn)
    writer.execute(f"SET default_transaction_isolation = '{level}'")
    mix(writer, 60)
    assert_exact(company.root)
    with (
        writer.cursor() as cursor,
        cursor.copy(
            "COPY public.reporting_events"
            " (name, value, account_id, user_id, created_at, updated_at) FROM STDIN"
        ) as copy,
    ):
        for user in range(1, 20):
            copy.write_row(("reply_time", 5, 1 + user % 3, user, "2026-03-09 23:00", "2026-03-10"))
    assert_exact(company.root)
    writer.execute("UPDATE public.reporting_events SET value = 7, user_id = 3 WHERE id % 3 = 0")
    assert_exact(company.root)
    writer.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0")
    assert_exact(company.root)
    assert sum(recorded_and_pending(company.root)) > 100
    writer.execute("TRUNCATE public.reporting_events")
    assert_exact_where_covered(company.root)
    connect(company.owner.dsn).execute("CALL rollup.backfill()")
    assert_exact(company.root)
    assert sum(recorded_and_pending(company.root)) == 0


def test_the_time_zone_that_a_writer_gives_an_account_is_followed(
    company: Company, connect: Connect
) -> None:
    writer = connect(company.writer.dsn)
    writer.execute(
        "INSERT INTO public.accounts (id, settings)"
        """ VALUES (7, '{"reporting_timezone": "America/New_York"}')"""
    )
    write(writer, account_id=7, created_at="2026-03-10 02:00")
    found = "SELECT date::text, count FROM rollup.current_rollups WHERE dimension_type = 'account'"
    assert company.root.execute(found).fetchall() == [("2026-03-09", 1)]
    writer.execute("""UPDATE public.accounts SET settings = '{"reporting_timezone": "Chennai"}'""")
    connect(company.owner.dsn).execute("CALL rollup.backfill()")
    assert company.root.execute(found).fetchall() == [("2026-03-10", 1)]
    writer.execute("DELETE FROM public.accounts")
    connect(company.owner.dsn).execute("SELECT rollup.rebuild()")
    assert company.root.execute(found).fetchall() == []


def test_a_writer_has_no_right_at_all_on_what_is_ours(company: Company, connect: Connect) -> None:
    assert privileges(company.root, company.writer) == set()
    writer = connect(company.writer.dsn)
    mix(writer, 20)
    before = row_versions(company.root)
    for (name,) in company.root.execute(RELATIONS).fetchall():
        for statement in (f"TABLE {name}", f"CREATE TABLE public.mine AS TABLE {name}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(statement)
    for name, *_ in company.root.execute(ROUTINES, (company.writer.name,)).fetchall():
        verb = "CALL" if "backfill(" in name or "purge_events(" in name else "SELECT"
        arguments = ", ".join("NULL" for _ in name[name.index("(") + 1 : -1].split(",") if _)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="schema rollup"):
            writer.execute(f"{verb} {name.split('(')[0]}({arguments})")
    assert row_versions(company.root) == before


@pytest.mark.parametrize("reads", ["account", "on", "off"])
def test_a_reader_reads_what_the_owner_reads(
    reads: str, company: Company, connect: Connect
) -> None:
    owner = connect(company.owner.dsn)
    mix(owner, 150)
    owner.execute("UPDATE rollup.accounts SET reads_enabled = true")
    owner.execute("SELECT rollup.note_verification(1, NULL, NULL, 7)")
    reader = connect(company.reader.dsn, options="-c default_transaction_read_only=on")
    for session in (owner, reader):
        session.execute(f"SET rollup.reads = '{reads}'")
    for name, query in REPORTS.items():
        found = reader.execute(query).fetchall()
        assert found, name
        assert found == owner.execute(query).fetchall(), name


def test_a_reader_needs_each_of_its_rights(company: Company, connect: Connect) -> None:
    mix(connect(company.owner.dsn), 150)
    reader = connect(company.reader.dsn)
    grants = {*privileges(company.root, company.reader), "SELECT public.reporting_events"}
    assert len(grants) == 12
    for grant in {*grants, "SELECT(id) public.accounts"}:
        privilege, name = grant.split()
        company.root.execute(f"REVOKE {privilege} ON {name} FROM {company.reader.name}")
        refused = 0
        for query in REPORTS.values():
            try:
                reader.execute(query)
            except psycopg.errors.InsufficientPrivilege:
                refused += 1
        company.root.execute(f"GRANT {privilege} ON {name} TO {company.reader.name}")
        assert refused, grant


def test_a_reader_can_write_nothing_and_run_nothing_that_changes_something(
    company: Company, connect: Connect
) -> None:
    assert {one.split()[0] for one in privileges(company.root, company.reader)} == {"SELECT"}
    routines = company.root.execute(ROUTINES, (company.reader.name,)).fetchall()
    assert {changes for _, changes, _, _ in routines} == {True, False}
    for name, changes, every_role_may, reader_may in routines:
        assert every_role_may is reader_may is not changes, name
    reader = connect(company.reader.dsn)
    for statement in (
        "SELECT rollup.set_timezone(1, 'UTC')",
        "SELECT rollup.rebuild()",
        "SELECT rollup.lock_record(NULL)",
        "CALL rollup.backfill()",
        "CALL rollup.purge_events('2026-03-09')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"denied for (func|proc)"):
            reader.execute(statement)


def test_what_a_restore_without_privileges_opened_is_closed_by_the_next_deployment(
    company: Company, connect: Connect
) -> None:
    """A trigger function that every role may run writes totals for any role that has a table."""
    owner = connect(company.owner.dsn)
    mix(owner)
    owner.execute("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA rollup TO PUBLIC")
    owner.execute(f"GRANT EXECUTE ON FUNCTION rollup.fold TO {company.writer.name}")
    assert not inspect(owner, REGISTRY).is_current
    done = deploy(company.owner.dsn, REGISTRY)
    assert "replace function rollup.reporting_events_after_insert" in done.changes
    assert not any("drift" in change for change in done.changes)
    assert not done.coverage_voided
    assert inspect(owner, REGISTRY).is_current
    for name, changes, every_role_may, _ in company.root.execute(ROUTINES, (company.owner.name,)):
        assert every_role_may is not changes, name
    granted = "SELECT has_function_privilege(%s, 'rollup.fold(bigint)', 'EXECUTE')"
    assert company.root.execute(granted, (company.writer.name,)).fetchone() == (True,)


def test_row_level_security_on_the_events_hides_them_from_writers_and_not_from_totals(
    company: Company, connect: Connect
) -> None:
    owner = connect(company.owner.dsn)
    mix(owner)
    owner.execute(
        "ALTER TABLE public.reporting_events ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY of_account ON public.reporting_events"
        " USING (account_id = current_setting('app.account')::integer)"
    )
    writer = connect(company.writer.dsn, options="-c app.account=2")
    write(writer, account_id=2)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(MIXTURE, (20,))
    writer.execute("UPDATE public.reporting_events SET value = 3, user_id = 9")
    assert_exact(company.root)
    writer.execute("DELETE FROM public.reporting_events")
    assert_exact(company.root)
    left = "SELECT DISTINCT r.account_id FROM rollup.current_rollups r ORDER BY 1"
    assert company.root.execute(left).fetchall() == [(1,), (3,)]
