"""A statement that writes many accounts is followed as a whole, in partitions too."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.operate.status import inspect
from generator.registry import load
from generator.render.objects import render
from tests.support.command import run
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
BERLIN, TOKYO, ROME = (
    f'{{"reporting_timezone": "{zone}"}}' for zone in ("Europe/Berlin", "Asia/Tokyo", "Europe/Rome")
)
WANTED = """
SELECT a.account_id, a.wanted
FROM rollup.accounts a
WHERE a.account_id BETWEEN 100 AND 200
ORDER BY a.account_id
"""
ADD = """
INSERT INTO public.accounts (id, name, settings)
SELECT i, 'a', CASE i %% 3 WHEN 0 THEN %s WHEN 1 THEN %s END::jsonb
FROM generate_series(101, %s) i
"""
CALLS = """
SELECT coalesce(sum(f.calls), 0)
FROM pg_stat_xact_user_functions f
WHERE f.schemaname = 'rollup'
AND f.funcname = 'follow_accounts'
"""
PARTITIONED = """
ALTER TABLE public.accounts RENAME TO plain;
CREATE TABLE public.accounts (LIKE public.plain INCLUDING DEFAULTS, PRIMARY KEY (id))
    PARTITION BY RANGE (id);
CREATE TABLE public.few PARTITION OF public.accounts FOR VALUES FROM (0) TO (150)
    PARTITION BY RANGE (id);
CREATE TABLE public."The few" PARTITION OF public.few DEFAULT;
CREATE TABLE public.many PARTITION OF public.accounts FOR VALUES FROM (150) TO (1000);
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
DROP TABLE public.plain CASCADE;
"""
OLD = """
CREATE FUNCTION rollup.accounts_after_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rollup.follow_accounts(ARRAY [NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER rollup_after_change AFTER INSERT OR DELETE OR UPDATE ON public.accounts
    FOR EACH ROW EXECUTE FUNCTION rollup.accounts_after_change();
CREATE OR REPLACE TRIGGER rollup_after_truncate AFTER TRUNCATE ON public.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION rollup.accounts_after_change();
DROP FUNCTION rollup.accounts_after_insert() CASCADE;
DROP FUNCTION rollup.accounts_after_update() CASCADE;
DROP FUNCTION rollup.accounts_after_delete() CASCADE;
DROP FUNCTION rollup.accounts_after_truncate() CASCADE;
"""
"""What a version with a trigger for each row had made, on a table that is not partitioned."""


def wanted(session: Session) -> dict[int, str | None]:
    return dict(session.execute(WANTED).fetchall())


def calls(session: Session, statement: str) -> int:
    """Tell how often a statement has accounts followed."""
    with session.transaction():
        session.execute("SET LOCAL track_functions = 'all'")
        session.execute(statement)
        [counted] = session.execute(CALLS).fetchone() or (0,)
    return int(counted)


@pytest.mark.parametrize("rows", [1, 2, 60])
def test_a_statement_follows_all_its_accounts_at_once(
    rows: int, database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(ADD, (BERLIN, TOKYO, 100 + rows))
    zones = {0: "Europe/Berlin", 1: "Asia/Tokyo"}
    added = {i: zones[i % 3] for i in range(101, 101 + rows) if i % 3 < 2}
    assert wanted(session) == added
    session.execute(
        "UPDATE public.accounts SET settings = %s, name = 'b' WHERE id %% 2 = 0", (ROME,)
    )
    changed = {i: "Europe/Rome" for i in range(101, 101 + rows) if i % 2 == 0}
    assert wanted(session) == added | changed
    session.execute("DELETE FROM public.accounts WHERE id < 130")
    gone = {i: None for i in added | changed if i < 130}
    assert wanted(session) == added | changed | gone


@pytest.fixture
def accounts(database: str, connect: Connect) -> Session:
    """Connect to a desk with twenty accounts of each of two zones, and some without."""
    session = desk(connect(database))
    session.execute(ADD, (BERLIN, TOKYO, 160))
    return session


FOLLOWED = {
    "UPDATE public.accounts SET settings = '{}'": 1,
    "DELETE FROM public.accounts": 1,
    "UPDATE public.accounts SET name = 'b'": 0,
    "UPDATE public.accounts SET name = 'b' WHERE id = 101": 0,
    "UPDATE public.accounts SET settings = settings || '{\"other\": 1}'": 0,
    "UPDATE public.accounts SET settings = settings || '{\"other\": 1}' WHERE id = 102": 0,
    "UPDATE public.accounts SET settings = '{}' WHERE id < 0": 0,
    "DELETE FROM public.accounts WHERE id < 0": 0,
    "INSERT INTO public.accounts (name) SELECT 'c' FROM generate_series(1, 5)": 0,
}


@pytest.mark.parametrize("statement", FOLLOWED)
def test_accounts_are_followed_once_or_where_no_zone_changes_never(
    statement: str, accounts: Session
) -> None:
    assert calls(accounts, statement) == FOLLOWED[statement]


def test_accounts_that_exchange_their_ids_exchange_their_zones(accounts: Session) -> None:
    accounts.execute("ALTER TABLE public.accounts DROP CONSTRAINT accounts_pkey CASCADE")
    accounts.execute("UPDATE public.accounts SET id = 205 - id WHERE id IN (102, 103)")
    assert wanted(accounts)[103] == "Europe/Berlin"
    assert wanted(accounts)[102] == "Asia/Tokyo"


def test_an_upsert_of_accounts_is_followed_by_both_of_its_triggers(accounts: Session) -> None:
    accounts.execute(
        "INSERT INTO public.accounts (id, settings) SELECT i, %s FROM generate_series(159, 162) i"
        " ON CONFLICT (id) DO UPDATE SET settings = excluded.settings",
        (ROME,),
    )
    found = wanted(accounts)
    assert [found[i] for i in range(159, 163)] == ["Europe/Rome"] * 4


def test_of_many_accounts_those_that_another_session_changes_are_left_for_later(
    accounts: Session, database: str, connect: Connect
) -> None:
    mix(accounts)
    accounts.execute("SELECT rollup.rebuild()")
    holder = connect(database, autocommit=False)
    holder.execute("SELECT FROM rollup.accounts a WHERE a.account_id IN (102, 105) FOR UPDATE")
    accounts.execute("SET lock_timeout = '100ms'")
    accounts.execute("UPDATE public.accounts SET settings = %s WHERE id > 100", (ROME,))
    others = dict.fromkeys(range(101, 161), "Europe/Rome")
    assert wanted(accounts) == others | {102: "Europe/Berlin", 105: "Europe/Berlin"}
    covered = (
        "SELECT count(*) FROM rollup.coverage v WHERE v.account_id > 100 AND v.covered <> '{}'"
    )
    assert accounts.execute(covered).fetchone() == (0,)
    holder.rollback()
    accounts.execute("SELECT rollup.fold()")
    assert wanted(accounts) == others
    accounts.execute("CALL rollup.backfill()")
    assert_exact(accounts)


def test_sessions_that_change_many_accounts_crosswise_neither_wait_nor_fail(
    accounts: Session, database: str, connect: Connect
) -> None:
    one, other = (
        connect(database, autocommit=False, options="-c lock_timeout=100ms") for _ in range(2)
    )
    change = "UPDATE public.accounts SET settings = %s WHERE id BETWEEN %s AND %s"
    add = (
        "INSERT INTO public.accounts (id, settings)"
        " SELECT i, %s FROM generate_series(%s::int, %s::int) i"
    )
    one.execute(change, (ROME, 101, 120))
    other.execute(change, (ROME, 121, 140))
    one.execute(add, (ROME, 501, 520))
    other.execute(add, (ROME, 757, 776))  # which share the low bits of these
    one.execute(change, (TOKYO, 141, 150))
    other.execute(change, (TOKYO, 151, 160))
    other.commit()
    one.commit()
    accounts.execute("CALL rollup.backfill()")
    query = """
    SELECT count(*)
    FROM public.accounts s
    JOIN rollup.accounts a ON a.account_id = s.id
    WHERE a.wanted = s.settings ->> 'reporting_timezone'
    """
    assert accounts.execute(query).fetchone() == (100,)


def test_accounts_in_a_table_named_like_the_events_have_functions_of_their_own() -> None:
    assert REGISTRY.accounts is not None
    alike = dataclasses.replace(REGISTRY.accounts, schema="other", table=REGISTRY.source.table)
    objects = render(dataclasses.replace(REGISTRY, accounts=alike))
    names = [one.name for one in objects if one.kind == "function"]
    assert len(names) == len(set(names))


@pytest.fixture
def partitioned(reference_database: str, connect: Connect) -> Session:
    """Connect to a database whose accounts are in partitions, deployed, with some accounts."""
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, REGISTRY)
    session.execute(ADD, (BERLIN, TOKYO, 160))
    return session


@pytest.mark.parametrize("table", ["public.accounts", 'public."The few"', "public.few"])
def test_accounts_in_partitions_are_followed_by_whatever_name_they_are_written(
    table: str, partitioned: Session
) -> None:
    assert len(wanted(partitioned)) == 40
    partitioned.execute(f"UPDATE {table} SET settings = %s WHERE id < 110", (ROME,))
    assert [wanted(partitioned)[i] for i in range(101, 110)] == ["Europe/Rome"] * 9
    partitioned.execute(f"INSERT INTO {table} (id, settings) VALUES (100, %s)", (ROME,))
    assert wanted(partitioned)[100] == "Europe/Rome"
    partitioned.execute(f"DELETE FROM {table} WHERE id = 100")
    assert wanted(partitioned)[100] is None
    partitioned.execute(f"TRUNCATE {table}")
    left = {i for i, zone in wanted(partitioned).items() if zone}
    assert min(left, default=150) == 150
    assert bool(left) == (table != "public.accounts")


def test_an_account_that_moves_to_another_partition_takes_its_zone_along(
    partitioned: Session,
) -> None:
    partitioned.execute("UPDATE public.accounts SET id = id + 60 WHERE id IN (102, 103)")
    assert (wanted(partitioned)[102], wanted(partitioned)[103]) == (None, None)
    assert wanted(partitioned)[162] == "Europe/Berlin"
    partitioned.execute("UPDATE public.accounts SET id = id - 60 WHERE id IN (162, 163)")
    assert wanted(partitioned)[103] == "Asia/Tokyo"


def test_a_new_partition_of_accounts_gets_triggers_and_voids_no_coverage(
    partitioned: Session, reference_database: str
) -> None:
    partitioned.execute("CALL rollup.backfill()")
    partitioned.execute(
        "CREATE TABLE public.more PARTITION OF public.accounts FOR VALUES FROM (1000) TO (2000)"
    )
    done = deploy(reference_database, REGISTRY)
    assert sorted(done.changes) == [
        f"create trigger rollup_after_{verb} on public.more"
        for verb in ("delete", "insert", "truncate", "update")
    ]
    assert not done.coverage_voided
    assert inspect(partitioned, REGISTRY).is_current


def test_a_partition_of_accounts_that_is_detached_is_followed_no_more_and_voids_no_coverage(
    partitioned: Session, reference_database: str
) -> None:
    partitioned.execute("CALL rollup.backfill()")
    partitioned.execute("ALTER TABLE public.accounts DETACH PARTITION public.many")
    partitioned.execute("UPDATE public.many SET settings = %s", (ROME,))
    assert "Europe/Rome" not in wanted(partitioned).values()
    done = deploy(reference_database, REGISTRY)
    assert sorted(done.changes) == [
        f"drop trigger rollup_after_{verb} on public.many"
        for verb in ("delete", "insert", "truncate", "update")
    ]
    assert not done.coverage_voided
    assert inspect(partitioned, REGISTRY).is_current


def test_a_deploy_replaces_the_trigger_for_each_row_of_an_older_version(
    database: str, accounts: Session
) -> None:
    accounts.execute(OLD)
    accounts.execute("CALL rollup.backfill()")
    assert "rollup_after_change on public.accounts" in run("plan", on=database).stdout
    done = deploy(database, REGISTRY)
    assert "drop trigger rollup_after_change on public.accounts" in done.changes
    assert "drop function rollup.accounts_after_change" in done.changes
    assert not done.coverage_voided
    assert inspect(accounts, REGISTRY).is_current
    accounts.execute("UPDATE public.accounts SET settings = %s", (ROME,))
    assert set(wanted(accounts).values()) == {"Europe/Rome"}
    assert_exact(accounts)
