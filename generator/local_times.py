"""What local clocks show at a moment, by the time zones of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from generator.database import Connection

_LOCAL = "SELECT %(moment)s::timestamptz AT TIME ZONE %(zone)s"


def with_offset(session: Connection, zone: str, moment: date | datetime) -> str:
    """Write the local time of a moment, to the second: `2026-03-01 14:05:09+01:00`."""
    [local] = session.execute(_LOCAL, {"moment": moment, "zone": zone}).fetchone() or ("",)
    if isinstance(local, str) or not isinstance(moment, datetime):
        return str(local or moment)
    return f"{local:%Y-%m-%d %H:%M:%S}{offset(local, moment)}"


def offset(local: datetime, moment: datetime) -> str:
    """Write how far a local time is ahead of UTC at its moment: `+02:00`."""
    ahead = timezone(local.replace(tzinfo=UTC) - moment)
    return local.replace(tzinfo=ahead, microsecond=0).isoformat()[19:]
