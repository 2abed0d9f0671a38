"""`plan`: what deploying would do."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from generator import plan as planning
from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import as_json, errors, out, paragraph, say, table
from generator.cli.options import dsn_of, with_database, with_patience, with_registry
from generator.meaning import meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.patience import Patience
    from generator.plan import Change, Plan, Wait
    from generator.registry import Registry

_COLOURS = {"---": "bold", "+++": "bold", "@": "cyan", "+": "green", "-": "red"}

MANY = 5
"""Above so many objects of a kind, a terminal shows them in one paragraph."""

_HELD_UP = {
    "ACCESS EXCLUSIVE": "readers and writers",
    "SHARE ROW EXCLUSIVE": "writers",
    "ACCESS SHARE": "changes of the table",
    "ROWS": "rebuilds",
    "SLOTS": "rebuilds",
}
"""Who waits behind us for a lock."""


@click.command()
@with_database
@with_registry
@click.option("--diff", is_flag=True, help="Then print the difference of each text replaced.")
@click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")
@with_patience
def plan(
    database_url: str | None, registry_: Registry, diff: bool, json_: bool, patience: Patience
) -> None:
    """Show what `deploy` would do, and do nothing.

    First what it means: what is counted that was not, and which days have to be backfilled; the
    locks that it would wait for, and who holds them now. Then each object that it would create,
    replace, enable or drop, by name; with --diff, the difference of the texts. Reads in one
    read-only transaction, and holds up no session.

    Exits with 0 where there is nothing to do, with 2 where there is, and with 1 where `deploy`
    would refuse.
    """
    with errors():
        dsn = dsn_of(database_url)
        found = planning.plan(dsn, registry_, patience)
    if json_:
        as_json(_plain(found, patience, diff))
    else:
        _print(found, patience, diff)
    sys.exit(WELL if found.is_nothing else DIFFERENT)


def _print(found: Plan, patience: Patience, diff: bool) -> None:
    for sentence in meaning(found):
        paragraph(sentence)
    for warning in found.warnings:
        say(f"warning: {warning}", style="yellow")
    if found.is_nothing:
        say("nothing to do: all is up to date")
        return
    if found.waits:
        say()
        _print_waits(found.waits, patience)
    say()
    _print_changes(found.listed)
    if diff:
        say()
        _print_diffs(found)
    counts = Counter(one.action for one in found.listed)
    say()
    if not diff and any(map(planning.diff, found.changes.objects)):
        say("to see the texts that change: python -m generator plan --diff")
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
    """Print one object a line; on a terminal, many of a kind in one paragraph."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for one in changes:
        groups.setdefault((one.action, one.kind), []).append(one)
    rows: list[Change] = []
    for (action, kind), members in groups.items():
        plain = [one for one in members if not one.remark]
        if out.is_terminal and len(plain) > MANY:
            names = ", ".join(map(_named, plain))
            paragraph(f"{action} {len(plain)} {kind}s: {names}")
            members = [one for one in members if one.remark]
        rows += members
    if any(one.remark for one in rows):
        cells = [(one.action, one.kind, _named(one), one.remark) for one in rows]
        table(["what", "kind", "name", "remark"], cells)
    elif rows:
        table(["what", "kind", "name"], [(one.action, one.kind, _named(one)) for one in rows])


def _named(one: Change) -> str:
    return one.name + (f" on {one.table}" if one.table else "")


def _print_waits(waits: Sequence[Wait], patience: Patience) -> None:
    say(
        f"locks, each waited for up to {patience.attempts} times, "
        f"for {patience.lock_timeout:g} s at the most:"
    )
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for wait in waits:
        on = alike.setdefault((wait.lock.mode, wait.reasons), [])
        on += wait.lock.relations or ["all accounts"]
    rows = (
        (mode.lower(), ", ".join(on), _HELD_UP[mode], ", ".join(reasons))
        for (mode, reasons), on in alike.items()
    )
    table(["lock", "on", "holds up", "because"], rows)
    for wait in waits:
        for holder in wait.holders:
            what = ", ".join(wait.lock.relations) or "the slots"
            say(f"in the way now, on {what}: {holder}", style="yellow")
    if not any(wait.holders for wait in waits):
        say("no session holds any of them now")


def _plain(found: Plan, patience: Patience, with_diffs: bool) -> dict[str, Any]:
    incomplete = found.incomplete
    diffs = {str(one): "\n".join(planning.diff(one)) for one in found.changes.objects}
    texts = {name: text for name, text in diffs.items() if text}
    return {
        "is_current": found.is_nothing,
        "meaning": meaning(found),
        "changes": [asdict(one) for one in found.listed],
        "diffs": texts if with_diffs else {},
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
