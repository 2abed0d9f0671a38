"""Partitions that are dropped or detached: their totals are not deleted unless that is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.dry_run import dry_run
from generator.deploy.plan import plan
from generator.operate.status import inspect
from generator.registry import load
from tests.support.command import run
from tests.support.events import desk, mix
from tests.support.layouts import PARTITIONED
from tests.support.oracle import assert_exact, assert_exact_where_covered

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
EARLY = '"Old ones"."Until March 9th"'
GONE = "SELECT partition FROM rollup.gone_partitions() ORDER BY 1"
FORGET = "SELECT rollup.forget_partition(%s, keep_totals => %s)"
TOTALS = """
SELECT r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric, r.count, r.sum_value
FROM rollup.current_rollups r
ORDER BY 1, 2, 3, 4, 5
"""
REFUSED = psycopg.errors.ObjectNotInPrerequisiteState


@pytest.fixture
def session(reference_database: str, connect: Connect) -> Session:
    """Connect to a database whose events are in partitions, deployed, with events, all covered."""
    session = connect(reference_database)
    session.execute(PARTITIONED)
    deploy(reference_database, REGISTRY)
    desk(session)
    mix(session, 200)
    return session


def gone(session: Session) -> list[str]:
    return [name for [name] in session.execute(GONE)]


def totals(session: Session) -> list[tuple[Any, ...]]:
    return session.execute(TOTALS).fetchall()


def covered(session: Session) -> list[str]:
    rows = session.execute("SELECT DISTINCT v.covered::text FROM rollup.coverage v")
    return [days for [days] in rows]


@pytest.mark.parametrize(
    "statement",
    [
        f"DROP TABLE {EARLY}",
        f"ALTER TABLE public.reporting_events DETACH PARTITION {EARLY}",
    ],
    ids=["dropped", "detached"],
)
def test_nothing_deletes_the_totals_of_a_partition_that_is_gone(
    statement: str, session: Session, reference_database: str
) -> None:
    before = totals(session)
    session.execute(statement)
    assert gone(session) == [EARLY]
    for call in (
        "SELECT rollup.rebuild()",
        "SELECT rollup.rebuild(1)",
        "SELECT rollup.rebuild(1, '2026-03-01', '2026-03-09')",
        "SELECT rollup.backfill_chunk(ARRAY [1], NULL, NULL)",
        "CALL rollup.backfill()",
    ):
        with pytest.raises(REFUSED, match="is gone with its events") as error:
            session.execute(call)
        assert EARLY in str(error.value)
        assert "keep_totals => true" in str(error.value.diag.message_hint)
        assert "keep_totals => false" in str(error.value.diag.message_hint)
    assert totals(session) == before
    done = deploy(reference_database, REGISTRY)
    assert len(done.gone) == 1
    assert not done.coverage_voided
    assert gone(session) == [EARLY]
    assert totals(session) == before


def test_commands_name_the_partition_that_is_gone_and_the_cure(
    session: Session, reference_database: str
) -> None:
    before = totals(session)
    session.execute("DROP TABLE public.march_of_2")
    report = inspect(session, REGISTRY)
    assert report.problems == report.gone
    assert not report.is_current
    outcome = {
        command: run(*command.split(), on=reference_database)
        for command in ("status --exit-code", "plan", "verify", "backfill", "verify --repair --yes")
    }
    codes = {command: one.exit_code for command, one in outcome.items()}
    assert codes["status --exit-code"] == 2
    assert codes["verify"] == 2
    assert codes["backfill"] == 1
    assert codes["verify --repair --yes"] == 1
    for one in outcome.values():
        said = " ".join(one.output.split())
        assert "public.march_of_2" in said
        assert "rollup.forget_partition(" in said
    assert totals(session) == before


def test_totals_that_are_to_be_kept_are_sealed_and_survive_a_rebuild(session: Session) -> None:
    before = totals(session)
    session.execute("DROP TABLE public.march CASCADE")
    assert gone(session) == ["public.march_of_2", "public.march_of_others"]
    for name in gone(session):
        session.execute(FORGET, (name, True))
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    kept = [row for row in totals(session) if 10 <= row[1].day <= 31]
    assert kept == [row for row in before if 10 <= row[1].day <= 31]
    assert kept
    assert covered(session) == ["{(,)}"]
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


def test_totals_that_are_not_to_be_kept_are_deleted_by_the_next_backfill(session: Session) -> None:
    session.execute(f"DROP TABLE {EARLY}")
    session.execute(FORGET, (EARLY, False))
    assert covered(session) == ["{[2026-03-10,)}"]
    assert_exact_where_covered(session)
    session.execute("CALL rollup.backfill()")
    assert covered(session) == ["{(,)}"]
    assert_exact(session)


def test_days_that_a_gone_partition_does_not_meet_can_be_rebuilt(session: Session) -> None:
    before = totals(session)
    session.execute(f"DROP TABLE {EARLY}")
    session.execute("SELECT rollup.rebuild(NULL, '2026-03-10', NULL)")
    with pytest.raises(REFUSED):
        session.execute("SELECT rollup.rebuild(NULL, '2026-03-09', NULL)")
    assert totals(session) == before


def test_the_day_right_before_those_of_a_gone_partition_can_be_repaired(
    session: Session, reference_database: str
) -> None:
    before = totals(session)
    session.execute("DROP TABLE public.march_of_2")
    days = "SELECT (lower(days) - 1)::text FROM rollup.gone_partitions()"
    assert session.execute(days).fetchone() == ("2026-03-07",)
    session.execute(
        "UPDATE public.reporting_events_rollups SET count = count + 1 "
        "WHERE account_id = 2 AND date = '2026-03-07'"
    )
    repair = ("verify", "--repair", "--yes", "--account", "2")
    on_days = ("--since", "2026-03-07", "--until", "2026-03-08")
    done = run(*repair, *on_days, on=reference_database)
    assert "rebuilt their days" in done.stderr, done.output
    assert totals(session) == before


def test_a_partition_dropped_after_a_purge_is_forgotten_by_the_next_deployment(
    session: Session, reference_database: str
) -> None:
    before = totals(session)
    session.execute("CALL rollup.purge_events('2026-03-10')")
    session.execute(f"DROP TABLE {EARLY}")
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    deploy(reference_database, REGISTRY)
    [[left]] = session.execute(
        "SELECT count(*) FROM rollup.partitions p WHERE p.table_name LIKE 'Until%'"
    )
    assert left == 0
    assert totals(session) == before


def test_an_empty_partition_that_is_dropped_is_not_gone(
    session: Session, reference_database: str
) -> None:
    session.execute(
        "CREATE TABLE public.may PARTITION OF public.reporting_events"
        " FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')"
    )
    deploy(reference_database, REGISTRY)
    session.execute("DROP TABLE public.may")
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    assert deploy(reference_database, REGISTRY).changes == ("remember partitions",)
    assert deploy(reference_database, REGISTRY).changes == ()
    assert_exact(session)


def test_a_partition_that_is_renamed_is_not_gone(session: Session, reference_database: str) -> None:
    session.execute(f"ALTER TABLE {EARLY} RENAME TO older")
    session.execute('ALTER TABLE "Old ones".older SET SCHEMA public')
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    assert not deploy(reference_database, REGISTRY).coverage_voided
    assert_exact(session)


def test_after_a_restore_partitions_are_known_by_their_names(
    session: Session, reference_database: str
) -> None:
    session.execute("UPDATE rollup.partitions SET source = 1, relation = relation::bigint + 1")
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    before = totals(session)
    session.execute(f"DROP TABLE {EARLY}")
    assert gone(session) == [EARLY]
    assert deploy(reference_database, REGISTRY).gone
    assert gone(session) == [EARLY]
    assert totals(session) == before


def test_a_partition_attached_again_is_no_longer_gone(session: Session) -> None:
    session.execute(f"ALTER TABLE public.reporting_events DETACH PARTITION {EARLY}")
    assert gone(session) == [EARLY]
    session.execute(
        f"ALTER TABLE public.reporting_events ATTACH PARTITION {EARLY}"
        " FOR VALUES FROM (MINVALUE) TO ('2026-03-09')"
    )
    assert gone(session) == []
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)


def test_totals_of_a_partition_without_bounds_can_only_be_deleted(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(
        PARTITIONED.partition("CREATE SCHEMA")[0].replace("RANGE (created_at)", "LIST (account_id)")
    )
    session.execute(
        "CREATE TABLE public.of_1 PARTITION OF public.reporting_events FOR VALUES IN (1);"
        "CREATE TABLE public.others PARTITION OF public.reporting_events DEFAULT"
    )
    deploy(reference_database, REGISTRY)
    mix(desk(session))
    before = totals(session)
    session.execute("DROP TABLE public.of_1")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="are not known"):
        session.execute(FORGET, ("public.of_1", True))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"is named public\.others"):
        session.execute(FORGET, ("public.others", False))
    assert totals(session) == before
    session.execute(FORGET, ("public.of_1", False))
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_truncate_is_not_held_up_by_a_partition_that_is_gone(session: Session) -> None:
    session.execute(f"DROP TABLE {EARLY}")
    session.execute("TRUNCATE public.reporting_events")
    assert covered(session) == ["{}"]
    assert_exact_where_covered(session)
    session.execute(FORGET, (EARLY, False))
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_a_plan_and_a_dry_run_say_what_becomes_of_partitions(
    session: Session, reference_database: str
) -> None:
    session.execute(f"DROP TABLE {EARLY}")
    found = plan(reference_database, REGISTRY, Patience())
    assert found.is_nothing
    assert any("is gone with its events" in warning for warning in found.warnings)
    session.execute("ALTER TABLE public.march_of_2 RENAME TO march_of_two")
    found = plan(reference_database, REGISTRY, Patience())
    assert not found.is_nothing
    assert "INSERT INTO rollup.partitions" in dry_run(reference_database, REGISTRY, Patience())
    assert gone(session) == [EARLY]
