"""Events in partitions: every statement counts once, whether it names the table or a partition."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql import factories

from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support import databases
from tests.support.events import desk, mix, recorded_and_pending, rollups, write
from tests.support.oracle import assert_exact, assert_exact_where_covered, differences
from tests.support.waiting import PATIENCE, PAUSE, blockers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

REGISTRY = load()
AT_ONCE = Patience(lock_timeout=0.05, attempts=1)

EVENTS = "public.reporting_events"
EARLY = 'archive."The early ones"'
COLUMNS = "name, value, account_id, user_id, conversation_id, created_at, updated_at"

ONE_LEVEL = f"""
CREATE SCHEMA archive;
ALTER TABLE {EVENTS} RENAME TO plain;
CREATE TABLE {EVENTS} (
    LIKE public.plain INCLUDING DEFAULTS,
    UNIQUE (id, created_at, account_id)
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE public.reporting_events_id_seq OWNED BY {EVENTS}.id;
DROP TABLE public.plain;
CREATE TABLE {EARLY} PARTITION OF {EVENTS} FOR VALUES FROM (MINVALUE) TO ('2026-03-09');
CREATE TABLE public.rest PARTITION OF {EVENTS} DEFAULT;
CREATE TABLE public.late PARTITION OF {EVENTS} FOR VALUES FROM ('2026-03-09') TO ('2026-03-11')
"""
TWO_LEVELS = f"""
{ONE_LEVEL} PARTITION BY LIST (account_id);
CREATE TABLE public.late_of_2 PARTITION OF public.late FOR VALUES IN (2);
CREATE TABLE public.late_of_others PARTITION OF public.late DEFAULT;
"""
STEPS = [
    f"INSERT INTO {{table}} ({COLUMNS}) SELECT {COLUMNS} FROM {{table}}",
    "UPDATE {table} SET account_id = account_id % 3 + 1, value = 9 WHERE id % 2 = 0",
    "INSERT INTO {table} AS e SELECT * FROM {table} WHERE id % 3 = 0"
    " ON CONFLICT (id, created_at, account_id) DO UPDATE SET name = 'conversation_bot_handoff'",
    "DELETE FROM {table} WHERE id % 5 = 0",
]
MOVE = f"UPDATE {EVENTS} SET created_at = created_at + interval '{{}} days', account_id = 2"
MERGE = f"""
MERGE INTO {EVENTS} e
USING generate_series(1, 300) s (id) ON e.id = s.id
WHEN MATCHED {{}} THEN UPDATE SET created_at = e.created_at + interval '2 days', user_id = 4
"""
MERGE_WITH_ALL_ACTIONS = f"""
{MERGE.format("AND s.id % 3 > 0")}
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN INSERT ({COLUMNS}) VALUES ('reply_time', 5, 1, 2, 3, '2026-03-08', now())
"""

MAY = """
CREATE TABLE public.may (
    junk integer, updated_at timestamp(6) NOT NULL, conversation_id integer,
    created_at timestamp(6) NOT NULL, user_id integer, inbox_id integer,
    value_in_business_hours double precision, value double precision, name varchar,
    event_end_time timestamp, event_start_time timestamp, account_id integer,
    id bigint NOT NULL DEFAULT nextval('public.reporting_events_id_seq')
);
ALTER TABLE public.may DROP COLUMN junk;
INSERT INTO public.may (name, value, account_id, user_id, conversation_id, created_at, updated_at)
SELECT 'conversation_bot_handoff', i, 1 + i % 3, i % 2, i % 4, timestamp '2026-05-02', now()
FROM generate_series(1, 30) i
"""
"""A table of events, its columns in another order, that is no partition yet."""

IN_MAY = "FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')"

COVERED = "SELECT DISTINCT covered::text FROM rollup.coverage"


def _template(name: str, statements: str) -> Any:
    def install(*, autocommit: bool, **whereabouts: Any) -> None:
        dsn = make_conninfo(**whereabouts)
        with psycopg.connect(dsn) as connection:
            connection.execute(statements.encode())
        deploy(dsn, REGISTRY)

    return factories.postgresql_noproc(
        dbname=f"rollups_test_{name}", load=[install], depends_on="reference_template"
    )


one_level = _template("one_level", ONE_LEVEL)
two_levels = _template("two_levels", TWO_LEVELS)


@pytest.fixture(params=["one_level", "two_levels"])
def partitioned(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the connection string of a new database whose events are in partitions, deployed."""
    with databases.clone(request.getfixturevalue(request.param)) as dsn:
        yield dsn


ONE_LEVEL_ONLY = pytest.mark.parametrize("partitioned", ["one_level"], indirect=True)
TWO_LEVELS_ONLY = pytest.mark.parametrize("partitioned", ["two_levels"], indirect=True)


@pytest.fixture
def session(partitioned: str, connect: Connect) -> Session:
    """Connect to it, with events in every partition, and all days covered."""
    session = desk(connect(partitioned))
    mix(session, 200)
    return session


def status(session: Session) -> set[tuple[str | None, str]]:
    """Tell on which tables something of ours is not current, and how it is."""
    objects = inspect(session, REGISTRY).objects
    return {(one.table, one.status) for one in objects if one.status != "CURRENT"}


def triggers(session: Session) -> Counter[str | None]:
    """Count the triggers of ours on each table."""
    objects = inspect(session, REGISTRY).objects
    return Counter(one.table for one in objects if one.kind == "trigger")


def covered(session: Session) -> list[str]:
    return [days for [days] in session.execute(COVERED)]


def forget(session: Session) -> None:
    """Say of every partition that is gone that its totals are to go, too."""
    session.execute(
        "SELECT rollup.forget_partition(g.partition, false) FROM rollup.gone_partitions() g"
    )


def test_a_deploy_puts_four_triggers_on_the_table_and_on_every_partition(
    session: Session, partitioned: str
) -> None:
    parts = session.execute("SELECT * FROM pg_partition_tree('public.reporting_events')")
    found = triggers(session)
    assert len(found) == parts.rowcount + 1
    assert [table for table, count in found.items() if count != 4] == []
    assert found[EARLY] == 4
    assert status(session) == set()
    assert deploy(partitioned, REGISTRY).changes == ()
    assert_exact(session)


@pytest.mark.parametrize("table", [EVENTS, EARLY, "public.late"])
@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_writes_to_the_table_or_straight_to_a_partition_count_once(
    session: Session, level: str, table: str
) -> None:
    session.execute(f"SET default_transaction_isolation = '{level}'")
    for step in STEPS:
        assert session.execute(step.format(table=table)).rowcount > 0
        assert_exact(session)
    assert (recorded_and_pending(session)[1] == 0) == (level == "read committed")


@pytest.mark.parametrize("table", [EVENTS, "public.late"])
def test_a_copy_to_the_table_or_straight_to_a_partition_counts_once(
    session: Session, table: str
) -> None:
    with session.cursor().copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
        for i in range(60):
            at = f"2026-03-{9 + i % 2} {i % 24}:00"
            copy.write_row(("conversation_bot_handoff", i, 1 + i % 3, i % 5, i % 4, at, at))
    assert_exact(session)


def test_an_update_that_moves_events_to_other_partitions_counts_them_once(
    session: Session,
) -> None:
    for days in (2, -1, -3, 900):
        session.execute(MOVE.format(days))
        assert_exact(session)
    assert recorded_and_pending(session)[1] == 0


def test_a_merge_that_moves_events_is_exact_if_it_has_all_three_actions(session: Session) -> None:
    if session.info.server_version < 150000:
        pytest.skip("no MERGE before PostgreSQL 15")
    session.execute(MERGE_WITH_ALL_ACTIONS)
    assert_exact(session)


@ONE_LEVEL_ONLY
def test_what_another_merge_hides_from_triggers_is_cured_by_a_rebuild(session: Session) -> None:
    """PostgreSQL 15 to 18 puts what a MERGE moves into the tables of DELETE and INSERT only."""
    if session.info.server_version < 150000:
        pytest.skip("no MERGE before PostgreSQL 15")
    session.execute(MERGE.format(""))
    assert differences(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)


@TWO_LEVELS_ONLY
@pytest.mark.parametrize("table", [EVENTS, EARLY, "public.late", "public.late_of_2"])
def test_a_truncate_of_all_leaves_all_days_covered_and_one_of_a_part_none(
    session: Session, table: str
) -> None:
    days = ["{(,)}" if table == EVENTS else "{}"]
    with session.transaction(force_rollback=True):
        session.execute(f"TRUNCATE {table}")
        assert covered(session) == days
        assert_exact_where_covered(session)
    assert_exact(session)
    session.execute(f"TRUNCATE {table}")
    assert covered(session) == days
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert (rollups(session) == []) == (table == EVENTS)
    assert_exact(session)


@TWO_LEVELS_ONLY
@pytest.mark.parametrize("table", [EVENTS, EARLY, "public.late", "public.late_of_2"])
def test_a_truncate_above_read_committed_uncovers_every_day_until_a_backfill(
    session: Session, table: str
) -> None:
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    session.execute(f"TRUNCATE {table}")
    session.execute("COMMIT")
    assert covered(session) == ["{}"]
    session.execute("CALL rollup.backfill()")
    assert covered(session) == ["{(,)}"]
    assert_exact(session)


@ONE_LEVEL_ONLY
def test_a_truncate_of_a_partition_and_a_writer_of_two_never_deadlock(
    session: Session, partitioned: str, connect: Connect
) -> None:
    """A writer of one partition holds a slot, but not yet the partition that is truncated."""
    writer, truncater = connect(partitioned, autocommit=False), connect(partitioned)
    write(writer, created_at="2026-03-10 12:00")
    with ThreadPoolExecutor(1) as executor:
        truncated = executor.submit(truncater.execute, f"TRUNCATE {EARLY}")
        deadline = time.monotonic() + PATIENCE
        while not truncated.done() and not blockers(session, truncater):
            assert time.monotonic() < deadline
            time.sleep(PAUSE)
        write(writer, created_at="2026-03-08 12:00")
        writer.commit()
        truncated.result(PATIENCE)
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


@ONE_LEVEL_ONLY
def test_a_partition_made_later_is_missing_triggers_until_the_next_deploy(
    session: Session, partitioned: str
) -> None:
    session.execute(f"CREATE TABLE public.may PARTITION OF {EVENTS} {IN_MAY}")
    assert status(session) == {("public.may", "MISSING")}
    write(session, created_at="2026-05-02")
    assert_exact(session)
    session.execute(STEPS[0].format(table="public.may"))
    assert differences(session)
    assert len(deploy(partitioned, REGISTRY).changes) == 4
    assert status(session) == set()
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    for step in (STEPS[0], STEPS[1], STEPS[3]):
        session.execute(step.format(table="public.may"))
        assert_exact(session)


def test_a_table_with_other_columns_order_counts_once_attached_deployed_and_backfilled(
    session: Session, partitioned: str
) -> None:
    session.execute(MAY)
    session.execute(f"ALTER TABLE {EVENTS} ATTACH PARTITION public.may {IN_MAY}")
    assert status(session) == {("public.may", "MISSING")}
    assert differences(session)
    assert deploy(partitioned, REGISTRY).coverage_voided
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    for table in (EVENTS, "public.may"):
        for step in (STEPS[0], STEPS[1], STEPS[3]):
            session.execute(step.format(table=table))
            assert_exact(session)
    session.execute(MOVE.format(-52))
    assert_exact(session)


@pytest.mark.parametrize("partition", [EARLY, "public.late"])
def test_a_detached_partition_counts_no_more_once_deployed_and_rebuilt(
    session: Session, partitioned: str, partition: str
) -> None:
    session.execute(f"ALTER TABLE {EVENTS} DETACH PARTITION {partition}")
    assert {found for _, found in status(session)} == {"ORPHANED"}
    assert differences(session)
    deploy(partitioned, REGISTRY)
    assert status(session) == set()
    forget(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)
    for statement in (*STEPS, "TRUNCATE {table}"):
        session.execute(statement.format(table=partition))
        assert_exact(session)


@ONE_LEVEL_ONLY
def test_a_partition_that_is_dropped_with_its_events_needs_a_rebuild(session: Session) -> None:
    session.execute("DROP TABLE public.late")
    assert status(session) == set()
    assert differences(session)
    forget(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)


@ONE_LEVEL_ONLY
def test_a_deploy_to_a_new_partition_waits_for_writers_of_that_one_only_and_not_for_long(
    session: Session, partitioned: str, connect: Connect
) -> None:
    session.execute(f"CREATE TABLE public.may PARTITION OF {EVENTS} {IN_MAY}")
    writer, other = connect(partitioned, autocommit=False), connect(partitioned, autocommit=False)
    write(writer, created_at="2026-05-02")
    write(other, created_at="2026-03-08")
    with pytest.raises(DatabaseError, match="1 attempts"):
        deploy(partitioned, REGISTRY, patience=AT_ONCE)
    assert status(session) == {("public.may", "MISSING")}
    writer.commit()
    assert len(deploy(partitioned, REGISTRY, patience=AT_ONCE).changes) == 4
    fewer = dataclasses.replace(REGISTRY, measures=REGISTRY.measures[:1], reports=())
    with pytest.raises(DatabaseError, match="1 attempts"):
        deploy(partitioned, fewer, patience=AT_ONCE)
    other.commit()
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_purge_takes_events_out_of_all_partitions_and_the_empty_one_can_go(
    session: Session, partitioned: str
) -> None:
    before = sorted(rollups(session))
    for account in (1, 2, 3):
        chunk = "SELECT rollup.purge_chunk(%s, '2026-03-10', 4)"
        while (purged := session.execute(chunk, (account,)).fetchone()) == (4,):
            assert sorted(rollups(session)) == before
        assert purged is not None
    session.execute(f"DELETE FROM {EVENTS} WHERE account_id IS NULL")
    assert session.execute(f"SELECT FROM {EARLY}").fetchall() == []
    session.execute(f"DROP TABLE {EARLY}")
    assert deploy(partitioned, REGISTRY).changes == ("remember partitions",)
    assert session.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert sorted(rollups(session)) == before
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


def test_tables_that_inherit_count_once_however_they_are_written(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(f"CREATE TABLE public.late () INHERITS ({EVENTS})")
    deploy(reference_database, REGISTRY)
    assert triggers(session) == {EVENTS: 4, "public.late": 4, "public.accounts": 4}
    desk(session)
    mix(session)
    session.execute(f"INSERT INTO public.late SELECT * FROM {EVENTS}")
    assert_exact(session)
    for table in (EVENTS, "public.late", f"ONLY {EVENTS}"):
        session.execute(STEPS[1].format(table=table))
        session.execute(STEPS[3].format(table=table))
        assert_exact(session)
    session.execute(f"ALTER TABLE public.late NO INHERIT {EVENTS}")
    deploy(reference_database, REGISTRY)
    forget(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)
    session.execute(STEPS[1].format(table="public.late"))
    assert_exact(session)
    session.execute(f"ALTER TABLE public.late INHERIT {EVENTS}")
    deploy(reference_database, REGISTRY)
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    for table in ("public.late", EVENTS):
        session.execute(f"TRUNCATE {table}")
        assert_exact_where_covered(session)
        session.execute("CALL rollup.backfill()")
        assert_exact(session)
