"""Undeploying leaves events, accounts and, unless told otherwise, the totals; no trace else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.locks import DEPLOY_KEY, LOCK_CLASS
from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.dry_run import dry_run
from generator.deploy.undeploy import undeploy
from generator.errors import DatabaseError
from generator.registry import load
from tests.support.command import fail, run
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.programs import find

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
AT_ONCE = Patience(lock_timeout=0.05, attempts=1)

PARTITIONED = """
ALTER TABLE public.reporting_events RENAME TO one_table;
CREATE TABLE public.reporting_events (LIKE public.one_table INCLUDING DEFAULTS)
    PARTITION BY RANGE (created_at);
CREATE TABLE public.early PARTITION OF public.reporting_events
    FOR VALUES FROM (MINVALUE) TO ('2026-03-09');
CREATE TABLE public.late PARTITION OF public.reporting_events
    FOR VALUES FROM ('2026-03-09') TO (MAXVALUE);
"""
LEFT = """
SELECT 'schema', n.nspname FROM pg_namespace n WHERE n.nspname = 'rollup'
UNION ALL
SELECT 'trigger', t.tgname FROM pg_trigger t WHERE t.tgname LIKE 'rollup%'
"""
CURRENT = """
SELECT account_id, date, dimension_type, dimension_id, metric, count, value_count, sum_value
FROM {}
WHERE count <> 0
ORDER BY 1, 2, 3, 4, 5
"""
EVENTS_AND_TOTALS = """
SELECT
    (
        SELECT count(*)
        FROM public.reporting_events e
        WHERE e.name = 'first_response'
        AND e.account_id IN (1, 2, 3)
    ),
    (
        SELECT sum(r.count)::bigint
        FROM public.reporting_events_rollups r
        WHERE r.metric = 'first_response'
        AND r.dimension_type = 'account'
    )
"""
ROLLUPS = "public.reporting_events_rollups"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with events, some of them pending."""
    session = desk(connect(database))
    mix(session, 200)
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        mix(session, 30)
    return session


def dump(session: Session, dsn: str, path: Path) -> str:
    """Dump a database; what a dump says of itself is left out."""
    text = find(session).dump(dsn, path).read_text()
    return re.sub(r"^(--|\\(un)?restrict).*\n", "", text, flags=re.MULTILINE)


def test_the_dump_afterwards_is_that_of_before(
    reference_database: str, connect: Connect, tmp_path: Path
) -> None:
    session = connect(reference_database)
    mix(session, 100)
    before = dump(session, reference_database, tmp_path / "before.sql")
    deploy(reference_database, REGISTRY)
    desk(session)
    session.execute("UPDATE public.reporting_events SET value = value WHERE id % 2 = 0")
    undeploy(reference_database, REGISTRY, drop_rollups=True)
    assert session.execute(LEFT).fetchall() == []
    rows = sorted(before.splitlines())
    assert sorted(dump(session, reference_database, tmp_path / "after.sql").splitlines()) == rows


def test_the_totals_that_stay_are_exact_to_the_last_event(session: Session, database: str) -> None:
    assert_exact(session)
    before = session.execute(CURRENT.format("rollup.current_rollups")).fetchall()
    gone = undeploy(database, REGISTRY)
    assert gone[-1] == "schema rollup"
    assert len(gone) == 9
    assert session.execute(LEFT).fetchall() == []
    assert session.execute(CURRENT.format(ROLLUPS)).fetchall() == before
    write(session)
    assert session.execute(CURRENT.format(ROLLUPS)).fetchall() == before


def test_deploying_again_takes_over_what_was_left(session: Session, database: str) -> None:
    undeploy(database, REGISTRY)
    mix(session, 50)
    deploy(database, REGISTRY)
    desk(session)
    assert_exact(session)
    mix(session, 50)
    assert_exact(session)


def test_partitions_are_left_without_triggers(reference_database: str, connect: Connect) -> None:
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, REGISTRY)
    mix(desk(session))
    assert len(undeploy(reference_database, REGISTRY)) == 17
    assert session.execute(LEFT).fetchall() == []
    mix(session)


def test_writers_go_on_and_nothing_is_lost(
    session: Session, database: str, connect: Connect
) -> None:
    """Writers are waited for, in attempts that hold up others for half a second."""
    writer = connect(database, autocommit=False)
    write(writer, account_id=3)
    attempts = []

    def report(line: str) -> None:
        attempts.append(line)
        writer.commit()

    undeploy(database, REGISTRY, patience=Patience(lock_timeout=0.05, attempts=5), report=report)
    assert attempts == ["others hold a lock; attempt 1 of 5"]
    assert session.execute(LEFT).fetchall() == []
    [count] = session.execute(EVENTS_AND_TOTALS).fetchall()
    assert count[0] == count[1]


def test_where_a_lock_is_not_to_be_had_nothing_has_changed(
    session: Session, database: str, connect: Connect
) -> None:
    writer = connect(database, autocommit=False)
    write(writer)
    with pytest.raises(DatabaseError, match="a lock was not to be had") as error:
        undeploy(database, REGISTRY, patience=AT_ONCE)
    assert f"process {writer.info.backend_pid} " in (error.value.hint or "")
    writer.commit()
    mix(session)
    assert_exact(session)


def test_a_rebuild_that_is_in_the_way_is_named_and_holds_up_no_writer(
    session: Session, database: str, connect: Connect
) -> None:
    rebuilder = connect(database, autocommit=False)
    rebuilder.execute("SELECT rollup.rebuild(1)")
    with pytest.raises(DatabaseError, match="a lock was not to be had") as error:
        undeploy(database, REGISTRY, patience=AT_ONCE)
    assert f"process {rebuilder.info.backend_pid} " in (error.value.hint or "")
    mix(session)
    rebuilder.rollback()
    assert undeploy(database, REGISTRY)[-1] == "schema rollup"


@pytest.mark.parametrize(
    ("made", "name"),
    [
        ("CREATE VIEW public.mine AS SELECT * FROM rollup.current_rollups", "public.mine"),
        (
            "CREATE MATERIALIZED VIEW public.mine AS SELECT rollup.canonical_timezone('utc') AS a",
            "public.mine",
        ),
        (
            "CREATE TABLE public.mine (a text DEFAULT rollup.canonical_timezone('utc'))",
            "default value for column a of table public.mine",
        ),
        ("CREATE TABLE public.mine (a rollup.chunk)", "column a of table public.mine"),
    ],
    ids=["view", "materialized view", "default", "column"],
)
def test_what_others_have_made_of_it_is_named_and_kept(
    made: str, name: str, session: Session, database: str
) -> None:
    session.execute(made)
    with pytest.raises(DatabaseError, match="others have made use") as error:
        undeploy(database, REGISTRY)
    assert f"\n  {name}" in str(error.value)
    assert_exact(session)


def test_totals_of_purged_days_are_not_dropped_unless_told_so(
    session: Session, database: str
) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09', 2)")
    with pytest.raises(DatabaseError, match="purged of accounts 2:") as error:
        undeploy(database, REGISTRY, drop_rollups=True)
    assert "--even-purged" in (error.value.hint or "")
    undeploy(database, REGISTRY, drop_rollups=True, even_purged=True)
    assert session.execute("SELECT to_regclass(%s)", (ROLLUPS,)).fetchone() == (None,)


ALL = "SELECT r::text FROM public.reporting_events_rollups r ORDER BY 1"
MEMBERS = "SELECT m::text FROM rollup.distinct_members m WHERE m.date < '2026-03-09' ORDER BY 1"
SEALED = """
SELECT a.account_id, a.sealed::text FROM rollup.accounts a WHERE a.sealed <> '{}' ORDER BY 1
"""
KEPT = ("public.reporting_events_rollups_sealed", "public.reporting_events_rollups_sealed_members")


def are_kept(session: Session) -> bool:
    found = {session.execute("SELECT to_regclass(%s) IS NULL", (name,)).fetchone() for name in KEPT}
    assert len(found) == 1
    return found == {(False,)}


def test_purged_days_survive_an_undeployment_and_the_next_deployment(
    session: Session, database: str
) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09')")
    totals, members = session.execute(ALL).fetchall(), session.execute(MEMBERS).fetchall()
    was_sealed = session.execute(SEALED).fetchall()
    assert was_sealed
    assert members
    for _ in range(2):
        undeploy(database, REGISTRY)
        assert are_kept(session)
        assert "take over sealed days" in deploy(database, REGISTRY).changes
        assert not are_kept(session)
        assert session.execute(SEALED).fetchall() == was_sealed
        assert deploy(database, REGISTRY).changes == ()
        session.execute("CALL rollup.backfill()")
        session.execute("SELECT rollup.rebuild()")
        assert session.execute(MEMBERS).fetchall() == members
        assert session.execute(ALL).fetchall() == totals
        assert session.execute("SELECT count(*) FROM rollup.drift()").fetchone() == (0,)


def test_purged_days_survive_it_where_psql_deploys(session: Session, database: str) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09')")
    was_sealed = session.execute(SEALED).fetchall()
    undeploy(database, REGISTRY)
    session.execute(dry_run(database, REGISTRY, Patience()).encode())
    assert session.execute(SEALED).fetchall() == was_sealed
    assert not are_kept(session)


def test_what_was_purged_is_forgotten_with_the_rollup_table(
    session: Session, database: str
) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09')")
    undeploy(database, REGISTRY)
    session.execute("DROP TABLE public.reporting_events_rollups")
    deploy(database, REGISTRY)
    session.execute("CALL rollup.backfill()")
    assert session.execute(SEALED).fetchall() == []
    assert not are_kept(session)
    assert_exact(session)
    session.execute("CALL rollup.purge_events('2026-03-09')")
    undeploy(database, REGISTRY)
    deploy(database, REGISTRY)
    undeploy(database, REGISTRY, drop_rollups=True, even_purged=True)
    assert not are_kept(session)


def test_a_table_of_another_role_seals_nothing(session: Session, database: str) -> None:
    undeploy(database, REGISTRY)
    session.execute(
        "CREATE ROLE forger; CREATE TABLE public.reporting_events_rollups_sealed AS"
        " SELECT 1::bigint AS account_id, 'UTC' AS timezone, '{(,)}'::datemultirange AS days,"
        " NULL::text AS metric, NULL::text AS dimension_type;"
        " ALTER TABLE public.reporting_events_rollups_sealed OWNER TO forger;"
        " CREATE TABLE public.reporting_events_rollups_sealed_members (member bigint)"
    )
    try:
        deploy(database, REGISTRY)
        assert session.execute(SEALED).fetchall() == []
    finally:
        session.execute("DROP OWNED BY forger; DROP ROLE forger")


def test_a_deployment_that_is_not_its_turn_names_the_session_that_it_waits_for(
    session: Session, database: str
) -> None:
    session.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_CLASS, DEPLOY_KEY))
    said: list[str] = []
    for attempt in (
        lambda: deploy(database, REGISTRY, patience=AT_ONCE, report=said.append),
        lambda: undeploy(database, REGISTRY, patience=AT_ONCE, report=said.append),
    ):
        with pytest.raises(DatabaseError) as error:
            attempt()
        assert f"process {session.info.backend_pid} of " in (error.value.hint or "")
    assert len(said) == 2 * AT_ONCE.attempts
    session.execute("SELECT pg_advisory_unlock_all()")
    assert_exact(session)


def test_where_nothing_is_deployed_there_is_nothing_to_take_out(
    reference_database: str, connect: Connect
) -> None:
    assert "nothing is deployed here" in fail("undeploy", "--yes", on=reference_database)
    session = connect(reference_database)
    session.execute("CREATE SCHEMA rollup; CREATE TABLE rollup.deployments (theirs int)")
    assert "that this program has not made" in fail("undeploy", "--yes", on=reference_database)
    assert session.execute("TABLE rollup.deployments").fetchall() == []


def test_the_command_asks_first_and_says_what_has_gone(session: Session, database: str) -> None:
    assert "say --yes" in fail("undeploy", on=database)
    done = run("undeploy", "--yes", on=database)
    assert done.stdout.splitlines() == [
        "drop trigger rollup_after_delete on public.accounts",
        "drop trigger rollup_after_insert on public.accounts",
        "drop trigger rollup_after_truncate on public.accounts",
        "drop trigger rollup_after_update on public.accounts",
        "drop trigger rollup_after_delete on public.reporting_events",
        "drop trigger rollup_after_insert on public.reporting_events",
        "drop trigger rollup_after_truncate on public.reporting_events",
        "drop trigger rollup_after_update on public.reporting_events",
        "drop schema rollup",
    ]
    assert "reporting_events_rollups is kept" in done.stderr
    assert "not deployed" in run("status", on=database).stdout


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE public.reporting_events RENAME TO older",
        "ALTER TABLE public.reporting_events RENAME TO older;"
        "ALTER TABLE public.accounts RENAME TO customers",
        "CREATE SCHEMA old; ALTER TABLE public.reporting_events SET SCHEMA old",
        "DROP TABLE public.reporting_events",
        "DROP TABLE public.accounts CASCADE",
    ],
)
def test_it_goes_although_its_tables_are_gone_and_keeps_what_was_pending(
    statement: str, session: Session, database: str
) -> None:
    desk(session)
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session, created_at="2026-03-09 10:00")
    before = session.execute(CURRENT.format("rollup.current_rollups")).fetchall()
    assert before
    session.execute(statement)
    undeploy(database, REGISTRY)
    assert session.execute(LEFT).fetchall() == []
    assert session.execute(CURRENT.format("public.reporting_events_rollups")).fetchall() == before


@pytest.mark.parametrize("table", ["rollups", "accounts", "gaps", "deployments", "pending_events"])
def test_it_goes_although_a_table_of_ours_is_lost(
    table: str, session: Session, database: str
) -> None:
    mix(desk(session))
    session.execute("CALL rollup.backfill()")
    session.execute("CALL rollup.purge_events('2026-03-08', 2)")
    name = "public.reporting_events_rollups" if table == "rollups" else f"rollup.{table}"
    session.execute(f"SET client_min_messages = error; DROP TABLE {name} CASCADE")
    undeploy(database, REGISTRY)
    assert session.execute(LEFT).fetchall() == []
    deploy(database, REGISTRY)
    session.execute("CALL rollup.backfill()")
    undeploy(database, REGISTRY, drop_rollups=True, even_purged=True)
    assert session.execute(LEFT).fetchall() == []
