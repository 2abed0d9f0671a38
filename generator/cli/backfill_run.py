"""Working off the chunks of a backfill, with progress, and saying what has become of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from generator.cli.backfill_plan import described, named
from generator.cli.codes import Terminated, code_of
from generator.cli.console import fail, say
from generator.cli.progress import Progress
from generator.database.connection import connect
from generator.operate import backfill as filling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.database.connection import Connection
    from generator.operate.backfill import Chunk, Done

GO_ON = "run the same command again to go on"

_ACCOUNTS = """
SELECT s.account_id, s.wanted, s.state
FROM rollup.status s
WHERE s.wanted IS NOT NULL
OR s.timezone IS NOT NULL
ORDER BY s.account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a backfill has done; the names are those of its JSON.

    `uncovered` are accounts whose time zone another session is changing.
    """

    accounts: int = 0
    events: int = 0
    chunks: int = 0
    rows_changed: int = 0
    seconds: float = 0.0
    uncovered: tuple[int, ...] = ()


def accounts_of(session: Connection) -> list[tuple[int, str | None, str]]:
    """List the accounts that take part or did: their id, time zone and state."""
    return session.execute(_ACCOUNTS).fetchall()


def zones_of(session: Connection) -> dict[int, str]:
    """Give the time zone of every account that takes part or did."""
    return {account: zone or "off, removed" for account, zone, _ in accounts_of(session)}


def work_off(dsn: str, account_id: int | None = None, *, tell: Callable[[str], None] = say) -> None:
    """Backfill an account, or every one, without asking; `tell` prints what was done."""
    with connect(dsn) as session:
        filling.settle(session)
        chunks = filling.plan(session, account_id)
        if chunks:
            tell_outcome(run(filling.run(dsn, chunks), chunks), tell=tell)
        else:
            explain_nothing(session, tell=tell)


def run(results: Iterator[Done], chunks: Sequence[Chunk]) -> Outcome:
    """Work off the chunks, show progress, and tell what has been done."""
    began = time.monotonic()
    total = sum(chunk.events for chunk in chunks)
    changed = 0
    uncovered: set[int] = set()
    progress = Progress(total=total, of=len(chunks))
    try:
        with progress:
            for done in results:
                changed += done.changed
                uncovered.update(done.uncovered)
                progress.advance(
                    named(done.chunk.account_ids),
                    f"{described(done.chunk)}, {done.changed} rows changed",
                    done.chunk.events,
                )
    except KeyboardInterrupt as interrupt:
        end = "terminated" if isinstance(interrupt, Terminated) else "interrupted"
        fail(f"{end}; what is done is kept", GO_ON, code_of(interrupt))
    except psycopg.OperationalError as error:
        fail(f"{str(error).strip()}\nwhat is done is kept", GO_ON)
    return Outcome(
        accounts=len({account for chunk in chunks for account in chunk.account_ids}),
        events=total,
        chunks=len(chunks),
        rows_changed=changed,
        seconds=round(time.monotonic() - began, 3),
        uncovered=tuple(sorted(uncovered)),
    )


def tell_outcome(done: Outcome, days: str = "", *, tell: Callable[[str], None] = say) -> None:
    """Print what was done, on which `days`; accounts that are left to do are an error."""
    pieces = "1 chunk" if done.chunks == 1 else f"{done.chunks} chunks"
    line = f"backfilled {done.events} events{days} in {pieces}, {done.rows_changed} rows changed"
    tell(line)
    if done.uncovered:
        fail(
            "not covered, because another session is changing the time zone: "
            + _listed(done.uncovered),
            GO_ON,
        )


def explain_nothing(
    session: Connection, days: str = "", *, tell: Callable[[str], None] = say
) -> None:
    """Say why there is nothing to do, on these `days`."""
    if zones_of(session):
        line = f"nothing to do: all days{days} are covered"
    else:
        line = (
            "nothing to do: no account has a time zone "
            "(python -m generator timezone ACCOUNT_ID ZONE)"
        )
    tell(line)


def _listed(accounts: Sequence[int]) -> str:
    first = ", ".join(map(str, accounts[:5]))
    what = "account" if len(accounts) == 1 else "accounts"
    return f"{what} {first}" + (f" and {len(accounts) - 5} more" if len(accounts) > 5 else "")
