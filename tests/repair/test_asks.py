"""A repair that would delete all totals of whole days asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.operate import losses, verify
from generator.registry import load
from tests.support.command import fail, run, succeed
from tests.support.events import desk, mix
from tests.support.layouts import PARTITIONED
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

TOTALS = """
SELECT account_id, date, dimension_type, dimension_id, metric, count, sum_value
FROM public.reporting_events_rollups
WHERE count <> 0
ORDER BY 1, 2, 3, 4, 5
"""
DROP = 'DROP TABLE "Old ones"."Until March 9th"'


@pytest.fixture
def session(reference_database: str, connect: Connect) -> Session:
    """Connect to a database whose events are in partitions, deployed, with events, all covered."""
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, load())
    desk(session)
    mix(session, 200)
    return session


def test_totals_of_a_dropped_partition_are_deleted_only_when_the_caller_says_so(
    session: Session, reference_database: str
) -> None:
    session.execute(DROP)
    before = session.execute(TOTALS).fetchall()
    assert "is gone with its events" in fail("verify", "--repair", on=reference_database)
    session.execute(
        "SELECT rollup.forget_partition(g.partition, false) FROM rollup.gone_partitions() g"
    )
    said = fail("verify", "--repair", on=reference_database)
    assert "would delete all totals of" in said
    assert "--yes" in said
    assert "account 2: no events are left on " in said
    assert session.execute(TOTALS).fetchall() == before
    done = run("verify", "--repair", "--yes", on=reference_database)
    assert done.exit_code == 0
    assert_exact(session)


def test_the_days_are_counted_by_account(session: Session) -> None:
    [[first, last, days]] = session.execute(
        "SELECT min(date)::text, max(date)::text, count(DISTINCT date)"
        " FROM rollup.current_rollups WHERE account_id = 2 AND date < '2026-03-08'"
    ).fetchall()
    session.execute("SET session_replication_role = replica")
    session.execute(
        "DELETE FROM public.reporting_events e USING rollup.accounts a WHERE e.account_id = 2"
        " AND a.account_id = 2"
        " AND (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date < '2026-03-08'"
    )
    session.execute("RESET session_replication_role")
    rows = verify.drift(session, verify.Scope())
    assert losses.of_repair(session, rows) == [
        losses.Loss(account_id=2, first=first, last=last, days=days)
    ]
    assert verify.repair(session, rows)
    assert_exact(session)


def test_a_repair_that_leaves_totals_on_every_day_does_not_ask(
    session: Session, reference_database: str
) -> None:
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    succeed("verify", "--repair", on=reference_database)
    assert_exact(session)


def test_a_partition_that_is_purged_a_day_beyond_its_bound_and_dropped_leaves_its_totals(
    session: Session, reference_database: str
) -> None:
    before = session.execute(TOTALS).fetchall()
    session.execute("CALL rollup.purge_events('2026-03-10')")
    session.execute(DROP)
    deploy(reference_database, load())
    session.execute("CALL rollup.backfill()")
    succeed("verify", "--repair", on=reference_database)
    assert session.execute(TOTALS).fetchall() == before
    assert session.execute("SELECT count(*) FROM rollup.drift()").fetchone() == (0,)
