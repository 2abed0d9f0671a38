"""What several commands say of an account that has no time zone."""

from __future__ import annotations

from typing import NoReturn

from generator.cli.console import fail


def fail_without_zone(account_id: int) -> NoReturn:
    """Print that an account takes no part, and how it would, and exit with 1."""
    fail(
        f"account {account_id} has no time zone",
        f"give it one: python -m generator timezone {account_id} Europe/Berlin",
    )
