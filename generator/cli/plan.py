"""`plan`: what deploying would do."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from generator import plan as planning
from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import as_json, errors, say, table
from generator.cli.options import dsn_of, with_database, with_patience, with_registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.patience import Patience
    from generator.plan import Change, Incomplete, Plan, Wait
    from generator.registry import Registry

_COLOURS = {"---": "bold", "+++": "bold", "@": "cyan", "+": "green", "-": "red"}

SHOWN = 5
"""How many of what is incomplete are named."""

_HELD_UP = {
    "ACCESS EXCLUSIVE": "readers and writers",
    "SHARE ROW EXCLUSIVE": "writers",
    "ROWS": "rebuilds",
    "SLOTS": "rebuilds",
}
"""Who waits behind us for a lock."""


@click.command()
@with_database
@with_registry
@click.option("--no-diff", is_flag=True, help="Print names, and no difference of texts.")
@click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")
@with_patience
def plan(
    database_url: str | None, registry_: Registry, no_diff: bool, json_: bool, patience: Patience
) -> None:
    """Show what `deploy` would do, and do nothing.

    Each object that it would create, replace, enable or drop, with the difference of the texts; the
    locks that it would wait for, and who holds them now; which days would have to be backfilled;
    what else is better known before. Reads in one read-only transaction, and holds up nobody.

    Exits with 0 where there is nothing to do, with 2 where there is, and with 1 where `deploy`
    would refuse.
    """
    with errors():
        dsn = dsn_of(database_url)
        found = planning.plan(dsn, registry_, patience)
    if json_:
        as_json(_plain(found, patience, no_diff))
    else:
        _print(found, patience, no_diff)
    sys.exit(WELL if found.is_nothing else DIFFERENT)


def _print(found: Plan, patience: Patience, no_diff: bool) -> None:
    if not no_diff:
        _print_diffs(found)
    if found.listed:
        _print_changes(found.listed)
    if found.waits:
        say()
        _print_waits(found.waits, patience)
    if found.incomplete:
        say()
        say(_uncovered(found.incomplete))
    if gone := found.changes.difference.gone:
        say()
        say(f"no longer counted: {', '.join(gone)}; rows are kept until `deploy --delete-removed`")
    if found.warnings:
        say()
    for warning in found.warnings:
        say(f"warning: {warning}", style="yellow")
    if found.is_nothing:
        say("nothing to do: all is up to date")
        return
    counts = Counter(one.action for one in found.listed)
    say()
    say(", ".join(f"{n} to {verb}" for verb, n in counts.items()) + ": python -m generator deploy")


def _print_diffs(found: Plan) -> None:
    for one in found.changes.objects:
        lines = planning.diff(one)
        for line in lines:
            colour = next((_COLOURS[start] for start in _COLOURS if line.startswith(start)), None)
            say(line, style=colour)
        if lines:
            say()


def _print_changes(changes: Sequence[Change]) -> None:
    rows = [
        (one.action, one.kind, one.name + (f" on {one.table}" if one.table else ""), one.remark)
        for one in changes
    ]
    if any(one.remark for one in changes):
        table(["what", "kind", "name", "remark"], rows)
    else:
        table(["what", "kind", "name"], [row[:3] for row in rows])


def _print_waits(waits: Sequence[Wait], patience: Patience) -> None:
    say(
        f"locks, each waited for up to {patience.attempts} times, "
        f"for {patience.lock_timeout:g} s at the most:"
    )
    rows = (
        (
            wait.lock.mode.lower(),
            ", ".join(wait.lock.relations) or "all accounts",
            _HELD_UP[wait.lock.mode],
            ", ".join(wait.reasons),
        )
        for wait in waits
    )
    table(["lock", "on", "holds up", "because"], rows)
    for wait in waits:
        for holder in wait.holders:
            on = ", ".join(wait.lock.relations) or "the slots"
            say(f"in the way now, on {on}: {holder}", style="yellow")


def _uncovered(incomplete: Incomplete) -> str:
    whose = {0: "", 1: " of 1 account"}.get(
        incomplete.accounts, f" of {incomplete.accounts} accounts"
    )
    what = [f"metric {name}" for name in incomplete.metrics]
    what += [f"dimension {name}" for name in incomplete.dimensions]
    named = ", ".join(what) if len(what) <= SHOWN else f"{len(what)} metrics and dimensions"
    return (
        f"not covered until `backfill`: {named}, on all days{whose} "
        f"({', '.join(incomplete.reasons)})"
    )


def _plain(found: Plan, patience: Patience, no_diff: bool) -> dict[str, Any]:
    incomplete = found.incomplete
    diffs = {str(one): "\n".join(planning.diff(one)) for one in found.changes.objects}
    return {
        "is_current": found.is_nothing,
        "changes": [asdict(one) for one in found.listed],
        "diffs": {} if no_diff else {name: text for name, text in diffs.items() if text},
        "lock_timeout": patience.lock_timeout,
        "attempts": patience.attempts,
        "locks": [
            {
                "mode": wait.lock.mode,
                "on": wait.lock.relations,
                "holds_up": _HELD_UP[wait.lock.mode],
                "because": wait.reasons,
                "held_by": wait.holders,
            }
            for wait in found.waits
        ],
        "uncovered": incomplete and asdict(incomplete),
        "no_longer_counted": found.changes.difference.gone,
        "warnings": found.warnings,
    }
