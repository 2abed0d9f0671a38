"""The state of a database as exit codes, numbers and digests, for programs that watch it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from generator import __version__
from generator.operate.metrics import exposition
from generator.registry import load
from tests.support.command import run, succeed
from tests.support.events import ZONES, desk, mix, write

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
PREFIX = "reporting_rollups_"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with accounts and events, all of it covered."""
    session = desk(connect(database))
    mix(session)
    return session


def numbers(dsn: str, *options: str) -> dict[tuple[str, str], float]:
    """Read what is exposed: by name, without its prefix, and by the values of its labels."""
    text = succeed("status", "--openmetrics", *options, on=dsn)
    return {
        (sample.name.removeprefix(PREFIX), " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def exit_code(dsn: str, *options: str) -> int:
    return run("status", "--exit-code", *options, on=dsn).exit_code


def test_the_exit_code_tells_whether_all_is_in_order(session: Session, database: str) -> None:
    assert exit_code(database) == 0
    session.execute("SELECT rollup.set_timezone(8, 'Asia/Tokyo')")
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 2")
    assert exit_code(database) == 2
    assert exit_code(database, "--json") == exit_code(database, "--openmetrics") == 2
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    assert exit_code(database) == 2
    assert run("status", on=database).exit_code == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("DROP VIEW rollup.status", 2),
        ("CREATE VIEW rollup.own AS SELECT 1", 2),
        ("ALTER TABLE rollup.pending_events DROP COLUMN agent CASCADE", 2),
        ("UPDATE rollup.deployments SET registry_digest = 'another'", 2),
        ("UPDATE rollup.accounts SET covered = '{[2026-01-01,)}' WHERE account_id = 1", 2),
        ("UPDATE rollup.accounts SET timezone = 'Mars', wanted = 'Mars' WHERE account_id = 1", 2),
        ("UPDATE rollup.accounts SET wanted = NULL WHERE account_id = 1", 2),
        (
            "INSERT INTO public.accounts (id, settings)"
            ' VALUES (9, \'{"reporting_timezone": "Mars"}\')',
            2,
        ),
        ("INSERT INTO rollup.accounts (account_id) VALUES (9)", 0),
    ],
)
def test_each_thing_to_be_done_has_its_exit_code(
    change: str, code: int, session: Session, database: str
) -> None:
    session.execute(change)
    assert exit_code(database) == code


def test_where_nothing_is_deployed_the_exit_code_and_the_numbers_say_so(
    reference_database: str,
) -> None:
    assert exit_code(reference_database) == 2
    found = numbers(reference_database)
    assert found["is_current", ""] == 0
    assert (
        found["objects", "MISSING"]
        == len(json.loads(run("status", "--json", on=reference_database).stdout)["objects"]) + 3
    )
    assert {name for name, _ in found} == {"is_current", "objects"}


def test_numbers_are_those_of_status(session: Session, database: str) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 2")
    session.execute("CREATE VIEW rollup.own AS SELECT 1")
    session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    for _ in range(3):
        write(session, account_id=1)
    session.execute("COMMIT; DELETE FROM rollup.pending_events WHERE id % 3 = 1")
    found = numbers(database)
    [(pending, ids)] = session.execute(
        "SELECT count(*), max(id) - min(id) + 1 FROM rollup.pending_events"
    ).fetchall()
    assert found["info", f"{REGISTRY.digest} {__version__}"] == 1
    assert found["is_current", ""] == 0
    assert (found["objects", "ORPHANED"], found["objects", "MISSING"]) == (1, 0)
    assert (found["accounts", "covered"], found["accounts", "not covered"]) == (2, 1)
    assert found["uncovered_accounts", ""] == 1
    assert (found["pending_events", ""], found["pending_ids", ""]) == (pending, ids)
    [deployed] = session.execute(
        "SELECT extract(epoch FROM d.deployed_at)::double precision FROM rollup.deployments d"
    ).fetchone() or (0,)
    assert found["deployed_timestamp_seconds", ""] == pytest.approx(deployed)


def test_accounts_are_told_apart_where_that_is_asked_for(session: Session, database: str) -> None:
    assert not any("account_" in name for name, _ in numbers(database))
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 2")
    found = numbers(database, "--per-account")
    covered = {account: found["account_is_covered", str(account)] for account in ZONES}
    assert covered == {1: 1, 2: 0, 3: 1}
    assert found["account_pending_events", "1"] == 0


def test_every_family_has_a_type_a_help_and_ends_the_text(session: Session, database: str) -> None:
    text = succeed("status", "--openmetrics", "--per-account", on=database)
    assert text.endswith("\n# EOF\n")
    families = list(text_string_to_metric_families(text))
    assert len(families) == 10
    for family in families:
        assert family.documentation
        assert family.type in ("gauge", "info")


def test_what_labels_and_help_hold_is_escaped() -> None:
    odd = 'a "quoted" \\ back\\slash,\nand a line = {1}'
    family = GaugeMetricFamily("odd", odd, labels=["one", "two"])
    family.add_metric([odd, ""], 0.5)
    [read] = text_string_to_metric_families(exposition([family]).decode())
    [sample] = read.samples
    assert (sample.name, sample.value) == ("odd", 0.5)
    assert sample.labels == {"one": odd, "two": ""}
    assert read.documentation == odd


def test_json_has_both_registries_and_what_is_pending(session: Session, database: str) -> None:
    session.execute("UPDATE rollup.deployments SET registry_digest = 'another'")
    state = json.loads(succeed("status", "--json", on=database))
    assert state["registry"] == {"deployed": "another", "given": REGISTRY.digest}
    assert state["pending_events"] == 0


def test_what_is_pending_in_all_is_told(session: Session, database: str) -> None:
    assert "pending in all" not in succeed("status", on=database)
    session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    write(session, account_id=1)
    write(session, account_id=77)
    session.execute("COMMIT")
    assert succeed("status", on=database).endswith("\npending in all: 2\n")
