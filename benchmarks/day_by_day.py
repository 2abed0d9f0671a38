"""Chatwoot's backfill, as its client does it: account by account, and day by day.

For each day of an account it asks for the totals by each dimension, and in one transaction deletes
what is there and inserts them; from the day of the account's first event to yesterday.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.statements import named
from generator.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from generator.database.connection import Connection

METRICS = {
    "conversation_resolved": (("resolutions_count", False), ("resolution_time", True)),
    "first_response": (("first_response", True),),
    "reply_time": (("reply_time", True),),
    "conversation_bot_resolved": (("bot_resolutions_count", False),),
    "conversation_bot_handoff": (("bot_handoffs_count", False),),
}
"""Of each event, with whether a metric also adds durations."""

_DAYS = """
SELECT
    z.account_id,
    z.timezone,
    d.date::date
FROM public.account_zones z
CROSS JOIN LATERAL generate_series(
    (
        SELECT (min(e.created_at) AT TIME ZONE 'UTC' AT TIME ZONE z.timezone)::date::timestamp
        FROM public.reporting_events e
        WHERE e.account_id = z.account_id
    ),
    (now() AT TIME ZONE z.timezone)::date - 1,
    interval '1 day'
) d (date)
ORDER BY
    z.account_id,
    d.date
"""

_TOTALS = named("reference-day")

_DELETE = "DELETE FROM public.reporting_events_rollups WHERE account_id = %s AND date = %s"

_INSERT = """
INSERT INTO public.reporting_events_rollups (
    account_id, date, dimension_type, dimension_id, metric,
    count, sum_value, sum_value_business_hours, created_at, updated_at
)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
"""


def fill(dsn: str) -> float:
    """Fill in the days of all accounts; return the seconds that it takes."""
    with connect(dsn) as session:
        session.execute("TRUNCATE public.reporting_events_rollups")
        start = perf_counter()
        for account_id, timezone, day in session.execute(_DAYS).fetchall():
            with session.transaction():
                rows = list(_rows(session, account_id, timezone, day))
                session.execute(_DELETE, (account_id, day))
                if rows:
                    session.cursor().executemany(_INSERT, rows)
        return perf_counter() - start


def _rows(
    session: Connection, account_id: int, timezone: str, day: date
) -> Iterator[tuple[Any, ...]]:
    for dimension in ("account", "agent", "inbox"):
        totals = session.execute(
            _TOTALS,
            {"account_id": account_id, "timezone": timezone, "date": day, "dimension": dimension},
        )
        for dimension_id, name, count, seconds, business_seconds in totals:
            for metric, is_duration in METRICS[name]:
                sums = (seconds, business_seconds) if is_duration else (0, 0)
                yield account_id, day, dimension, dimension_id, metric, count, *sums
