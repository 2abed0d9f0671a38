"""What the demo asks the database: from rollups and, to compare, from raw events."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import isclose
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import TypeAlias

    from generator.database.connection import Connection

    Days: TypeAlias = dict[tuple[date, str], tuple[int, float | None]]

RUNS = 11

# A row per day and metric: count, and average of the values that are not NULL.
_DAYS = """
SELECT
    r.date,
    r.metric,
    r.count,
    r.sum_value / nullif(r.value_count, 0)
FROM rollup.current_rollups r
WHERE r.account_id = %(account)s
AND r.dimension_type = 'account'
AND r.dimension_id = %(account)s
AND r.date >= %(since)s
AND r.date < %(until)s
"""

_WEEKS = """
SELECT
    (r.date - %(since)s::date) / 7,
    sum(r.count)::bigint
FROM rollup.current_rollups r
WHERE r.account_id = %(account)s
AND r.dimension_type = 'account'
AND r.dimension_id = %(account)s
AND r.metric = 'resolutions_count'
AND r.date >= %(since)s
AND r.date < %(until)s
GROUP BY 1
"""

_AGENTS = """
SELECT
    r.dimension_id,
    sum(r.count) FILTER (WHERE r.metric = 'resolutions_count')::bigint AS resolutions,
    sum(r.sum_value) FILTER (WHERE r.metric = 'first_response')
        / nullif(sum(r.value_count) FILTER (WHERE r.metric = 'first_response'), 0)
FROM rollup.current_rollups r
WHERE r.account_id = %(account)s
AND r.dimension_type = 'agent'
AND r.metric IN ('resolutions_count', 'first_response')
AND r.date >= %(since)s
AND r.date < %(until)s
GROUP BY r.dimension_id
HAVING sum(r.count) FILTER (WHERE r.metric = 'resolutions_count') > 0
ORDER BY
    resolutions DESC,
    r.dimension_id
LIMIT %(limit)s
"""

# The year by day, twice: resolutions, and the average time to the first response.
FROM_ROLLUPS = """
SELECT
    r.date,
    coalesce(sum(r.count) FILTER (WHERE r.metric = 'resolutions_count'), 0)::bigint,
    sum(r.sum_value) FILTER (WHERE r.metric = 'first_response')
        / nullif(sum(r.value_count) FILTER (WHERE r.metric = 'first_response'), 0)
FROM rollup.current_rollups r
WHERE r.account_id = %(account)s
AND r.dimension_type = 'account'
AND r.dimension_id = %(account)s
AND r.metric IN ('resolutions_count', 'first_response')
AND r.date >= %(since)s
AND r.date < %(until)s
GROUP BY r.date
ORDER BY r.date
"""

FROM_EVENTS = """
SELECT
    (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS date,
    count(*) FILTER (WHERE e.name = 'conversation_resolved'),
    avg(e.value) FILTER (WHERE e.name = 'first_response')
FROM public.reporting_events e
WHERE e.account_id = %(account)s
AND e.name IN ('conversation_resolved', 'first_response')
AND e.created_at >= %(since)s::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
AND e.created_at < %(until)s::timestamp AT TIME ZONE %(zone)s AT TIME ZONE 'UTC'
GROUP BY 1
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of a question, and the median of the seconds that it took, several times."""

    rows: list[tuple[Any, ...]]
    seconds: float


def ask(session: Connection, question: str, values: Mapping[str, Any]) -> Answer:
    """Ask once to warm up, and then several times by the clock, prepared as applications do."""
    rows = session.execute(question, values, prepare=True).fetchall()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        session.execute(question, values, prepare=True).fetchall()
        times.append(time.perf_counter() - start)
    return Answer(rows=rows, seconds=median(times))


def equal(one: Answer, other: Answer) -> bool:
    """Tell whether two answers say the same: averages but for rounding, which order decides."""
    return len(one.rows) == len(other.rows) and all(
        mine[:2] == theirs[:2] and _close(mine[2], theirs[2])
        for mine, theirs in zip(one.rows, other.rows, strict=True)
    )


def days(session: Connection, account: int, since: date, until: date) -> Days:
    """Read the count and the average of each metric of an account on each day."""
    values = {"account": account, "since": since, "until": until}
    return {
        (day, metric): (count, average)
        for day, metric, count, average in session.execute(_DAYS, values)
    }


def weeks(session: Connection, account: int, since: date, until: date) -> list[int]:
    """Read an account's resolutions in each week from `since` on, up to `until`."""
    values = {"account": account, "since": since, "until": until}
    found = dict(session.execute(_WEEKS, values).fetchall())
    return [found.get(week, 0) for week in range((until - since).days // 7)]


def agents(
    session: Connection, account: int, since: date, until: date, limit: int
) -> list[tuple[int, int, float | None]]:
    """Read the agents with most resolutions: id, resolutions, average time to first response."""
    values = {"account": account, "since": since, "until": until, "limit": limit}
    return session.execute(_AGENTS, values).fetchall()


def _close(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and isclose(one, other))
