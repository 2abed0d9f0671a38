"""Objects that were changed by hand: they are seen, and the next deploy heals them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.database.patience import Patience
from generator.deploy.catalog import compare
from generator.deploy.deploy import deploy
from generator.deploy.plan import plan
from generator.operate.status import inspect
from generator.registry import load
from generator.render.objects import render
from tests.support.damages import DAMAGES, Damage
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact, assert_exact_where_covered

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

REGISTRY = load()
RENDERED = render(REGISTRY)


DO = {"OUTDATED": "replace", "MISSING": "create", "DISABLED": "enable", "ORPHANED": "drop"}


def stale(session: Session) -> dict[str, str]:
    return {str(one): one.status for one in compare(session, RENDERED) if one.status != "CURRENT"}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_was_changed_by_hand_is_seen_and_healed(
    damage: Damage, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute(damage.statement)
    assert stale(session) == damage.seen
    planned = plan(database, REGISTRY, Patience())
    done = deploy(database, REGISTRY)
    assert planned.changes.described == done.changes
    assert sorted(done.changes) == sorted(
        f"{DO[status]} {name}" for name, status in damage.seen.items()
    )
    assert stale(session) == {}
    assert inspect(session, REGISTRY).is_current
    mix(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)


def test_days_are_not_covered_on_which_a_changed_trigger_function_was_at_work(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute(DAMAGES["the body of a trigger function"].statement)
    mix(session)
    deploy(database, REGISTRY)
    assert_exact_where_covered(session)


def test_looking_needs_no_right_to_write(database: str, connect: Connect) -> None:
    session = connect(database, options="-c default_transaction_read_only=on")
    assert inspect(session, REGISTRY).is_current


def test_grants_on_what_is_replaced_are_kept(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute("GRANT SELECT ON rollup.current_members TO pg_monitor")
    session.execute("GRANT EXECUTE ON FUNCTION rollup.fold TO pg_monitor")
    for name in ("the body of a function", "a view's query"):
        session.execute(DAMAGES[name].statement)
    deploy(database, REGISTRY)
    granted = session.execute(
        "SELECT has_table_privilege('pg_monitor', 'rollup.current_members', 'SELECT'),"
        " has_function_privilege('pg_monitor', 'rollup.fold(bigint)', 'EXECUTE')"
    )
    assert granted.fetchone() == (True, True)


def test_a_view_of_the_users_that_is_in_the_way_is_named_and_nothing_has_changed(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(DAMAGES["a view's columns"].statement)
    session.execute("CREATE VIEW public.dashboard AS SELECT * FROM rollup.current_rollups")
    session.execute(DAMAGES["the body of a function"].statement)
    before = stale(session)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="current_rollups") as error:
        deploy(database, REGISTRY)
    assert "view public.dashboard" in (error.value.diag.message_detail or "")
    assert stale(session) == before
