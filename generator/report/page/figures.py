"""The figures of a page: asked of the database, all of one snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg.errors import ObjectNotInPrerequisiteState

from generator.errors import RollupError
from generator.report import queries
from generator.report.page.findings import Breakdown, Findings, Look, Series
from generator.report.page.origins import origins
from generator.report.page.periods import before, following, local_time, period_of
from generator.report.queries import Request

if TYPE_CHECKING:
    from datetime import datetime

    from generator.database.connection import Connection
    from generator.registry import Reading, Registry
    from generator.report.page.periods import Period, Scope


def ask(session: Connection, registry: Registry, scope: Scope) -> Findings:
    """Ask for all that a page shows; a RollupError where the registry has no reports to show."""
    if not registry.readings:
        raise RollupError(
            "the registry has no report that is made of events, so there is nothing to show",
            hint="add one, [reports.NAME] with a metric, then run `python -m generator deploy`",
        )
    with queries.snapshot(session):
        period = period_of(session, scope.since, scope.until, scope.zone)
        made = local_time(session, scope.zone)
        own = replace(scope, zone=queries.zone_of(session, scope.account_id, unit="range"))
        earlier, not_compared = _earlier(
            session, registry, own, before(session, period, scope.zone)
        )
        by_day = _request(scope, period, registry.readings[0], period.unit)
        return Findings(
            scope=scope,
            account_zone=own.zone,
            made=made,
            readings=registry.readings,
            now=_look(session, registry, own, period),
            before=earlier,
            not_compared=not_compared,
            series=tuple(_series(session, scope, one, period, made) for one in registry.readings),
            series_origins=origins(queries.parts(session, by_day)),
            breakdowns=tuple(
                _breakdown(session, registry, own, period, dimension.name)
                for dimension in registry.dimensions
                if registry.summaries and dimension.column != registry.source.account
            ),
        )


def _request(
    scope: Scope,
    period: Period,
    reading: Reading,
    unit: str = "range",
    dimension: str | None = None,
) -> Request:
    return Request(
        account_id=scope.account_id,
        metric=reading.report,
        since=period.since,
        until=period.until,
        zone=scope.zone,
        dimension_type=dimension,
        group_by=unit,
        business_hours=scope.business_hours,
    )


def _earlier(
    session: Connection, registry: Registry, scope: Scope, earlier: Period | None
) -> tuple[Look | None, str | None]:
    """Look at the period before or, where it cannot be known, say why."""
    if earlier is None:
        return None, "there is no such period before"
    try:
        with session.transaction():
            return _look(session, registry, scope, earlier), None
    except ObjectNotInPrerequisiteState as error:  # some of its events have been purged
        return None, error.diag.message_primary


def _look(session: Connection, registry: Registry, scope: Scope, period: Period) -> Look:
    requests = [_request(scope, period, one) for one in registry.readings]
    return Look(
        period=period,
        values=tuple(queries.aggregate(session, one) for one in requests),
        # Of all figures alike: whether a day is covered is a matter of accounts, not of metrics.
        origins=origins(queries.parts(session, requests[0])),
    )


def _series(
    session: Connection, scope: Scope, reading: Reading, period: Period, made: datetime
) -> Series:
    points = queries.timeseries(session, _request(scope, period, reading, period.unit))
    known = min(made, period.ends)
    return Series(
        reading=reading,
        unit=period.unit,
        points=tuple(points),
        partly=tuple(
            start < period.begins or following(start, period.unit) > known
            for start in (queries.held(one.local_start) for one in points)
        ),
    )


def _breakdown(
    session: Connection, registry: Registry, scope: Scope, period: Period, dimension: str
) -> Breakdown:
    readings = registry.summaries
    rows = queries.summary(session, _request(scope, period, readings[0], dimension=dimension)).rows
    found = Breakdown(dimension=dimension, readings=readings, rows=tuple(rows))
    if found.leading is None:
        return found
    place = 1 + readings.index(found.leading)
    return replace(found, rows=tuple(sorted(rows, key=lambda row: row[place], reverse=True)))
