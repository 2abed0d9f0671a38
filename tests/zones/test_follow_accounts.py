"""The time zone that the application keeps in accounts.settings is followed, and never refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import mix, rollups, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

ACCOUNT = "SELECT timezone, wanted FROM rollup.accounts WHERE account_id = 1"
STATE = "SELECT state FROM rollup.status WHERE account_id = 1"
INSERT = "INSERT INTO public.accounts (id, settings) VALUES (1, %s)"
UPDATE = "UPDATE public.accounts SET settings = %s WHERE id = 1"

ROME = '{"reporting_timezone": "Europe/Rome", "other": 1}'
CHENNAI = '{"reporting_timezone": " Chennai "}'

NO_ZONE = [
    None,
    "{}",
    "[]",
    "null",
    '"Europe/Rome"',
    '{"reporting_timezone": null}',
    '{"reporting_timezone": ""}',
    '{"reporting_timezone": "   "}',
]
INVALID = [
    '{"reporting_timezone": "Mars/Olympus3"}',
    '{"reporting_timezone": "+05:30"}',
    '{"reporting_timezone": 5}',
    '{"reporting_timezone": ["Europe/Rome"]}',
    '{"reporting_timezone": {"name": "Europe/Rome"}}',
    '{"reporting_timezone": "\'; DROP SCHEMA rollup CASCADE; --"}',
]


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return connect(database)


def test_a_new_account_has_its_zone_at_once(connection: psycopg.Connection[Any]) -> None:
    with connection.transaction():
        connection.execute(INSERT, (CHENNAI,))
        write(connection)
    assert connection.execute(ACCOUNT).fetchone() == ("Asia/Kolkata", "Asia/Kolkata")
    assert connection.execute(STATE).fetchone() == ("not covered",)
    assert len(rollups(connection)) == 3
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild()")
    assert connection.execute(STATE).fetchone() == ("covered",)


@pytest.mark.parametrize("setting", NO_ZONE)
def test_an_account_without_a_zone_has_no_rollups(
    connection: psycopg.Connection[Any], setting: str | None
) -> None:
    connection.execute(INSERT, (setting,))
    write(connection)
    assert rollups(connection) == []
    connection.execute(UPDATE, (ROME,))
    connection.execute("SELECT rollup.rebuild()")
    assert len(rollups(connection)) == 3
    connection.execute(UPDATE, (setting,))
    assert connection.execute(ACCOUNT).fetchone() == ("Europe/Rome", None)
    assert connection.execute(STATE).fetchone() == ("switched off, not yet removed",)
    write(connection)
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild()")
    assert connection.execute(STATE).fetchone() == ("off",)
    assert rollups(connection) == []
    assert_exact(connection)


@pytest.mark.parametrize("setting", INVALID)
def test_an_invalid_zone_is_saved_switches_the_account_off_and_shows_in_the_status(
    connection: psycopg.Connection[Any], setting: str
) -> None:
    connection.execute(INSERT, (setting,))
    write(connection)
    assert rollups(connection) == []
    assert connection.execute(STATE).fetchone() == ("time zone not known",)
    connection.execute(UPDATE, (ROME,))
    write(connection)
    connection.execute(UPDATE, (setting,))
    saved = "SELECT count(*) FROM public.accounts WHERE settings = %s::jsonb"
    assert connection.execute(saved, (setting,)).fetchone() == (1,)
    assert connection.execute(STATE).fetchone() == ("time zone not known",)
    write(connection)
    connection.execute("SELECT rollup.rebuild()")
    assert rollups(connection) == []
    assert connection.execute(STATE).fetchone() == ("time zone not known",)
    assert_exact(connection)


def test_a_change_of_the_setting_voids_the_coverage_and_waits_for_a_rebuild(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    mix(connection)
    connection.execute("SELECT rollup.rebuild()")
    connection.execute(UPDATE, (CHENNAI,))
    assert connection.execute(ACCOUNT).fetchone() == ("Europe/Rome", "Asia/Kolkata")
    assert connection.execute(STATE).fetchone() == ("time zone changed, not yet rebuilt",)
    mix(connection)
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild()")
    assert connection.execute(STATE).fetchone() == ("covered",)
    assert_exact(connection)


def test_an_update_that_leaves_the_zone_as_it_was_changes_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    connection.execute("SELECT rollup.rebuild()")
    version = "SELECT a.xmin::text, a::text FROM rollup.accounts a"
    before = connection.execute(version).fetchall()
    connection.execute("UPDATE public.accounts SET name = 'new'")
    connection.execute("UPDATE public.accounts SET settings = settings || '{\"other\": 2}'")
    assert connection.execute(version).fetchall() == before
    assert_exact(connection)


def test_a_zone_set_by_hand_stays_until_the_application_changes_its_own(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    connection.execute("SELECT rollup.set_timezone(1, 'UTC'), rollup.rebuild()")
    connection.execute("UPDATE public.accounts SET settings = settings || '{\"other\": 2}'")
    connection.execute("SELECT rollup.follow_accounts()")
    assert connection.execute(ACCOUNT).fetchone() == ("UTC", "UTC")
    connection.execute(UPDATE, (CHENNAI,))
    assert connection.execute(ACCOUNT).fetchone() == ("UTC", "Asia/Kolkata")
    assert_exact(connection)


def test_an_account_switched_off_by_hand_is_off_and_its_setting_is_not_blamed(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    connection.execute("SELECT rollup.set_timezone(1, NULL)")
    assert connection.execute(STATE).fetchone() == ("switched off, not yet removed",)
    connection.execute("SELECT rollup.rebuild()")
    assert connection.execute(STATE).fetchone() == ("off",)
    assert_exact(connection)


def test_an_account_that_is_deleted_with_its_events_leaves_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    mix(connection)
    with connection.transaction():
        connection.execute("DELETE FROM public.accounts WHERE id = 1")
        connection.execute("DELETE FROM public.reporting_events WHERE account_id = 1")
    assert connection.execute(ACCOUNT).fetchone() == ("Europe/Rome", None)
    assert rollups(connection) == []
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild()")
    assert connection.execute(ACCOUNT).fetchone() == (None, None)
    assert_exact(connection)


def test_an_account_that_changes_its_id_takes_its_zone_along(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    connection.execute("UPDATE public.accounts SET id = 2")
    zones = "SELECT account_id, wanted FROM rollup.accounts ORDER BY account_id"
    assert connection.execute(zones).fetchall() == [(1, None), (2, "Europe/Rome")]
    mix(connection)
    assert_exact(connection)


def test_a_rollback_of_the_setting_is_a_rollback_of_the_zone(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(INSERT, (ROME,))
    connection.execute("SELECT rollup.rebuild()")
    with connection.transaction(force_rollback=True):
        connection.execute(UPDATE, (CHENNAI,))
    assert connection.execute(STATE).fetchone() == ("covered",)
    assert connection.execute(ACCOUNT).fetchone() == ("Europe/Rome", "Europe/Rome")
    assert_exact(connection)
