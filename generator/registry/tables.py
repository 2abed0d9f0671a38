"""The tables of a registry file: what each may hold, each valid by itself.

What needs more than one of them to judge is in rules.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict
from pydantic.dataclasses import dataclass

from generator.quoting import check_identifier

MAX_NAME_CHARACTERS = 255
"""Names are data, in columns that may be varchar(255) where a table was adopted."""


def _identifier(name: str) -> str:
    check_identifier(name)
    return name


def _text(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def _name(name: str) -> str:
    _text(name)
    if len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(f"is {len(name)} characters long; use at most {MAX_NAME_CHARACTERS}")
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]
Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_name)]

_STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Source:
    """[sources.LABEL]: the table whose rows are the events, and the columns that every event has.

    The table is named like the section unless `table` says otherwise.
    """

    label: str
    schema: Identifier = "public"
    table: Identifier
    account: Identifier
    name: Identifier
    time: Identifier
    time_type: Literal["timestamp", "timestamptz"]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Accounts:
    """[accounts]: the table in which the application keeps each account's time zone.

    Without `timezone_key`, the column `timezone` is text; with it, a jsonb object.
    """

    schema: Identifier
    table: Identifier
    id: Identifier
    timezone: Identifier
    timezone_key: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Rollups:
    """[rollups]: the table of daily totals; `id_type` is that of dimension ids and members.

    `write_mode` is how events get there: "inline" at once where nobody else is writing for the
    account, "append" by way of what is pending, which is folded now and then.
    """

    schema: Identifier
    table: Identifier
    id_type: Literal["bigint", "text"]
    write_mode: Literal["inline", "append"] = "inline"


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Measure:
    """[measures.NAME]: a number of an event, and the rollup columns of its sum and count.

    Its column of the source is in [sources.LABEL.measures].
    """

    name: Name
    column: Identifier
    sum: Identifier
    count: Identifier
    business_hours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Dimension:
    """[sources.LABEL.dimensions] NAME: what totals are kept for, and the column with its id."""

    name: Name
    column: Identifier


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Number:
    """[sources.LABEL.measures] NAME: the column of the source that a measure reads."""

    name: Name
    column: Identifier


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Metric:
    """[events.EVENT] NAME: something that an event is counted as.

    With `distinct`, each value of that column counts once a day.
    """

    name: Name
    event: str
    kind: Literal["count", "duration"]
    distinct: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Event:
    """[events.NAME]: events of that name, and the metrics that each one emits."""

    name: Name
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Report:
    """[reports.NAME]: a number that reports offer; without `metric`, the application answers it.

    `exclude` names a distinct metric, and leaves out whatever that counted in the same range.
    `summary` is its column in summaries.
    """

    name: Name
    aggregate: Literal["count", "average"]
    metric: Name | None = None
    exclude: Name | None = None
    summary: Identifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Alias:
    """[timezone_aliases] NAME = ZONE: a name of the application's, and PostgreSQL's for it."""

    name: Name
    zone: Text
