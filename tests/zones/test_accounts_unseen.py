"""Accounts that change unseen, are switched off or are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.registry import load
from tests.support.command import fail, run, succeed
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.waiting import waiting

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

ADD = "INSERT INTO public.accounts (id, name, settings) VALUES (%s, 'a', %s::jsonb)"
BERLIN = '{"reporting_timezone": "Europe/Berlin"}'
TOKYO = '{"reporting_timezone": "Asia/Tokyo"}'
STATES = "SELECT s.account_id, s.state FROM rollup.status s ORDER BY 1"


def states(session: Session) -> dict[int, str]:
    return dict(session.execute(STATES).fetchall())


def zone(session: Session, account_id: int) -> str | None:
    query = "SELECT a.timezone FROM rollup.accounts a WHERE a.account_id = %s"
    [found] = session.execute(query, (account_id,)).fetchone() or (None,)
    return found


def test_a_truncate_of_the_accounts_is_followed_like_a_delete(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(ADD, (1, BERLIN))
    session.execute("SELECT rollup.rebuild(1)")
    session.execute("TRUNCATE public.accounts")
    assert states(session) == {1: "switched off, not yet removed"}
    session.execute("INSERT INTO public.accounts (id, name) VALUES (1, 'a')")
    session.execute("CALL rollup.backfill()")
    assert states(session) == {1: "off"}


def test_a_truncate_of_the_accounts_waits_for_no_transaction(
    database: str, connect: Connect
) -> None:
    session, other = connect(database), connect(database, autocommit=False)
    session.execute(ADD, (1, BERLIN))
    other.execute("SELECT FROM rollup.accounts FOR UPDATE")
    session.execute("SET lock_timeout = '1ms'")
    session.execute("TRUNCATE public.accounts")
    other.rollback()
    session.execute("CALL rollup.backfill()")
    assert states(session) == {1: "off"}


UNSEEN = {
    "on a replica": (
        "SET session_replication_role = replica",
        "SET session_replication_role = origin",
    ),
    "while triggers are off": (
        "ALTER TABLE public.accounts DISABLE TRIGGER USER",
        "ALTER TABLE public.accounts ENABLE TRIGGER USER",
    ),
}


@pytest.mark.parametrize("how", UNSEEN)
def test_what_changed_unseen_is_told_and_taken_over(
    how: str, database: str, connect: Connect
) -> None:
    session = connect(database)
    before, after = UNSEEN[how]
    session.execute(ADD, (1, BERLIN))
    session.execute(ADD, (2, BERLIN))
    mix(session)
    session.execute("SELECT rollup.rebuild()")
    session.execute(before)
    session.execute("UPDATE public.accounts SET settings = %s::jsonb WHERE id = 1", (TOKYO,))
    session.execute("DELETE FROM public.accounts WHERE id = 2")
    session.execute(ADD, (3, TOKYO))
    session.execute(after)
    unseen = "time zone changed in the application, not yet taken over"
    assert states(session) == {1: unseen, 2: unseen, 3: unseen}
    assert run("status", "--exit-code", on=database).exit_code in (2, 3)
    told = run("verify", on=database)
    assert told.exit_code != 0
    assert f"account 1: {unseen}" in told.stderr
    succeed("backfill", "--yes", on=database)
    assert states(session) == {1: "covered", 2: "off", 3: "covered"}
    assert (zone(session, 1), zone(session, 3)) == ("Asia/Tokyo", "Asia/Tokyo")
    succeed("verify", on=database)
    assert_exact(session)


def test_totals_that_were_restored_unseen_survive_a_rebuild(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(ADD, (1, BERLIN))
    write(session)
    kept = session.execute("TABLE public.reporting_events_rollups").fetchall()
    assert kept
    session.execute("SET session_replication_role = replica")
    session.execute("DELETE FROM rollup.accounts")
    session.execute("SET session_replication_role = origin")
    assert session.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert session.execute("TABLE public.reporting_events_rollups").fetchall() == kept
    assert_exact(session)


def test_a_subscriber_with_events_and_accounts_alone_counts_by_a_rebuild(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("SET session_replication_role = replica")  # as its apply worker
    session.execute(ADD, (1, BERLIN))
    mix(session)
    session.execute("SET session_replication_role = origin")
    assert states(session) == {1: "time zone changed in the application, not yet taken over"}
    session.execute("SELECT rollup.rebuild()")
    assert states(session) == {1: "covered"}
    assert_exact(session)


def test_a_changer_of_zones_does_not_deadlock_a_writer_of_accounts(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("INSERT INTO public.accounts (id, name) VALUES (1, 'a'), (2257, 'b')")
    writer = connect(database, autocommit=False)
    changer = connect(database, autocommit=False)
    changer.execute("UPDATE public.accounts SET name = 'c' WHERE id = 1")
    writer.execute(ADD, (2001, BERLIN))  # the same lock as 2257, because they share their low bits
    changer.execute("SELECT rollup.set_timezone(2257, 'Asia/Tokyo')")
    with waiting(session, writer, "UPDATE public.accounts SET name = 'd' WHERE id = 1"):
        changer.commit()
    writer.commit()
    session.execute("CALL rollup.backfill()")
    assert zone(session, 2257) == "Asia/Tokyo"
    assert states(session) == {2001: "covered", 2257: "covered"}


def test_a_changer_of_zones_waits_for_no_row(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    mix(session)
    other = connect(database, autocommit=False)
    other.execute("SELECT FROM rollup.accounts a WHERE a.account_id = 1 FOR UPDATE")
    session.execute("SET lock_timeout = '1ms'")
    session.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    session.execute("SELECT rollup.set_timezone(1, 'Pacific/Apia')")
    covered = "SELECT v.covered::text FROM rollup.coverage v WHERE v.account_id = 1"
    assert session.execute(covered).fetchone() == ("{}",)
    assert_exact(session)
    other.rollback()
    session.execute("SELECT rollup.fold()")
    assert zone(session, 1) == "Asia/Kolkata"
    session.execute("CALL rollup.backfill()")
    assert zone(session, 1) == "Pacific/Apia"
    assert_exact(session)


def test_a_zone_can_be_set_above_read_committed(database: str, connect: Connect) -> None:
    session, other = desk(connect(database)), connect(database, autocommit=False)
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    other.execute("SELECT")
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Berlin')")
    other.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    other.commit()
    session.execute("CALL rollup.backfill()")
    assert zone(session, 1) == "Asia/Tokyo"


NAMES = {
    "Europe/Berlin": "Europe/Berlin",
    "europe/BERLIN": "Europe/Berlin",
    "america/argentina/buenos_aires": "America/Argentina/Buenos_Aires",
    "America/Port-au-Prince": "America/Port-au-Prince",
    "etc/gmt+5": "Etc/GMT+5",
    "utc": "UTC",
    "singapore": "Singapore",
    "Singapore": "Asia/Singapore",  # an alias in the registry
    "Chennai": "Asia/Kolkata",
    "EST": "America/Panama",
    "EST5EDT": "EST5EDT",
    "GMT": "GMT",
    "Mars/Olympus": None,
    "Mars/Olympus3": None,
    "FOO+150": None,
    "<+03>-3": None,
    "3": None,
    "interval '3' hour": None,
    "America": None,
    "America/": None,
    "../etc/passwd": None,
    "/etc/localtime": None,
    "": None,
    "default": None,
    "BST": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_time_zone_is_what_the_server_lists_as_it_spells_it(
    name: str, database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("SET TimeZone TO 'Asia/Tokyo'")
    assert session.execute("SELECT rollup.canonical_timezone(%s)", (name,)).fetchone() == (
        NAMES[name],
    )
    assert session.execute("SHOW TimeZone").fetchone() == ("Asia/Tokyo",)


def test_every_zone_that_the_server_lists_is_known_and_spelled_so(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    wrong = session.execute(
        "SELECT t.name, rollup.canonical_timezone(lower(t.name)) FROM pg_timezone_names t"
        " WHERE t.name ~ '/' AND t.name !~ '[0-9]'"
        " AND lower(rollup.canonical_timezone(lower(t.name))) IS DISTINCT FROM lower(t.name)"
    ).fetchall()
    assert wrong == []


@pytest.mark.parametrize(
    "command",
    [
        ("verify", "--account", "99"),
        ("reads", "99", "on"),
        ("backfill", "--yes", "--account", "99"),
        ("fold", "--account", "99"),
        ("timezone", "99"),
        ("timezone", "99", "Europe/Berlin"),
    ],
)
def test_an_account_that_is_not_there_passes_for_nothing(
    command: tuple[str, ...], database: str, connect: Connect
) -> None:
    desk(connect(database))
    told = fail(*command, on=database)
    assert "unknown account 99" in told
    assert "timezone 99" not in told
    assert 99 not in states(connect(database))


def test_verify_tells_of_an_account_whose_zone_is_not_in_force(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    told = run("verify", "--account", "1", on=database)
    assert told.exit_code != 0
    assert "account 1: time zone changed, not yet rebuilt" in told.stderr


def test_a_backfill_removes_what_was_switched_off(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    mix(session)
    session.execute("SELECT rollup.set_timezone(1, NULL)")
    assert states(session)[1] == "switched off, not yet removed"
    assert "removed" in succeed("backfill", "--yes", on=database)
    assert states(session)[1] == "off"
    left = "SELECT count(*) FROM public.reporting_events_rollups r WHERE r.account_id = 1"
    assert session.execute(left).fetchone() == (0,)
    assert "nothing to do" in succeed("backfill", "--yes", on=database)
    assert_exact(session)


def test_deploy_tells_of_zones_that_the_server_does_not_know(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(ADD, (1, BERLIN))
    session.execute(ADD, (2, '{"reporting_timezone": "Mars/Olympus"}'))
    done = run("deploy", on=reference_database)
    assert "took over the time zones of 1 accounts" in done.stdout
    assert "'Mars/Olympus' of account 2" in done.stderr
    assert deploy(reference_database, load()).changes == ()
