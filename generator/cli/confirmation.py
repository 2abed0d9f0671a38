"""Asking before a repair deletes totals of which no event is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.cli.console import fail, note
from generator.cli.questions import can_ask, require_confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.operate.losses import Loss

SHOWN = 20
"""How many accounts are named."""


def confirm_losses(losses: Sequence[Loss], *, yes: bool) -> None:
    """Name the days of which all totals would go, and ask; without a terminal, refuse."""
    if not losses:
        return
    for one in losses[:SHOWN]:
        note(
            f"account {one.account_id}: no events are left on {one.days} days "
            f"from {one.first} to {one.last}, all their totals would be deleted"
        )
    if len(losses) > SHOWN:
        note(f"and {len(losses) - SHOWN} more accounts")
    if yes:
        return
    if not can_ask():
        fail(
            f"the repair would delete all totals of {sum(one.days for one in losses)} account-days",
            "nothing has been changed; if these events were to go, totals included, say --yes",
        )
    require_confirmation("Delete these totals?")
