"""What several commands say of an account that is not known, or has no time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from generator.cli.console import fail

if TYPE_CHECKING:
    from generator.database.connection import Connection

_REQUIRE_KNOWN = "SELECT rollup.require_known(%s)"

_REQUIRE_THERE = f"{_REQUIRE_KNOWN} WHERE to_regproc('rollup.follow_accounts') IS NOT NULL"
"""Where the application keeps no accounts, one may get its zone before its first event."""


def require_there(session: Connection, account_id: int) -> None:
    """Let the database refuse an account that the application does not have."""
    session.execute(_REQUIRE_THERE, (account_id,))


def fail_without_zone(session: Connection, account_id: int) -> NoReturn:
    """Print that an account is not known, or takes no part and how it would, and exit with 1."""
    session.execute(_REQUIRE_KNOWN, (account_id,))
    fail(
        f"account {account_id} has no time zone",
        f"give it one: python -m generator timezone {account_id} Europe/Berlin",
    )
