"""Writes reference.md, all commands and all objects in the database: `python -m docs.reference`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docs.objects import described
from generator.cli import cli
from generator.registry import load
from generator.render.objects import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from docs.objects import Column, Described

PAGE = Path(__file__).with_name("reference.md")
INTERNAL = "Internals"
PROGRAM = "python -m generator"

PUBLIC = (
    "timeseries",
    "aggregate",
    "summary",
    "explain_report",
    "current_rollups",
    "current_members",
    "coverage",
    "metric_coverage",
    "is_covered",
    "status",
    "set_timezone",
    "backfill",
    "drift",
    "verify_sample",
    "rebuild",
    "fold",
    "purge_events",
    "gone_partitions",
    "changed_columns",
    "forget_partition",
    "accounts",
    "verifications",
    "standing_differences",
    "deployments",
    "difference",
)
"""What users call and read in the schema, in the order in which a user meets it.

Functions, procedures, views, tables and types; all others are ours to change.
"""

INTRODUCTION = """\
# Reference

Every command, and every object in the database, as the source has them: `make docs` writes this
page. For a start read the [README](../README.md); for reports [Reports](reports.md); for roles and
their rights [Operations](operations.md).

The objects are those of the packaged registry. Another one gives the rollup table, its views and
`rollup.summary()` other columns, and where its ids are no numbers, `text` for `bigint`.
"""

COMMANDS = """\
Each is called as `python -m generator` and its name, or `reporting-rollups` and its name where the
package is installed; its `--help` says the same as this page. The database is that of
`--database-url`, else of `DATABASE_URL`, else of the `PG*` variables; only `demo` brings one of its
own. Exit codes: 0 all is well; 1 an error, wrong usage included; 2 a difference or something to do;
130 interrupted; 143 terminated.
"""

INTERFACE = """\
What your queries and jobs may rely on. Dates are days in the time zone of the account, `since`
inclusive and `until` exclusive; NULL is no bound, and for `account_id` every account where a
function is for all. "For the owner" means that EXECUTE has been taken from PUBLIC.
"""

INTERNALS = """\
What the above consists of. It is described because you may meet it in a plan, a lock or an error;
do not call it, for it changes without notice.
"""


def page() -> str:
    """Write the page."""
    objects = described(render(load()))
    by_name = {one.name.split(".")[-1]: one for one in objects if one.kind != "trigger"}
    public = [by_name[name] for name in PUBLIC]
    rollups = by_name[load().rollups.table]
    internal = [one for one in objects if one not in (*public, rollups)]
    commands = list(_commands(cli, ()))
    sections = {
        "Commands": [_command(names, command) for names, command in commands],
        "For your queries": [_object(one) for one in (*public, rollups)],
        INTERNAL: [
            *(_object(one) for one in internal if one.kind in ("table", "type", "view")),
            *(_object(one) for one in internal if one.kind in ("function", "procedure")),
            _triggers([one for one in internal if one.kind == "trigger"]),
        ],
    }
    introductions = dict(zip(sections, (COMMANDS, INTERFACE, INTERNALS), strict=True))
    parts = [INTRODUCTION, _contents(sections)]
    for title, texts in sections.items():
        parts += [f"## {title}\n", introductions[title], *texts]
    return "\n".join(parts)


def slug(heading: str) -> str:
    """Return the anchor that a heading gets on the web."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _contents(sections: dict[str, list[str]]) -> str:
    lines = []
    for title, texts in sections.items():
        if title == INTERNAL:
            lines.append(f"- [{title}](#{slug(title)})")
            continue
        headings = [text.split("\n", 1)[0].removeprefix("### ") for text in texts]
        links = ", ".join(f"[{heading}](#{slug(heading)})" for heading in headings)
        lines.append(f"- [{title}](#{slug(title)}): {links}")
    return "\n".join(lines) + "\n"


def _commands(
    group: click.Group, above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give every command with its names, those of a group after it."""
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))


def _command(names: Sequence[str], command: click.Command) -> str:
    # As the program has it: a command keeps the help option of the first context that asks for it.
    context = click.Context(command, info_name=" ".join((PROGRAM, *names)), **cli.context_settings)
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    own = [param for param in command.params if isinstance(param, click.Option)]
    records = [param.get_help_record(context) for param in own]
    options = [(f"`{record[0]}`", " ".join(record[1].split())) for record in records if record]
    text = "\n\n".join(_prose(part) for part in (command.help or "").split("\n\n"))
    return "\n".join(
        (
            f"### {' '.join(names)}\n",
            f"```sh\n{usage}\n```\n",
            f"{text}\n",
            *([_rows(("option", "what"), options)] if options else []),
        )
    )


def _prose(text: str) -> str:
    """Join lines but those that click was told to leave, and mark what is code."""
    if text.startswith("\b"):
        return f"```text\n{text[1:].strip(chr(10))}\n```"
    return _marked(" ".join(text.split()))


def _object(one: Described) -> str:
    title = one.name + ("()" if one.kind in ("function", "procedure") else "")
    for_owner = " For the owner." if one.is_for_owner else ""
    parts = [f"### {title}\n", f"{one.kind.capitalize()}.{for_owner} {_marked(one.comment)}\n"]
    if one.signature:
        call = "CALL " if one.kind == "procedure" else ""
        parts.append(f"```sql\n{call}{one.signature}\n```\n")
    parts += [f"{_marked(paragraph)}\n" for paragraph in one.text]
    if one.columns:
        parts.append(_columns(one.columns))
    return "\n".join(parts)


def _columns(columns: Sequence[Column]) -> str:
    if any(column.comment for column in columns):
        cells = [(f"`{one.name}`", one.type, _marked(one.comment)) for one in columns]
        return _rows(("column", "type", "what"), cells)
    return _rows(("column", "type"), [(f"`{one.name}`", one.type) for one in columns])


def _triggers(triggers: Sequence[Described]) -> str:
    cells = [(f"`{one.name}`", f"`{one.table}`", one.comment) for one in triggers]
    return "### Triggers\n\n" + _rows(("trigger", "on", "what"), cells)


def _rows(head: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *cells]
    return (
        "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
        )
        + "\n"
    )


def _marked(text: str) -> str:
    """Mark names of objects, options and literals as code."""
    names = r"(?<![\w`])(rollup\.\w+(?:\.\w+|\(\))?|--[a-z][a-z-]*|'[^' ]*'|\w+_\w+)(?![\w`(])"
    return re.sub(names, r"`\1`", text)


if __name__ == "__main__":
    PAGE.write_text(page())
