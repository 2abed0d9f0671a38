from __future__ import annotations

import copy
import datetime
import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import RegistryError
from generator.registry import DEFAULT, Membership, load, parse
from generator.registry.event import event
from generator.registry.problems import dotted
from generator.registry.reader import read
from generator.registry.rules import check

if TYPE_CHECKING:
    from pathlib import Path

VALID = """\
format = 2

[sources.things]
account = "account_id"
name = "name"
time = "happened_at"
time_type = "timestamptz"
dimensions = { account = "account_id", agent = "user_id" }
measures = { duration = "seconds" }

[accounts]
schema = "public"
table = "accounts"
id = "id"
timezone = "timezone"

[rollups]
schema = "public"
table = "totals"
id_type = "bigint"

[measures.duration]
sum = "sum_seconds"
count = "seconds_count"

[events.closed]
closings = { kind = "count" }
closing_time = { kind = "duration" }

[events.handed_over]
handovers = { kind = "count", distinct = "conversation_id" }

[reports.closings]
aggregate = "count"
metric = "closings"
exclude = "handovers"
summary = "closings"

[reports.closing_time]
aggregate = "average"
metric = "closing_time"

[timezone_aliases]
"Bern" = "Europe/Zurich"
"""

MEASURE = '[measures.duration]\nsum = "sum_seconds"\ncount = "seconds_count"\n'
MEASURES = 'measures = { duration = "seconds" }\n'
DIMENSIONS = 'dimensions = { account = "account_id", agent = "user_id" }\n'
EVENTS = VALID[VALID.index("[events.closed]") : VALID.index("[timezone_aliases]")]

GENERATED = "give the table a stored generated column of another name, and use that"
READ_ONCE = f"and read as one type; {GENERATED}"
SECTIONS = (
    "'format', 'sources', 'accounts', 'rollups', 'measures', 'events', 'reports' or "
    "'timezone_aliases'"
)
SOURCE_KEYS = (
    "'schema', 'table', 'account', 'name', 'time', 'time_type', 'dimensions' or 'measures'"
)
METRICS = "'closings', 'closing_time' or 'handovers'"

# What is refused: by name, what is replaced in VALID and by what, and the problems that this makes.
REFUSED: dict[str, tuple[str, str, list[str]]] = {
    # The format
    "no format": ("format = 2\n", "", ["format: missing; begin the file with format = 2"]),
    "an older format": ("format = 2", "format = 1", ["format: unknown format 1; use 2"]),
    "a newer format, of which nothing else is read": (
        'format = 2\n\n[sources.things]\naccount = "account_id"\n',
        "format = 3\n[sources.things]\n",
        ["format: is 3, and this version reads 2; install a newer version of reporting-rollups"],
    ),
    "a format that is a string": (
        "format = 2",
        'format = "2"',
        ["format: must be an integer, not a string"],
    ),
    "a format that is true": (
        "format = 2",
        "format = true",
        ["format: must be an integer, not a boolean"],
    ),
    # The source
    "two sources": (
        "[accounts]",
        '[sources.others]\naccount = "account_id"\n\n[accounts]',
        ["sources.others: a registry has one source for now, and that is 'things'; leave this out"],
    ),
    "a source without a name": (
        "[sources.things]",
        "[sources]",
        [
            "sources: has a key 'account' where a source must be; "
            "write [sources.NAME] in place of [sources]"
        ],
    ),
    "a source in [source.NAME]": (
        "[sources.things]",
        "[source.things]",
        [f"source: unknown key; use {SECTIONS} (did you mean 'sources'?)"],
    ),
    "a source without a column of dimensions, which is not also missing": (
        'agent = "user_id"',
        "agent = 1",
        ["sources.things.dimensions.agent: the column must be a string, not an integer"],
    ),
    "a source whose name is no name of a table": (
        "[sources.things]",
        '[sources."a\\nb"]',
        [r'sources."a\nb".table: must not contain a line break'],
    ),
    # Keys and types
    "an unknown section": (
        "[rollups]",
        "[colours]\n[rollups]",
        [f"colours: unknown key; use {SECTIONS}"],
    ),
    "a misspelt section, which is then read as what was meant": (
        "[rollups]",
        "[rolups]",
        [f"rolups: unknown key; use {SECTIONS} (did you mean 'rollups'?)"],
    ),
    "an unknown key": (
        'time = "happened_at"',
        'time = "happened_at"\ncolour = "red"',
        [f"sources.things.colour: unknown key; use {SOURCE_KEYS}"],
    ),
    "a misspelt key, which is not also missing": (
        "time_type =",
        "time_tpye =",
        [f"sources.things.time_tpye: unknown key; use {SOURCE_KEYS} (did you mean 'time_type'?)"],
    ),
    "a key for the name that a table has by its place": (
        'closings = { kind = "count" }',
        'closings = { kind = "count", name = "closings" }',
        ["events.closed.closings.name: unknown key; use 'kind' or 'distinct'"],
    ),
    "a missing section": (
        '[rollups]\nschema = "public"\ntable = "totals"\nid_type = "bigint"\n',
        "",
        ["rollups: missing; add a section [rollups]"],
    ),
    "a missing name": (
        'name = "name"\n',
        "",
        ['sources.things.name: missing; add name = "..."'],
    ),
    "a missing choice": (
        'time_type = "timestamptz"\n',
        "",
        ["sources.things.time_type: missing; use 'timestamp' or 'timestamptz'"],
    ),
    "a dimension whose column is a table": (
        'agent = "user_id"',
        'agent = { column = "user_id" }',
        ["sources.things.dimensions.agent: the column must be a string, not a table"],
    ),
    "a measure whose column is a number": (
        'duration = "seconds"',
        "duration = 1",
        ["sources.things.measures.duration: the column must be a string, not an integer"],
    ),
    "an integer for a string": (
        "time_type",
        "table = 3\ntime_type",
        ["sources.things.table: must be a string, not an integer"],
    ),
    "a date for a choice": (
        'id_type = "bigint"',
        "id_type = 2026-02-11",
        ["rollups.id_type: must be a string, not a date or time"],
    ),
    "a string for a boolean": (
        'count = "seconds_count"',
        'count = "seconds_count"\nbusiness_hours = "true"',
        ["measures.duration.business_hours: must be true or false, not a string"],
    ),
    "a string for a table": (
        MEASURE,
        '[measures]\nduration = "seconds"\n',
        ["measures.duration: must be a table, not a string"],
    ),
    "a metric without a name": (
        'closings = { kind = "count" }',
        'closings = { kind = "count" }\nkind = "count"',
        ["events.closed.kind: must be a table, not a string"],
    ),
    "an event that is a string": (
        "[events.closed]",
        '[events]\nopened = "count"\n[events.closed]',
        ["events.opened: must be a table, not a string"],
    ),
    "an array of tables for a section": (
        "[rollups]",
        "[[rollups]]",
        ["rollups: must be a table, not an array"],
    ),
    "missing dimensions": (
        DIMENSIONS,
        "",
        ['sources.things.dimensions: has no entry; add one, such as agent = "user_id"'],
    ),
    "more columns for dimensions than can be grouped by": (
        DIMENSIONS,
        "dimensions = { " + ", ".join(f'd{i} = "c{i}"' for i in range(32)) + " }\n",
        [
            "sources.things.dimensions: 32 columns besides the account's, and there may be 31; "
            "leave some out",
        ],
    ),
    # Choices
    "an unknown kind": (
        'closing_time = { kind = "duration" }',
        'closing_time = { kind = "durration" }',
        [
            "events.closed.closing_time.kind: unknown kind 'durration'; "
            "use 'count' or 'duration' (did you mean 'duration'?)"
        ],
    ),
    "an unknown time_type": (
        'time_type = "timestamptz"',
        'time_type = "date"',
        ["sources.things.time_type: unknown time_type 'date'; use 'timestamp' or 'timestamptz'"],
    ),
    "an unknown id_type": (
        'id_type = "bigint"',
        'id_type = "uuid"',
        ["rollups.id_type: unknown id_type 'uuid'; use 'bigint' or 'text'"],
    ),
    "an unknown aggregate": (
        'aggregate = "average"',
        'aggregate = "averages"',
        [
            "reports.closing_time.aggregate: unknown aggregate 'averages'; "
            "use 'count' or 'average' (did you mean 'average'?)"
        ],
    ),
    # Names and identifiers
    "an empty identifier": (
        "[sources.things]",
        '[sources.things]\ntable = ""',
        ["sources.things.table: must not be empty"],
    ),
    "an identifier of 64 bytes": (
        "[sources.things]",
        f'[sources.things]\ntable = "{"é" * 32}"',
        ["sources.things.table: is 64 bytes long; PostgreSQL names have at most 63"],
    ),
    "an identifier with a NUL": (
        "[sources.things]",
        '[sources.things]\ntable = "things\\u0000"',
        ["sources.things.table: must not contain a NUL character"],
    ),
    "an identifier that would end a function body": (
        "[sources.things]",
        '[sources.things]\ntable = "a$function$b"',
        ["sources.things.table: must not contain '$function$', which delimits text in SQL"],
    ),
    "an identifier with a line break": (
        "[sources.things]",
        '[sources.things]\ntable = "my\\nthings"',
        ["sources.things.table: must not contain a line break"],
    ),
    "an empty column of a measure": (
        'duration = "seconds"',
        'duration = ""',
        ["sources.things.measures.duration: the column must not be empty"],
    ),
    "an empty name of a dimension": (
        "agent =",
        '"" =',
        ['sources.things.dimensions."": the name must not be empty'],
    ),
    "an empty name of an event, whose metrics are not unknown then": (
        "[events.closed]",
        '[events.""]',
        ['events."": the name must not be empty'],
    ),
    "an empty name of a metric": (
        'closings = { kind = "count" }',
        'closings = { kind = "count" }\n"" = { kind = "count" }',
        ['events.closed."": the name must not be empty'],
    ),
    "a name of 256 characters": (
        "[events.closed]",
        f"[events.{'x' * 256}]",
        [f"events.{'x' * 256}: the name is 256 characters long; use at most 255"],
    ),
    "a name with a NUL": (
        "agent =",
        r'"a\u0000" =',
        [r'sources.things.dimensions."a\u0000": the name must not contain a NUL character'],
    ),
    "an empty timezone_key": (
        'timezone = "timezone"',
        'timezone = "timezone"\ntimezone_key = ""',
        ["accounts.timezone_key: must not be empty"],
    ),
    "an empty alias": (
        '"Bern" =',
        '"" =',
        ['timezone_aliases."": the name must not be empty'],
    ),
    "an alias of an empty zone": (
        '"Europe/Zurich"',
        '""',
        ["timezone_aliases.Bern: the zone must not be empty"],
    ),
    "an alias of a number": (
        '"Europe/Zurich"',
        "1",
        ["timezone_aliases.Bern: the zone must be a string, not an integer"],
    ),
    # Tables
    "events in the schema rollup": (
        "[sources.things]",
        '[sources.things]\nschema = "rollup"',
        ["sources.things.schema: 'rollup' is for the generated objects alone; use another"],
    ),
    "accounts in the schema rollup": (
        'schema = "public"\ntable = "accounts"',
        'schema = "rollup"\ntable = "accounts"',
        ["accounts.schema: 'rollup' is for the generated objects alone; use another"],
    ),
    "rollups in the schema rollup": (
        'schema = "public"\ntable = "totals"',
        'schema = "rollup"\ntable = "totals"',
        ["rollups.schema: 'rollup' is for the generated objects alone; use another"],
    ),
    "a schema that begins with pg_": (
        'schema = "public"\ntable = "totals"',
        'schema = "pg_toast"\ntable = "totals"',
        ["rollups.schema: 'pg_toast' is PostgreSQL's own; use another"],
    ),
    "information_schema": (
        "[sources.things]",
        '[sources.things]\nschema = "information_schema"',
        ["sources.things.schema: 'information_schema' is PostgreSQL's own; use another"],
    ),
    "rollups in the table of the events": (
        'table = "totals"',
        'table = "things"',
        ["rollups.table: 'public.things' is already that of sources.things"],
    ),
    "rollups in the table of the accounts": (
        'table = "totals"',
        'table = "accounts"',
        ["rollups.table: 'public.accounts' is already that of accounts"],
    ),
    "accounts in the table of the events": (
        'table = "accounts"',
        'table = "things"',
        ["accounts.table: 'public.things' is already that of sources.things"],
    ),
    # Columns of the events
    **{
        f"{place} in a column {column!r}": (
            old,
            column.join(old.rsplit(was, 1)),
            [f"{place}: {column!r} is a system column, which a trigger cannot read; {GENERATED}"],
        )
        for column in ("xmin", "ctid")
        for place, old, was in (
            ("sources.things.name", 'name = "name"', "name"),
            ("sources.things.time", 'time = "happened_at"', "happened_at"),
            ("sources.things.measures.duration", '"seconds"', "seconds"),
            ("sources.things.dimensions.agent", '"user_id"', "user_id"),
            ("events.handed_over.handovers.distinct", '"conversation_id"', "conversation_id"),
        )
    },
    "a time that is the name": (
        'time = "happened_at"',
        'time = "name"',
        [f"sources.things.time: 'name' is already the name (sources.things.name), {READ_ONCE}"],
    ),
    "a name that is the account": (
        'name = "name"',
        'name = "account_id"',
        [
            "sources.things.name: 'account_id' is already the account (sources.things.account), "
            f"{READ_ONCE}"
        ],
    ),
    "a measure that is the time": (
        '"seconds"',
        '"happened_at"',
        [
            "sources.things.measures.duration: 'happened_at' is already the time "
            f"(sources.things.time), {READ_ONCE}"
        ],
    ),
    "a measure that is the account": (
        '"seconds"',
        '"account_id"',
        [
            "sources.things.measures.duration: 'account_id' is already the account "
            f"(sources.things.account), {READ_ONCE}",
        ],
    ),
    "a dimension that is a measure": (
        '"user_id"',
        '"seconds"',
        [
            "sources.things.dimensions.agent: 'seconds' is already a measure "
            f"(sources.things.measures.duration), {READ_ONCE}"
        ],
    ),
    "a dimension that is the name": (
        '"user_id"',
        '"name"',
        [
            "sources.things.dimensions.agent: 'name' is already the name (sources.things.name), "
            f"{READ_ONCE}"
        ],
    ),
    "the time counted distinct": (
        '"conversation_id"',
        '"happened_at"',
        [
            f"events.handed_over.handovers.distinct: 'happened_at' is already the time "
            f"(sources.things.time), {READ_ONCE}"
        ],
    ),
    # Columns of the rollups
    **{
        f"a sum in the rollups' column {column!r}": (
            '"sum_seconds"',
            f'"{column}"',
            [
                f"measures.duration.sum: {column!r} is a column of every rollup table; "
                "use another name"
            ],
        )
        for column in (
            *("id", "account_id", "date", "dimension_type", "dimension_id", "metric", "count"),
            *("created_at", "updated_at", "xmin"),
        )
    },
    "a count in the rollups' count": (
        '"seconds_count"',
        '"count"',
        ["measures.duration.count: 'count' is a column of every rollup table; use another name"],
    ),
    "a sum and a count in one column": (
        '"seconds_count"',
        '"sum_seconds"',
        [
            "measures.duration.count: 'sum_seconds' is already in use (measures.duration.sum); "
            "use another name"
        ],
    ),
    "two sums in one column": (
        MEASURES,
        'measures = { duration = "seconds", pauses = "pauses" }\n'
        '[measures.pauses]\nsum = "sum_seconds"\ncount = "pauses_count"\n',
        [
            "measures.duration.sum: 'sum_seconds' is already in use (measures.pauses.sum); "
            "use another name"
        ],
    ),
    "two counts in one column": (
        MEASURES,
        'measures = { duration = "seconds", pauses = "pauses" }\n'
        '[measures.pauses]\nsum = "sum_pauses"\ncount = "seconds_count"\n',
        [
            "measures.duration.count: 'seconds_count' is already in use (measures.pauses.count); "
            "use another name"
        ],
    ),
    # Measures
    "two measures of business hours": (
        MEASURES,
        'measures = { duration = "seconds", a = "a", b = "b" }\n'
        '[measures.a]\nsum = "a1"\ncount = "a2"\nbusiness_hours = true\n'
        '[measures.b]\nsum = "b1"\ncount = "b2"\nbusiness_hours = true\n',
        ["measures.b.business_hours: 'a' is already the measure of business hours; leave this out"],
    ),
    "no measure but that of business hours": (
        'count = "seconds_count"',
        'count = "seconds_count"\nbusiness_hours = true',
        [
            "measures: none is without business_hours, for reports that are not asked for them; "
            "add one"
        ],
    ),
    "a measure of which the source has no column": (
        MEASURES,
        "",
        ['measures.duration: has no column; add duration = "..." to sources.things.measures'],
    ),
    "a measure without a section": (
        MEASURE,
        "",
        [
            "sources.things.measures.duration: there is no section [measures.duration]; "
            "add it, with sum and count, or leave this out"
        ],
    ),
    "a measure that is spelt in two ways": (
        "measures = { duration",
        "measures = { durations",
        [
            "sources.things.measures.durations: there is no section [measures.durations]; "
            "did you mean 'duration'?"
        ],
    ),
    "a measure that is not valid, which is not also missing": (
        'sum = "sum_seconds"',
        "sum = 1",
        ["measures.duration.sum: must be a string, not an integer"],
    ),
    # Events
    "no event, of whose metrics then none is unknown": (
        EVENTS[: EVENTS.index("[reports")],
        "",
        [
            "events: has no entry; add one, such as [events.signed_up] and, below it, "
            'signups = { kind = "count" }'
        ],
    ),
    "an event without metrics": (
        "[events.closed]",
        "[events.opened]\n[events.closed]",
        ["events.opened: emits no metric; add one, or leave the event out"],
    ),
    "a metric of two events": (
        "handovers =",
        'closings = { kind = "count" }\nhandovers =',
        [
            "events.handed_over.closings: a metric 'closings' is already there "
            "(events.closed.closings), and a metric belongs to one event; use another name"
        ],
    ),
    "a distinct duration": (
        'closing_time = { kind = "duration" }',
        'closing_time = { kind = "duration", distinct = "conversation_id" }',
        [
            "events.closed.closing_time.distinct: a duration metric cannot be distinct; "
            "leave this out, or use kind = 'count'"
        ],
    ),
    # Reports
    "a report of an unknown metric": (
        'metric = "closing_time"',
        'metric = "closing_tme"',
        [
            f"reports.closing_time.metric: unknown metric 'closing_tme'; use {METRICS} "
            "(did you mean 'closing_time'?)"
        ],
    ),
    "an average of a count": (
        'metric = "closing_time"',
        'metric = "handovers"',
        [
            "reports.closing_time.aggregate: the metric 'handovers' only counts, and has no "
            "average; use 'count', or a duration metric"
        ],
    ),
    "an exclusion by an unknown metric": (
        'exclude = "handovers"',
        'exclude = "hangovers"',
        ["reports.closings.exclude: unknown metric 'hangovers'; use 'handovers'"],
    ),
    "an exclusion by a metric that is not distinct": (
        'exclude = "handovers"',
        'exclude = "closing_time"',
        ["reports.closings.exclude: the metric 'closing_time' is not distinct; use 'handovers'"],
    ),
    "an exclusion where no metric is distinct": (
        ', distinct = "conversation_id"',
        "",
        [
            "reports.closings.exclude: the metric 'handovers' is not distinct; "
            "there is no distinct metric to use"
        ],
    ),
    "an exclusion by the metric itself": (
        'metric = "closings"',
        'metric = "handovers"',
        ["reports.closings.exclude: is the report's own metric; use another, or leave this out"],
    ),
    "an exclusion from an average": (
        'metric = "closing_time"',
        'metric = "closing_time"\nexclude = "handovers"',
        ["reports.closing_time.exclude: an average cannot leave anything out; only a count can"],
    ),
    "an exclusion and a summary without a metric": (
        'metric = "closings"\n',
        "",
        [
            "reports.closings.exclude: needs a metric; add one, or leave this out",
            "reports.closings.summary: needs a metric; add one, or leave this out",
        ],
    ),
    "a metric tracked by two columns": (
        "[reports.closings]",
        '[events.moved]\nmoves = { kind = "count", distinct = "thing_id" }\n'
        '[reports.moves]\naggregate = "count"\nmetric = "moves"\nexclude = "handovers"\n'
        "[reports.closings]",
        [
            "reports.moves.exclude: 'moves' would be tracked by 'conversation_id', but is tracked "
            "by 'thing_id' already; exclude a metric that is distinct by that"
        ],
    ),
    "two summary columns of one name": (
        'metric = "closing_time"',
        'metric = "closing_time"\nsummary = "closings"',
        [
            "reports.closing_time.summary: 'closings' is already a column of summaries "
            "(reports.closings.summary); use another name"
        ],
    ),
    "a summary column that summaries have anyway": (
        'summary = "closings"',
        'summary = "dimension_id"',
        [
            "reports.closings.summary: 'dimension_id' is a name of rollup.summary() itself; "
            "use another name"
        ],
    ),
}


def edited(old: str, new: str) -> str:
    """Replace something that is there once in VALID."""
    assert VALID.count(old) == 1, old
    return VALID.replace(old, new)


FORMAT_1 = """\
# Format 1.

[source]
schema = "public"
table = "things"
account = "account_id"
name = "name"
time = "happened_at"
time_type = "timestamptz"

[dimensions]
account = { column = "account_id" }
agent = { column = "user_id" }

"""


def of_format_1(old: str = "", new: str = "") -> str:
    """Give what VALID says as format 1 said it, edited."""
    rest = VALID[VALID.index("[accounts]") :].replace("[measures.duration]", "[measures.seconds]")
    assert old in FORMAT_1 + rest
    return (FORMAT_1 + rest).replace(old, new)


def problems(text: str) -> list[str]:
    with pytest.raises(RegistryError) as caught:
        parse(text, "registry.toml")
    first, *found = str(caught.value).split("\n  ")
    count = f"{len(found)} problem" + ("s" if len(found) > 1 else "")
    assert first == f"registry.toml: {count}"
    return found


@pytest.mark.parametrize(("old", "new", "expected"), REFUSED.values(), ids=REFUSED)
def test_refuses(old: str, new: str, expected: list[str]) -> None:
    assert problems(edited(old, new)) == expected


def test_reports_measures_beside_other_problems_of_the_source() -> None:
    text = edited(MEASURES, "").replace('time_type = "timestamptz"', "time_type = 1")
    assert [problem.partition(": ")[0] for problem in problems(text)] == [
        "sources.things.time_type",
        "measures.duration",
    ]


def test_reports_every_problem_at_once() -> None:
    text = edited('kind = "duration"', 'kind = "durration"')
    text = text.replace("time_type =", "time_tpye =").replace('"user_id"', '"seconds"')
    text = text.replace('exclude = "handovers"', 'exclude = "closings"')
    assert [problem.partition(": ")[0] for problem in problems(text)] == [
        "sources.things.time_tpye",
        "events.closed.closing_time.kind",
        "sources.things.dimensions.agent",
        "reports.closings.exclude",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[source]\ntable 3", "2:7: not TOML: expected '=' after a key in a key/value pair"),
        ("[source]\ntable = ", "2:9: not TOML: invalid value"),
        ("a = 1\na = 2\nb = 3\n", "2:6: not TOML: cannot overwrite a value"),
    ],
)
def test_refuses_what_is_not_toml(text: str, expected: str) -> None:
    with pytest.raises(RegistryError) as caught:
        parse(text, "my registry.toml")
    assert str(caught.value) == f"my registry.toml:{expected}"


LONG = "a_name_that_fills_half_a_line"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ('schema = "public"\ntable = "things"', 'schema = "a b"\ntable = "\\"x\\"é.y"'),
        ("agent =", f'{LONG} = {{ column = "{LONG}" }}\nagent ='),
        ("[measures.seconds]", f"[measures.{LONG}]"),
    ],
)
def test_a_file_of_format_1_is_one_problem_that_prints_what_to_write(old: str, new: str) -> None:
    text = of_format_1(old, new)
    with pytest.raises(RegistryError) as caught:
        parse(text, "registry.toml")
    first, problem, *lines = str(caught.value).split("\n")
    assert first == "registry.toml: 1 problem"
    assert problem == (
        "  format: [source] and [dimensions] are of format 1, and this version reads 2; delete "
        "them, leave all other sections as they are, and begin the file with these lines:"
    )
    assert all(len(line) <= 80 for line in lines)
    sections = text[text.index("[accounts]") :]
    registry = parse("\n".join([*lines, sections]), "registry.toml")
    assert registry.source.table == tomllib.loads(text)["source"]["table"]
    assert registry.source.schema == tomllib.loads(text)["source"]["schema"]
    assert {one.name: {"column": one.column} for one in registry.dimensions} == (
        tomllib.loads(text)["dimensions"]
    )
    assert [(one.name, one.column) for one in registry.measures] == [
        (name, name) for name in tomllib.loads(text)["measures"]
    ]


def test_what_a_file_of_format_1_lacks_is_left_to_the_user() -> None:
    with pytest.raises(RegistryError) as caught:
        parse('[source]\naccount = 3\nname = "name"\n', "registry.toml")
    assert str(caught.value).split("\n")[2:] == [
        "",
        "      format = 2",
        "",
        "      [sources.NAME]",
        '      account = "..."',
        '      name = "name"',
        '      time = "..."',
        '      time_type = "..."',
    ]


@pytest.mark.parametrize("before", [VALID, VALID.replace("format = 2\n", "")])
def test_sections_left_from_format_1_are_one_problem(before: str) -> None:
    assert problems(f'{before}[dimensions]\ninbox = {{ column = "inbox_id" }}\n') == [
        "dimensions: [dimensions] is of format 1, and this version reads 2; delete it, "
        'and add to sources.things.dimensions: inbox = "inbox_id"'
    ]
    assert problems(f'{before}[source]\ntable = "things"\n') == [
        "source: [source] is of format 1, and this version reads 2; delete it, because "
        "[sources.things] replaces [source] and [dimensions]"
    ]


def test_sections_of_format_1_in_a_file_that_says_format_2_are_replaced_at_its_end() -> None:
    text = f"format = 2\n{of_format_1()}"
    with pytest.raises(RegistryError) as caught:
        parse(text, "registry.toml")
    message, lines = str(caught.value).split(":\n\n")
    assert message.endswith(
        "  source: [source] and [dimensions] are of format 1, and this version "
        "reads 2; delete them, leave all other sections as they are, and end the file with these "
        "lines"
    )
    kept = text[text.index("[accounts]") :]
    assert parse(f"format = 2\n{kept}{lines}", "registry.toml").source.label == "things"


def test_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none", "no such file or directory"), (tmp_path, "is a dir")):
        with pytest.raises(RegistryError) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path}: cannot be read: {reason}")
        assert caught.value.hint == (
            "give the path of a registry file, or none to use the packaged registry"
        )


def test_refuses_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_bytes(VALID.replace("Bern", "Zürich").encode("latin-1"))
    line = VALID[: VALID.index("Bern")].count("\n") + 1
    with pytest.raises(RegistryError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:{line}: not UTF-8: invalid start byte"
    assert caught.value.hint == "save the file as UTF-8"


def test_reads_a_file_with_a_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "registry.toml"
    path.write_bytes(b"\xef\xbb\xbf" + VALID.replace("\n", "\r\n").encode())
    assert load(path) == parse(VALID, "registry.toml")


def test_the_limits_themselves_are_accepted() -> None:
    table, name = "é" * 31 + "x", "é" * 255
    text = edited("[sources.things]", f'[sources."{table}"]')
    registry = parse(text.replace("[events.closed]", f'[events."{name}"]'), "registry.toml")
    assert registry.source.table == table
    assert registry.event_names == (name, "handed_over")


def test_names_are_any_text() -> None:
    name = 'it\'s "$sql$"; -- \\ {{ x }}\n*/ 🦆'
    registry = parse(
        edited("agent =", f"{json.dumps(name, ensure_ascii=False)} ="), "registry.toml"
    )
    assert registry.dimensions[1].name == name


def test_aliases_are_compared_exactly() -> None:
    text = edited('"Bern" =', '"bern" = "Asia/Tokyo"\n" Bern" = "Asia/Tokyo"\n"Bern" =')
    assert parse(text, "registry.toml").timezone_aliases == (
        ("bern", "Asia/Tokyo"),
        (" Bern", "Asia/Tokyo"),
        ("Bern", "Europe/Zurich"),
    )


def test_only_source_rollups_dimensions_and_events_are_needed() -> None:
    text = VALID[: VALID.index("[accounts]")] + VALID[VALID.index("[rollups]") :]
    text = text[: text.index("[reports")].replace(MEASURES, "")
    text = text.replace(MEASURE, "").replace('closing_time = { kind = "duration" }', "")
    registry = parse(text, "registry.toml")
    assert registry.accounts is None
    assert not registry.measures + registry.reports + registry.timezone_aliases
    assert registry.report_measure is None
    assert registry.business_hours_measure is None


def test_a_table_is_named_like_its_source_unless_said_otherwise() -> None:
    registry = parse(VALID, "registry.toml")
    assert (registry.source.schema, registry.source.table) == ("public", "things")
    text = edited("[sources.things]", '[sources.label]\nschema = "a"\ntable = "b"')
    source = parse(text, "registry.toml").source
    assert (source.label, source.schema, source.table) == ("label", "a", "b")


def test_a_duration_needs_a_measure() -> None:
    text = edited(MEASURES, "").replace(MEASURE, "")
    assert problems(text) == [
        "measures: none, and the duration metric 'closing_time' would have nothing to add up; "
        "add a section [measures.NAME]"
    ]


def test_measures_are_told_apart_by_name_and_may_have_one_column() -> None:
    text = edited(MEASURES, 'measures = { duration = "seconds", agent = "seconds" }\n')
    again = '[measures.agent]\nsum = "again_sum"\ncount = "again_count"\n'
    found = event(parse(text + again, "registry.toml"))
    assert found.measures == {"duration": "duration", "agent": "measure agent"}
    assert [one.column for one in found.columns if one.is_measure] == ["seconds", "seconds"]


def test_the_default_registry() -> None:
    registry = load()
    assert registry == load(DEFAULT)
    assert (registry.source.schema, registry.source.table) == ("public", "reporting_events")
    assert registry.accounts
    assert registry.accounts.timezone_key == "reporting_timezone"
    assert [metric.name for metric in registry.metrics] == [
        "resolutions_count",
        "resolution_time",
        "first_response",
        "reply_time",
        "bot_resolutions_count",
        "bot_handoffs_count",
    ]
    assert [metric.name for metric in registry.totals] == [
        "resolutions_count",
        "resolution_time",
        "first_response",
        "reply_time",
        "bot_resolutions_count",
    ]
    assert registry.event_names == (
        "conversation_resolved",
        "first_response",
        "reply_time",
        "conversation_bot_resolved",
        "conversation_bot_handoff",
    )
    assert [dimension.name for dimension in registry.dimensions] == ["account", "agent", "inbox"]
    assert registry.id_columns == ("user_id", "inbox_id", "conversation_id")
    assert [one.column for one in registry.measures] == ["value", "value_in_business_hours"]
    assert (registry.report_measure, registry.business_hours_measure) == registry.measures
    assert len(registry.timezone_aliases) == 150
    assert ("Chennai", "Asia/Kolkata") in registry.timezone_aliases


def test_the_memberships_of_the_default_registry() -> None:
    registry = load()
    handoffs = Membership(
        event="conversation_bot_handoff",
        metric="bot_handoffs_count",
        column="conversation_id",
        counted=True,
    )
    resolutions = Membership(
        event="conversation_bot_resolved",
        metric="bot_resolutions_count",
        column="conversation_id",
        counted=False,
    )
    assert registry.memberships == (handoffs, resolutions)
    assert registry.counted_memberships == (handoffs,)
    assert registry.member_columns == ("conversation_id",)


def test_the_summaries_of_the_default_registry_are_in_the_order_of_the_reference() -> None:
    assert [report.name for report in load().reports if report.summary] == [
        "resolutions_count",
        "avg_resolution_time",
        "avg_first_response_time",
        "reply_time",
    ]


def test_a_metric_of_two_exclusions_is_tracked_once() -> None:
    again = '[reports.again]\naggregate = "count"\nmetric = "closings"\nexclude = "handovers"\n'
    text = edited("[timezone_aliases]", f"{again}[timezone_aliases]")
    tracked = [(one.metric, one.counted) for one in parse(text, "registry.toml").memberships]
    assert tracked == [("handovers", True), ("closings", False)]


def test_a_distinct_metric_with_an_exclusion_is_tracked_once() -> None:
    text = edited(
        'closings = { kind = "count" }',
        'closings = { kind = "count", distinct = "conversation_id" }',
    )
    tracked = [(one.metric, one.counted) for one in parse(text, "registry.toml").memberships]
    assert tracked == [("closings", True), ("handovers", True)]


def test_the_account_may_be_counted_distinct_and_is_no_id_column() -> None:
    registry = parse(edited('"conversation_id"', '"account_id"'), "registry.toml")
    assert registry.member_columns == ("account_id",)
    assert registry.id_columns == ("user_id",)


def test_columns_shared_by_dimensions_and_members_come_once() -> None:
    registry = parse(edited('"conversation_id"', '"user_id"'), "registry.toml")
    assert registry.member_columns == registry.id_columns == ("user_id",)


def test_the_digest_depends_on_nothing_but_the_content() -> None:
    registry = parse(VALID, "registry.toml")
    other = "# a comment\n" + edited(
        'count = "seconds_count"', "count='seconds_count' # and another\nbusiness_hours = false"
    ).replace("[events.closed]", '[events."closed"]')
    start, rest = other.split("[accounts]")
    format_, source = start.split("[sources.things]")
    moved = f"{format_}[accounts]{rest}[sources.things]{source}"
    assert parse(moved, "elsewhere.toml").digest == registry.digest
    assert len(registry.digest) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[sources.things]", "[sources.Things]"),
        ("[events.closed]", "[events.shut]"),
        ('"Bern"', '"Thun"'),
        ("[reports.closing_time]", "[reports.x]"),
        (DIMENSIONS, 'dimensions = { agent = "user_id", account = "account_id" }\n'),
    ],
)
def test_the_digest_depends_on_all_of_the_content_and_its_order(old: str, new: str) -> None:
    changed = parse(edited(old, new), "registry.toml")
    assert changed.digest != parse(VALID, "registry.toml").digest


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('"Bern"', '"Thun"', True),
        ("[reports.closing_time]", "[reports.x]", True),
        ('timezone = "timezone"', 'timezone = "zone"', True),
        ('exclude = "handovers"\n', "", False),
        ('kind = "duration"', 'kind = "count"', False),
        ('time_type = "timestamptz"', 'time_type = "timestamp"', False),
    ],
)
def test_the_counting_digest_depends_on_what_changes_counts(old: str, new: str, same: bool) -> None:
    changed = edited(old, new).replace('aggregate = "average"', 'aggregate = "count"')
    original = parse(VALID, "registry.toml")
    assert (parse(changed, "registry.toml").counting.digest == original.counting.digest) is same


VALUES: list[Any] = [
    *(3, 1.5, float("nan"), True, datetime.date(2026, 2, 11)),
    *("", "x", "a\0b", "count", "handovers", "account_id", "x" * 300),
    *([], ["x"], [{}], {}, {"x": 1}, {"": {}}, {"x": {"kind": "duration"}}),
]
KEYS = ["", "x", "a\0b", "kind", "distinct", "metrics", "business_hours", "measures"]


def places(table: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """List every key of a table and of the tables in it."""
    inner = (places(value) for value in table.values() if isinstance(value, dict))
    return [(table, key) for key in table] + [place for found in inner for place in found]


@given(st.data())
def test_no_content_is_a_crash(data: st.DataObject) -> None:
    document = tomllib.loads(VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        table, key = data.draw(st.sampled_from(places(document)))
        value = table.pop(key)
        key = data.draw(st.sampled_from([key, *KEYS]))
        table[key] = copy.deepcopy(data.draw(st.sampled_from([value, *VALUES])))
    draft, found = read(document)
    messages = [str(problem) for problem in (*found, *check(draft))]
    assert len(messages) == len(set(messages))
    assert not [message for message in messages if "http" in message or "Input" in message]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("events", "first_response", "kind"), "events.first_response.kind"),
        (("a-1", "b c", ""), 'a-1."b c".""'),
        (("a.b", 'say "hi"', "é\n"), r'"a.b"."say \"hi\""."é\n"'),
    ],
)
def test_places_are_written_as_in_toml(place: tuple[str, ...], expected: str) -> None:
    assert dotted(place) == expected
    value: Any = tomllib.loads(f"{expected} = 1")
    for key in place:
        value = value[key]
    assert value == 1


def test_the_counting_of_the_packaged_registry_is_that_of_deployed_databases() -> None:
    found = load().counting
    assert found.base == "a7abdfd573ad26c5e969e6281216a4632e813d951de3569eb317ce5f4750a0f4"
    assert found.metrics == {
        "bot_handoffs_count": "c14e50fd3e5e44ecd761834f5c5bcf42cafdce7cfca38a75c79bd1f09d124504",
        "bot_resolutions_count": "b03e7de9a18a05207181ea7b770d3fb7e445efcd3f7275462d21f57c163e3329",
        "first_response": "1142677069ee9c343ba0bc548bc634f38d200040e014bbe19125a622bf71f7a2",
        "reply_time": "86fa43855e32b688c7d5f01a741fc330b8d2436c1bc84949298dba214e82ca79",
        "resolution_time": "42cf60004608021de386b729e1fbd37633d3eb206c3cca9c0c95706e211617ad",
        "resolutions_count": "a4ab294ce27c759a2f15b830b738d4fa406919b16fd19c1f1d31f3f565edf3b1",
    }
    assert found.dimensions == {
        "account": "bd2aaedbadede3b61ffb3522270f679c46ed0680064bd35a3d3613b3c2cf073e",
        "agent": "cbe7b44c8d4ee2b6097203204c4a1fae30bf0744a60aadf4f8d523b7bee276ae",
        "inbox": "0e42614890f7f717e54da1a7554592a51b34aa13069da9ae1a7234b43431be50",
    }


def test_the_counting_is_that_of_format_1_whatever_measures_and_the_source_are_called() -> None:
    named = VALID.replace("duration =", "x =").replace("[measures.duration]", "[measures.x]")
    text = named.replace("[sources.things]", '[sources.y]\ntable = "things"')
    found = parse(text, "registry.toml").counting
    assert found.base == "7349096ff2cbe0d49c0ee683fb7accebb409c2ef6606bddea22eac5e4c1cba20"
    assert found.metrics == {
        "closings": "6525177112c9f3a43d4ddcb3ccf25f09c50e16f74071d0e2612cf949c63272ba",
        "closing_time": "62213f803548b6866d7e7bb9808afd23c779d6f7fb290363b7b86079c3126a27",
        "handovers": "16b057f583e5843e47c2f45f8f6642bce3881ddc3b3b0c6a17577c6044c12075",
    }
    assert found.dimensions == {
        "account": "bd2aaedbadede3b61ffb3522270f679c46ed0680064bd35a3d3613b3c2cf073e",
        "agent": "cbe7b44c8d4ee2b6097203204c4a1fae30bf0744a60aadf4f8d523b7bee276ae",
    }
