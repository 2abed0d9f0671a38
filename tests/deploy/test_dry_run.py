"""What `deploy --dry-run` prints, run by psql, is what a deployment does."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.patience import Patience
from generator.deploy.deploy import Deployment, deploy
from generator.deploy.dry_run import dry_run
from generator.operate.status import inspect
from generator.registry import load
from tests.support import programs
from tests.support.command import fail, succeed
from tests.support.damages import DAMAGES
from tests.support.events import desk, mix
from tests.support.foreign import ODD_NAMES
from tests.support.layouts import COLUMNS, KEY, PARTITIONED, ROWS
from tests.support.oracle import assert_exact, assert_exact_where_covered

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

REGISTRY = load()
OLD = dataclasses.replace(
    REGISTRY, measures=REGISTRY.measures[:1], events=REGISTRY.events[1:], reports=()
)
NOTHING = Deployment()

SETTINGS = '{"reporting_timezone": "Asia/Tokyo"}'

HARD = (
    "the parameters' names",
    "a function in a procedure's place",
    "two overloads",
    "a view's columns",
    "a view of their own on a function of their own",
    "a function of their own on a view of their own",
    "a type has another order",
    "a type is gone",
    "a trigger calls another function",
    "a trigger has another name",
)
"""Damages after which something has to be dropped, altered or put into order."""

RECORDS = """
SELECT
    d.version,
    d.registry_digest,
    d.counting,
    d.changes,
    d.definitions
FROM rollup.deployments d
ORDER BY d.id
"""

MIGRATIONS = "SELECT m.migration_hash, m.migration_id FROM rollup._yoyo_migration m"


def schema(dsn: str, session: Session, folder: Path) -> list[str]:
    """Dump the schema of a database, without what pg_dump makes up anew each time."""
    dumped = programs.find(session).dump(dsn, folder / "schema.sql", "--schema-only")
    lines = dumped.read_text().splitlines()
    return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_psql_makes_of_it_what_a_deployment_makes(
    database: str, reference_database: str, connect: Connect, tmp_path: Path
) -> None:
    deployed, other = connect(database), connect(reference_database)
    file = tmp_path / "deploy.sql"
    file.write_text(succeed("deploy", "--dry-run", on=reference_database))
    assert other.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)
    psql = programs.find(other)
    assert psql.restore(file, reference_database, "-v", "ON_ERROR_STOP=1") == []
    assert schema(reference_database, other, tmp_path) == schema(database, deployed, tmp_path)
    for query in (RECORDS, MIGRATIONS):
        assert other.execute(query).fetchall() == deployed.execute(query).fetchall()
    assert deploy(reference_database, REGISTRY) == NOTHING
    mix(desk(other))
    assert_exact(other)


@pytest.mark.parametrize("state", ["an adopted table", "partitions", "another registry", "all"])
def test_what_is_printed_brings_every_state_up_to_date(
    state: str, reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute("INSERT INTO public.accounts (id, settings) VALUES (7, %s)", (SETTINGS,))
    if state == "an adopted table":
        session.execute(COLUMNS.replace("timestamp(6)", "timestamptz") + KEY + ROWS)
    if state == "partitions":
        session.execute(PARTITIONED)
    if state in ("another registry", "all"):
        deploy(reference_database, OLD if state == "another registry" else REGISTRY)
        mix(desk(session))
    session.execute(dry_run(reference_database, REGISTRY, Patience()).encode())
    assert inspect(session, REGISTRY).is_current
    assert deploy(reference_database, REGISTRY).changes == ()
    followed = "SELECT a.wanted FROM rollup.accounts a WHERE a.account_id = 7"
    assert session.execute(followed).fetchone() == ("Asia/Tokyo",)
    assert_exact_where_covered(session)


def test_psql_understands_names_of_every_kind(
    empty_database: str, connect: Connect, tmp_path: Path
) -> None:
    session = connect(empty_database)
    ODD_NAMES.create(session)
    file = tmp_path / "deploy.sql"
    file.write_text(dry_run(empty_database, ODD_NAMES.registry, Patience()), "utf-8")
    psql = programs.find(session)
    assert psql.restore(file, empty_database, "-v", "ON_ERROR_STOP=1") == []
    assert deploy(empty_database, ODD_NAMES.registry) == NOTHING


@pytest.mark.parametrize("name", HARD)
def test_what_is_printed_heals_what_was_changed_by_hand(
    name: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    session.execute(DAMAGES[name].statement)
    session.execute(dry_run(database, REGISTRY, Patience()).encode())
    assert inspect(session, REGISTRY).is_current
    assert deploy(database, REGISTRY) == NOTHING
    session.execute("SELECT rollup.rebuild()")
    mix(session)
    assert_exact(session)


def test_every_transaction_waits_no_longer_than_it_is_told_to(reference_database: str) -> None:
    printed = dry_run(reference_database, REGISTRY, Patience(lock_timeout=0.25))
    opened = re.findall(
        r"^BEGIN ISOLATION LEVEL READ COMMITTED;\nSET LOCAL lock_timeout = '250ms';\n",
        printed,
        re.MULTILINE,
    )
    assert len(opened) == len(re.findall(r"^COMMIT;$", printed, re.MULTILINE)) > 3


def test_it_says_which_locks_are_waited_for(reference_database: str) -> None:
    printed = dry_run(reference_database, REGISTRY, Patience())
    assert (
        "-- May wait for SHARE ROW EXCLUSIVE on public.reporting_events: its triggers change.\n"
        "LOCK TABLE ONLY public.reporting_events IN SHARE ROW EXCLUSIVE MODE;\n"
    ) in printed


def test_the_type_of_events_changes_behind_the_lock_on_their_table(database: str) -> None:
    """A writer that has to look it up would wait for the deployment, and that for the writer."""
    printed = dry_run(database, OLD, Patience())
    changed = printed.index("ALTER TYPE rollup.event\n")
    assert printed.index("LOCK TABLE ONLY public.reporting_events IN") < changed


def test_what_deploy_would_refuse_is_the_same_error(empty_database: str) -> None:
    assert fail("deploy", "--dry-run", on=empty_database) == fail("deploy", on=empty_database)
