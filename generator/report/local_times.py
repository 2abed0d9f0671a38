"""What local clocks show at a moment, by the time zones of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from generator.database.connection import Connection

_LOCAL = "SELECT %(moment)s::timestamptz AT TIME ZONE %(zone)s"

_TWICE = """
SELECT DISTINCT m.moment
FROM unnest(%(moments)s::timestamptz[]) m (moment)
CROSS JOIN (VALUES (interval '-26 hours'), (interval '26 hours')) s (shift)
CROSS JOIN LATERAL (
    SELECT
        m.moment AT TIME ZONE %(zone)s AS local,
        m.moment
        + (m.moment AT TIME ZONE %(zone)s - m.moment AT TIME ZONE 'UTC')
        - ((m.moment + s.shift) AT TIME ZONE %(zone)s - (m.moment + s.shift) AT TIME ZONE 'UTC')
        AS other
) o
WHERE o.other <> m.moment
AND o.other AT TIME ZONE %(zone)s = o.local
"""
"""Clocks go back by 24 hours at the most, as at the date line; another moment with the same local
time is found by the offset from UTC of a day before or after."""


def offsets(
    session: Connection, zone: str, times: Iterable[tuple[datetime | str, datetime | str]]
) -> list[str]:
    """Give, for each moment and its local time, the offset where clocks show that time twice.

    Nothing is given for other times, nor where Python has not the time.
    """
    times = list(times)
    moments = [moment for moment, _ in times if isinstance(moment, datetime)]
    twice = {row[0] for row in session.execute(_TWICE, {"moments": moments, "zone": zone})}
    return [
        offset(local, moment)
        if moment in twice and isinstance(moment, datetime) and isinstance(local, datetime)
        else ""
        for moment, local in times
    ]


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
