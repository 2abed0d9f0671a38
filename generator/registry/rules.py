"""What the tables of a registry must be to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from generator.quoting import SYSTEM_COLUMNS
from generator.registry.problems import Problem, choices, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.registry.problems import Place
    from generator.registry.reader import Draft
    from generator.registry.tables import Accounts, Metric, Report, Rollups, Source

T = TypeVar("T")

OWN_SCHEMA = "rollup"
"""The schema of the generated objects, and of nothing else."""

ROLLUP_COLUMNS = SYSTEM_COLUMNS | {
    *("id", "account_id", "date", "dimension_type", "dimension_id", "metric", "count"),
    *("created_at", "updated_at"),
    *("members", "grouped_by", "is_true", "is_recorded"),
}
"""The columns of the rollup table, and of what compares it, that do not belong to a measure."""

SUMMARY_NAMES = frozenset(
    {"account_id", "dimension_type", "dimension_id", "since", "until", "business_hours"}
)
"""The parameters of rollup.summary(), and its column that does not belong to a report."""

DIMENSION_COLUMNS = 31
"""How many columns dimensions may have, besides the account's: as many as GROUPING() takes."""

_WAY_OUT = "give the table a stored generated column of another name, and use that"


def check(draft: Draft) -> Iterator[Problem]:
    """Find what is wrong between tables that are each valid by themselves."""
    yield from _tables(draft)
    yield from _source_columns(draft)
    yield from _rollup_columns(draft)
    yield from _dimensions(draft)
    yield from _measures(draft)
    yield from _metrics(draft)
    for report in draft.reports:
        yield from _report(report, draft)
    yield from _summaries(draft)
    yield from _tracked_columns(draft)


def _tables(draft: Draft) -> Iterator[Problem]:
    found: list[tuple[Place, Source | Accounts | Rollups | None]] = [
        (draft.place, draft.source),
        (("accounts",), draft.accounts),
        (("rollups",), draft.rollups),
    ]
    tables = [(section, table) for section, table in found if table]
    for section, table in tables:
        place = (*section, "schema")
        if table.schema == OWN_SCHEMA:
            yield Problem(place, f"{OWN_SCHEMA!r} is for the generated objects alone; use another")
        elif table.schema.startswith("pg_") or table.schema == "information_schema":
            yield Problem(place, f"{table.schema!r} is PostgreSQL's own; use another")
    names = (((*section, "table"), (one.schema, one.table)) for section, one in tables)
    for place, (schema, name), first in _repeated(names):
        yield Problem(place, f"'{schema}.{name}' is already that of {dotted(first[:-1])}")


class _Use(NamedTuple):
    """A column of the events, where the registry names it, and what it is there."""

    place: Place
    column: str
    role: str


def _uses(draft: Draft) -> Iterator[_Use]:
    if draft.source:
        for role in ("account", "name", "time"):
            yield _Use((*draft.place, role), getattr(draft.source, role), f"the {role}")
    for measure in draft.measures:
        yield _Use((*draft.place, "measures", measure.name), measure.column, "a measure")
    for dimension in draft.dimensions:
        yield _Use((*draft.place, "dimensions", dimension.name), dimension.column, "an id")
    for metric in draft.metrics:
        if metric.distinct:
            yield _Use(_place(metric, "distinct"), metric.distinct, "an id")


def _source_columns(draft: Draft) -> Iterator[Problem]:
    """Check that each column can be read from transition tables, and is read as one type."""
    first: dict[str, _Use] = {}
    for use in _uses(draft):
        if use.column in SYSTEM_COLUMNS:
            what = f"{use.column!r} is a system column, which a trigger cannot read"
            yield Problem(use.place, f"{what}; {_WAY_OUT}")
        earlier = first.setdefault(use.column, use)
        if earlier.role != use.role and {earlier.role, use.role} != {"the account", "an id"}:
            what = f"{use.column!r} is already {earlier.role} ({dotted(earlier.place)})"
            yield Problem(use.place, f"{what}, and read as one type; {_WAY_OUT}")


def _rollup_columns(draft: Draft) -> Iterator[Problem]:
    columns: list[tuple[Place, str]] = [
        (("measures", measure.name, key), column)
        for measure in draft.measures
        for key, column in (("sum", measure.sum), ("count", measure.count))
    ]
    for place, column in columns:
        if column in ROLLUP_COLUMNS:
            yield Problem(place, f"{column!r} is a column of every rollup table; use another name")
    for place, column, first in _repeated(columns):
        yield Problem(place, f"{column!r} is already in use ({dotted(first)}); use another name")


def _dimensions(draft: Draft) -> Iterator[Problem]:
    account = draft.source.account if draft.source else None
    columns = {one.column for one in draft.dimensions} - {account}
    if len(columns) > DIMENSION_COLUMNS:
        what = f"{len(columns)} columns besides the account's, and there may be {DIMENSION_COLUMNS}"
        yield Problem((*draft.place, "dimensions"), f"{what}; leave some out")


def _measures(draft: Draft) -> Iterator[Problem]:
    """Check that a report finds one measure, whether asked for business hours or not."""
    if draft.unread_in("measures"):
        return
    durations = [metric.name for metric in draft.metrics if metric.kind == "duration"]
    if durations and not draft.measures:
        what = f"none, and the duration metric {durations[0]!r} would have nothing to add up"
        yield Problem(("measures",), f"{what}; add a section [measures.NAME]")
    flagged = [measure for measure in draft.measures if measure.business_hours]
    for measure in flagged[1:]:
        what = f"{flagged[0].name!r} is already the measure of business hours"
        yield Problem(("measures", measure.name, "business_hours"), f"{what}; leave this out")
    if flagged and len(flagged) == len(draft.measures):
        what = "none is without business_hours, for reports that are not asked for them"
        yield Problem(("measures",), f"{what}; add one")


def _metrics(draft: Draft) -> Iterator[Problem]:
    for metric in draft.metrics:
        if metric.distinct and metric.kind == "duration":
            what = "a duration metric cannot be distinct; leave this out, or use kind = 'count'"
            yield Problem(_place(metric, "distinct"), what)
    places = ((_place(metric), metric.name) for metric in draft.metrics)
    for place, name, first in _repeated(places):
        what = f"a metric {name!r} is already there ({dotted(first)})"
        yield Problem(place, f"{what}, and a metric belongs to one event; use another name")


def _report(report: Report, draft: Draft) -> Iterator[Problem]:
    place = ("reports", report.name)
    if report.metric is None:
        for key in ("exclude", "summary"):
            if getattr(report, key):
                yield Problem((*place, key), "needs a metric; add one, or leave this out")
        return
    metrics = {metric.name: metric for metric in draft.metrics}
    metric = metrics.get(report.metric)
    if metrics and not metric and report.metric not in draft.unread_in("events"):
        what = f"unknown metric {report.metric!r}"
        yield Problem((*place, "metric"), f"{what}; {choices(report.metric, metrics)}")
    if metric and metric.kind == "count" and report.aggregate == "average":
        what = f"the metric {metric.name!r} only counts, and has no average"
        yield Problem((*place, "aggregate"), f"{what}; use 'count', or a duration metric")
    if report.exclude and (wrong := _wrong_exclude(report, report.exclude, draft)):
        yield Problem((*place, "exclude"), wrong)


def _wrong_exclude(report: Report, excluded: str, draft: Draft) -> str | None:
    metrics = {metric.name: metric for metric in draft.metrics}
    if report.aggregate == "average":
        return "an average cannot leave anything out; only a count can"
    if excluded == report.metric:
        return "is the report's own metric; use another, or leave this out"
    if not metrics or excluded in draft.unread_in("events"):
        return None
    distinct = [name for name, metric in metrics.items() if metric.distinct]
    if excluded in distinct:
        return None
    known = f"the metric {excluded!r} is not distinct"
    what = known if excluded in metrics else f"unknown metric {excluded!r}"
    instead = choices(excluded, distinct) if distinct else "there is no distinct metric to use"
    return f"{what}; {instead}"


def _summaries(draft: Draft) -> Iterator[Problem]:
    columns: list[tuple[Place, str]] = [
        (("reports", report.name, "summary"), report.summary)
        for report in draft.reports
        if report.summary
    ]
    for place, column in columns:
        if column in SUMMARY_NAMES:
            what = f"{column!r} is a name of rollup.summary() itself"
            yield Problem(place, f"{what}; use another name")
    for place, column, first in _repeated(columns):
        what = f"{column!r} is already a column of summaries ({dotted(first)})"
        yield Problem(place, f"{what}; use another name")


def _tracked_columns(draft: Draft) -> Iterator[Problem]:
    """Check that a metric is tracked by one column, its own or that of what reports exclude."""
    columns = {metric.name: metric.distinct for metric in draft.metrics if metric.distinct}
    tracked = dict(columns)
    for report in draft.reports:
        column = columns.get(report.exclude or "")
        if report.metric and column and tracked.setdefault(report.metric, column) != column:
            what = f"{report.metric!r} would be tracked by {column!r}"
            why = f"but is tracked by {tracked[report.metric]!r} already"
            place = ("reports", report.name, "exclude")
            yield Problem(place, f"{what}, {why}; exclude a metric that is distinct by that")


def _place(metric: Metric, *key: str) -> Place:
    return ("events", metric.event, metric.name, *key)


def _repeated(values: Iterable[tuple[Place, T]]) -> Iterator[tuple[Place, T, Place]]:
    """Find the values that were there before: their place, they themselves, their first place."""
    first: dict[T, Place] = {}
    for place, value in values:
        if first.setdefault(value, place) != place:
            yield place, value, first[value]
