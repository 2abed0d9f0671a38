"""What the steps of the demo say of what they found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from generator.demo.companies import COMPANIES
from generator.demo.live import LOCK_TIMEOUT, WRITERS
from generator.demo.questions import RUNS
from generator.demo.stage import table
from generator.demo.wording import number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.padding import Padding

    from generator.demo.events import History
    from generator.demo.live import Traffic
    from generator.deploy.deploy import Deployment

MOST = 10
"""How many differences are printed."""

_KINDS = ("table", "type", "function", "view")
_VERBS = ("inserted", "updated", "deleted")


def companies(history: History) -> Padding:
    """Lay out who they are, and how much happened there."""
    events = Counter(event.account_id for event in history.events)
    names = ("company", "time zone", "agents", "inboxes", "events")
    return table(
        names,
        (
            (
                company.name,
                company.setting,
                str(len(company.staff)),
                str(company.inboxes),
                number(events[company.id]),
            )
            for company in COMPANIES
        ),
        left=names[:2],
    )


def installed(deployment: Deployment, renamed: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Name what a deployment has made, and the zones that PostgreSQL knows by other names."""
    known = "".join(f", {setting} as {zone}" for setting, zone in renamed)
    kinds: Counter[str] = Counter()
    triggers: dict[str, list[str]] = {}
    for change in deployment.changes:
        words = change.split()
        kinds.update(kind for kind in _KINDS if kind in words)
        if "trigger" in words:  # create trigger rollup_after_insert on public.reporting_events
            triggers.setdefault(words[-1], []).append(words[-3].removeprefix("rollup_after_"))
    made = [f"{count} {kind}s" for kind, count in kinds.items()]
    yield f"{len(deployment.migrations)} migration, {', '.join(made)}; and triggers:"
    for table_, verbs in triggers.items():
        yield f"on {table_} after {', '.join(verbs)}"
    yield f"{deployment.accounts_followed} time zones taken over from accounts.settings{known}"


def written(traffic: Traffic, duration: float, folded: int) -> Iterator[str]:
    """Tell how it went with writers and rebuilds at once."""
    verbs = ", ".join(f"{number(traffic.rows[verb])} {verb}" for verb in _VERBS)
    rebuilds = traffic.rebuilds
    yield (
        f"{WRITERS} connections wrote for {duration:g} s, while another rebuilt everything "
        + ("once" if len(rebuilds) == 1 else f"{len(rebuilds)} times")
    )
    yield f"{number(len(traffic.times))} transactions committed, {len(traffic.failures)} failed"
    yield f"events: {verbs}"
    yield (
        f"longest transaction {seconds(max(traffic.times, default=0))}, median "
        f"{seconds(traffic.median)}; longest rebuild {seconds(max(rebuilds, default=0))}"
    )
    if not traffic.failures:
        yield f"to wait {LOCK_TIMEOUT} ms for a lock would have been to fail: none did"
    yield f"fold: {number(folded)} pending events, which readers saw all along, are recorded now"
    for failure, count in Counter(traffic.failures).most_common(3):
        yield f"FAILED, {count} times: {failure}"


def faster(raw: float, rolled: float) -> str:
    """Write the medians of the seconds that both took; a small year makes no difference."""
    medians = f"medians of {RUNS} runs: raw events {seconds(raw)}, rollups {seconds(rolled)}"
    return f"{medians}, {raw / rolled:.0f} times as fast" if raw > 2 * rolled else medians


def differences(rows: Sequence[dict[str, Any]]) -> Iterator[RenderableType]:
    """Lay out rows of rollup.drift(), and what they mean."""
    columns = ("account", "date", "of", "metric", "differs by")
    yield f"DIFFERENCES, {number(len(rows))} of them; truth minus rollups:"
    yield table(columns, map(_difference, rows[:MOST]), left=columns)
    if len(rows) > MOST:
        yield f"and {number(len(rows) - MOST)} more"


def _difference(row: dict[str, Any]) -> tuple[str, ...]:
    """Write a row of rollup.drift(), with those of its numbers that are not 0."""
    key = ("account_id", "date", "dimension_type", "dimension_id", "metric", "covered")
    return (
        str(row["account_id"]),
        str(row["date"]),
        f"{row['dimension_type']} {row['dimension_id']}",
        row["metric"],
        ", ".join(f"{name} {row[name]:+g}" for name in row if name not in key and row[name]),
    )
