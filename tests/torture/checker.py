"""The oracle, in one snapshot after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.oracle import DIFFERENCES, SHOWN, differences
from tests.torture.events import KEPT
from tests.torture.verdict import DriftError

if TYPE_CHECKING:
    from psycopg import Connection

# A snapshot that is older than a TRUNCATE would see no events: first the lock, then the snapshot.
_BEGIN = b"""
BEGIN ISOLATION LEVEL REPEATABLE READ;
LOCK TABLE public.reporting_events IN ACCESS SHARE MODE
"""
_CLAIMED = """
SELECT count(*)
FROM public.reporting_events e
JOIN rollup.accounts a ON a.account_id = e.account_id
JOIN rollup.coverage v ON v.account_id = e.account_id
WHERE a.account_id = ANY (%s)
OR v.covered @> (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date
"""


def check(connection: Connection[Any], *, everything: bool = False) -> int:
    """Raise DriftError unless the rollups are exact, and tell of how many events.

    That is: of those on the covered days of all accounts, and on all days of the kept ones.
    """
    connection.execute(_BEGIN)
    rows = connection.execute(DIFFERENCES, {"covered": False}).fetchall()
    wrong = [f"{what}: {row}" for what, *row in rows if everything or row[0] in KEPT]
    if rows and not wrong:
        wrong = differences(connection, covered=True)
    [events] = connection.execute(_CLAIMED, (list(KEPT),)).fetchone() or (0,)
    connection.execute("COMMIT")
    if wrong:
        raise DriftError(f"{len(wrong)} differences:\n" + "\n".join(wrong[:SHOWN]))
    return int(events)
