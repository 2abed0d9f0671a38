"""What `plan` prints for people: what a deployment means, its locks, and objects by name."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from generator.cli.console import out, say, say_as_is, table
from generator.deploy import plan as planning
from generator.deploy.meaning import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.database.patience import Patience
    from generator.deploy.plan import Change, Plan, Wait

_COLOURS = {"---": "bold", "+++": "bold", "@": "cyan", "+": "green", "-": "red"}

HELD_UP = {
    "ACCESS EXCLUSIVE": "readers and writers",
    "SHARE ROW EXCLUSIVE": "writers",
    "ACCESS SHARE": "changes of the table",
    "ROWS": "rebuilds",
    "SLOTS": "rebuilds",
}
"""Who waits behind us for a lock."""

_QUALIFIED = re.compile(r'("(?:[^"]|"")*"|[^".]+)\.(.+)', re.DOTALL)
_IN_SCHEMAS = ("function", "procedure", "view", "table", "type")


def print_plan(found: Plan, patience: Patience, *, diff: bool) -> None:
    """Print first what it means, then what it waits for, then what is changed."""
    for sentence in meaning(found):
        say(sentence)
    for warning in found.warnings:
        say(f"warning: {warning}", style="yellow")
    if found.is_nothing:
        say("nothing to do: all is up to date")
        return
    if found.waits:
        say()
        _print_waits(found.waits, patience)
    say()
    if out.is_terminal:
        for line in grouped(found.listed):
            say(line)
    else:
        _print_table(found.listed)
    if diff:
        say()
        _print_diffs(found)
    elif any(map(planning.diff, found.changes.objects)):
        say("to see the texts that change: python -m generator plan --diff")
    counts = Counter(one.action for one in found.listed)
    say(", ".join(f"{n} to {verb}" for verb, n in counts.items()) + ": python -m generator deploy")


def grouped(changes: Sequence[Change]) -> Iterator[str]:
    """Name the objects in a line for each kind and what is done; those with a remark apart."""
    groups: dict[tuple[str, str, str, str], list[Change]] = {}
    for one in changes:
        schema, _ = _split(one)
        groups.setdefault((one.action, one.kind, schema, one.remark), []).append(one)
    for (action, kind, schema, remark), members in groups.items():
        where = f" in {schema}" if schema else ""
        what = f"{len(members)} {kind}s" if len(members) > 1 else kind
        line = f"{action} {what}{where}: {_names(members)}"
        yield f"{line} ({remark})" if remark else line


def _names(members: Sequence[Change]) -> str:
    """List names; of triggers that are alike on several tables, once."""
    on: dict[str | None, list[str]] = {}
    for one in members:
        on.setdefault(one.table, []).append(_split(one)[1])
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, names in on.items():
        alike.setdefault(tuple(names), []).extend([name] if name else [])
    return "; ".join(
        ", ".join(names) + (f" on {', '.join(tables)}" if tables else "")
        for names, tables in alike.items()
    )


def _split(one: Change) -> tuple[str, str]:
    """Take the schema off a name, where there is one."""
    found = _QUALIFIED.fullmatch(one.name) if one.kind in _IN_SCHEMAS else None
    return (found[1], found[2]) if found else ("", one.name)


def _print_table(changes: Sequence[Change]) -> None:
    named = [
        (one.action, one.kind, one.name + (f" on {one.table}" if one.table else ""), one.remark)
        for one in changes
    ]
    if any(one.remark for one in changes):
        table(["what", "kind", "name", "remark"], named)
    else:
        table(["what", "kind", "name"], [row[:3] for row in named])


def _print_diffs(found: Plan) -> None:
    for one in found.changes.objects:
        lines = planning.diff(one)
        for line in lines:
            colour = next((_COLOURS[start] for start in _COLOURS if line.startswith(start)), None)
            say_as_is(line, style=colour)
        if lines:
            say()


def _print_waits(waits: Sequence[Wait], patience: Patience) -> None:
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for wait in waits:
        on = alike.setdefault((wait.lock.mode, wait.reasons), [])
        on += wait.lock.relations or ["all accounts"]
    say(f"locks, each tried up to {patience.attempts} times for {patience.lock_timeout:g} s:")
    for (mode, reasons), on in alike.items():
        say(f"  {mode.lower()} on {', '.join(on)}, holds up {HELD_UP[mode]}: {', '.join(reasons)}")
    for wait in waits:
        for holder in wait.holders:
            what = ", ".join(wait.lock.relations) or "the slots"
            say(f"held now, {what}: {holder}", style="yellow")
    if not any(wait.holders for wait in waits):
        say("no session holds any of them now")
