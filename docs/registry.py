"""Writes registry.md, what a registry file may hold: `python -m docs.registry`."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from docs.reference import slug
from generator.cli import cli
from generator.errors import RegistryError
from generator.registry import DEFAULT, parse
from generator.registry import tables as model

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("registry.md")
PACKAGED = DEFAULT.read_text("utf-8")
DOCUMENT = tomllib.loads(PACKAGED)

INTRODUCTION = """\
# Registry

The registry says what is counted, for which dimensions, and under which names. The packaged one,
[`registry.toml`]({path}), describes a support desk with the tables of Chatwoot; the
examples below are taken from it. `make docs` writes this page from the source.

For other tables, copy the file, change it, and name it with `--registry my.toml`: this option
belongs to {commands}. The other commands
ask the database what is deployed. Other schemas, tables, columns, dimensions and metrics need
nothing else. A registry is checked before anything is done with it, and
[its problems](#what-is-refused) are reported together.

The first line is `format = 2`. A file of format 1, which had sections `[source]` and
`[dimensions]`, is refused, and the error prints the lines to write in their place.

What a change of the registry does to a database that has totals is in
[Operations](operations.md#changing-the-registry).
"""

REFUSED = """\
## What is refused

A registry that is not valid changes nothing. The error names the file and, for each problem, the
place, what is wrong and what is allowed. For the packaged registry with one change:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A kind of table in the file: its heading, what reads it, and where entries of it are."""

    heading: str
    model: type
    text: str
    keys: dict[str, str]
    """What each key means; the fields of the model that are no keys are in `names`."""
    names: tuple[str, ...] = ()
    examples: dict[str, str] = dataclasses.field(default_factory=dict)
    """Examples of keys that the packaged registry does not have."""

    @property
    def entries(self) -> list[Any]:
        """The tables of this kind in the packaged registry."""
        place, *below = self.heading.split(".")
        found = [DOCUMENT[place]]
        for _ in below:
            found = [entry for one in found for entry in one.values()]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """A table in the file that has a text for each name, and an example of it."""

    heading: str
    text: str
    example: str


TABLE = {
    "schema": "the schema of the table",
    "table": "the name of the table",
}

SECTIONS = (
    Section(
        heading="sources.NAME",
        model=model.Source,
        text="The table whose rows are counted; its rows are called events. There is one source.",
        names=("label",),
        examples={"schema": 'schema = "app"', "table": 'table = "visits"'},
        keys={
            **TABLE,
            "table": "the name of the table, if it is not NAME",
            "account": "the column of the account that the event belongs to: smallint, integer "
            "or bigint",
            "name": "the column that says what happened: text, varchar or an enum",
            "time": "the column that says when; the account's time zone makes a day of it",
            "time_type": "`timestamp` is without time zone and holds UTC, as Rails writes it",
        },
    ),
    Section(
        heading="accounts",
        model=model.Accounts,
        text="The table in which the application keeps each account's time zone. Leave the section "
        "out if there is none; zones are then set with `python -m generator timezone`.",
        keys={
            **TABLE,
            "id": "the column of the account's id",
            "timezone": "the column of the time zone: text or, with `timezone_key`, jsonb",
            "timezone_key": "the key of the zone in that jsonb object",
        },
    ),
    Section(
        heading="rollups",
        model=model.Rollups,
        text="The table of daily totals. A table that exists is "
        "[adopted](operations.md#taking-over-rollups-that-an-application-wrote).",
        keys={
            **TABLE,
            "id_type": "the type of the ids of dimensions, and of what is counted distinct",
            "write_mode": "[how events get into the totals]"
            "(operations.md#choosing-how-events-are-written)",
        },
    ),
    Section(
        heading="measures.NAME",
        model=model.Measure,
        text="A number of an event that duration metrics add up. Its column is in "
        "[`[sources.NAME.measures]`](#sourcesnamemeasures). "
        "[How exact sums are](limits.md#numbers).",
        names=("name", "column"),
        keys={
            "sum": "the column of totals that has the sum",
            "count": "the column of totals that counts the values that are not NULL, by which "
            "averages divide",
            "business_hours": "the measure that a report reads when it is asked for business hours",
        },
    ),
    Section(
        heading="events.EVENT.METRIC",
        model=model.Metric,
        text="A metric that events of that name emit; events of other names are ignored. An event "
        "may emit several metrics, and a metric belongs to one event.",
        names=("name", "event"),
        keys={
            "kind": "`count`: one for each event; `duration`: one for each event, and the sums of "
            "its measures",
            "distinct": "count each value of this column once a day; NULL is not counted",
        },
    ),
    Section(
        heading="reports.NAME",
        model=model.Report,
        text="A number that reports offer.",
        names=("name",),
        keys={
            "aggregate": "the number of events, or the average of a duration metric",
            "metric": "the metric that it reads; without one, the application answers the report "
            "from other tables",
            "exclude": "leave out what this distinct metric counts in the same range, for the same "
            "agent, inbox or other dimension that is asked for",
            "summary": "its column in summaries, which keep the order of the file",
        },
    ),
)


def _line(begin: str) -> str:
    """Give the line of the packaged registry that begins so."""
    return next(line for line in PACKAGED.splitlines() if line.startswith(begin))


OF_SOURCE = (
    Pairs(
        heading="sources.NAME.dimensions",
        text="What totals are kept for, each with the column that has its id: one row of totals "
        "for each id. An event with NULL gives no row.",
        example=_line("dimensions = "),
    ),
    Pairs(
        heading="sources.NAME.measures",
        text="The column of each measure; what is done with it is in "
        "[`[measures.NAME]`](#measuresname).",
        example=_line("measures = "),
    ),
)

ALIAS = json.dumps(next(iter(DOCUMENT["timezone_aliases"])))
ALIASES = Pairs(
    heading="timezone_aliases",
    text="Names of time zones that the application accepts and PostgreSQL does not know, each with "
    "the name that PostgreSQL has for it. The packaged registry has those of Rails, such as:",
    example=f"[timezone_aliases]\n{_line(ALIAS)}",
)

KINDS = (
    (model.Identifier, "a name of PostgreSQL"),
    (model.Text, "a text"),
    (model.Name, "a name"),
)

CHANGES = (
    ('kind = "duration"', 'kind = "total"'),
    ('id_type = "bigint"', 'id_typ = "bigint"'),
    ('agent = "user_id"', 'agent = { column = "user_id" }'),
    ('distinct = "conversation_id" }', 'distinct = "value" }'),
    ('aggregate = "average"\nmetric = "first_response"', 'aggregate = "average"\nmetric = "reply"'),
    (
        'aggregate = "count"\nmetric = "bot_handoffs_count"',
        'aggregate = "average"\nmetric = "bot_handoffs_count"',
    ),
    ('exclude = "bot_handoffs_count"', 'exclude = "resolutions_count"'),
    ('count = "value_count"', 'count = "metric"'),
)
"""Lines of the packaged registry, and what breaks it in their place."""


def page() -> str:
    """Write the page."""
    path = "../" + DEFAULT.relative_to(Path(__file__).parents[1]).as_posix()
    parts = [INTRODUCTION.format(path=path, commands=_commands()), _contents()]
    source, *others = SECTIONS
    parts += [_section(source), *map(_pairs, OF_SOURCE), *map(_section, others), _pairs(ALIASES)]
    parts += [REFUSED]
    parts += ["| instead of | with | error |\n|---|---|---|\n" + "\n".join(_refusals()) + "\n"]
    return "\n".join(parts)


def _commands() -> str:
    """Name the commands that take a registry."""
    found = [
        f"`{name}`"
        for name, command in cli.commands.items()
        if any("--registry" in param.opts for param in command.params)
    ]
    return f"{', '.join(found[:-1])} and {found[-1]}"


def _contents() -> str:
    source, *others = SECTIONS
    shown: tuple[Section | Pairs, ...] = (source, *OF_SOURCE, *others, ALIASES)
    headings = [f"[{one.heading}]" for one in shown]
    links = [f"[`{one}`](#{slug(one)})" for one in headings]
    return "Sections: " + ", ".join(links) + ".\n"


def _section(section: Section) -> str:
    hints = get_type_hints(section.model, include_extras=True)
    rows = []
    for field in dataclasses.fields(section.model):
        if field.name in section.names:
            continue
        cells = (
            f"`{field.name}`",
            _value(hints[field.name]) + _default(field),
            f"`{_example(section, field.name)}`",
            section.keys[field.name],
        )
        rows.append("| " + " | ".join(cells) + " |")
    table = "| key | value | example | what |\n|---|---|---|---|\n" + "\n".join(rows)
    return f"## [{section.heading}]\n\n{section.text}\n\n{table}\n"


def _pairs(pairs: Pairs) -> str:
    return f"## [{pairs.heading}]\n\n{pairs.text}\n\n```toml\n{pairs.example}\n```\n"


def _value(hint: Any) -> str:
    """Say what a key may be, by the annotation of its field."""
    if None in (choices := get_args(hint)) or type(None) in choices:
        [hint] = [one for one in choices if one is not type(None)]
    if get_origin(hint) is Literal:
        return " or ".join(f"`{json.dumps(one)}`" for one in get_args(hint))
    if hint is bool:
        return "true or false"
    return next((what for kind, what in KINDS if hint == kind), "see there")


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    if field.default is None:
        return "; may be left out"
    return f"; default `{json.dumps(field.default)}`"


def _example(section: Section, key: str) -> str:
    """Write the key as the packaged registry has it first."""
    if key in section.examples:
        return section.examples[key]
    value = next(entry[key] for entry in section.entries if key in entry)
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _refusals() -> Iterator[str]:
    for line, broken in CHANGES:
        assert line in PACKAGED, line
        try:
            parse(PACKAGED.replace(line, broken, 1), DEFAULT.name)
        except RegistryError as error:
            message = str(error).split("\n  ")[1]
        cells = (*(f"`{one.replace(chr(10), '` `')}`" for one in (line, broken)), f"`{message}`")
        yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
