"""Asking for an answer of `report`, in one snapshot, and printing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from generator.cli import report_output as output
from generator.cli.codes import DIFFERENT
from generator.cli.console import errors
from generator.cli.options import session_of
from generator.cli.ranges import range_of
from generator.report import comparison, queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.cli.ranges import Range
    from generator.cli.report_options import Options
    from generator.cli.report_output import Answer
    from generator.database.connection import Connection
    from generator.report.queries import Request


def answer(
    ask: Callable[[Connection, Request], Answer],
    options: Options,
    *,
    metric: str,
    dimension: tuple[str, str | None] | None,
    group_by: str = "range",
    week_start: str = "sunday",
) -> None:
    """Ask, in one snapshot, for all that is to be printed, and print it."""
    with errors(), session_of(options.database_url) as session:
        with queries.snapshot(session):
            zone = queries.zone_of(session, options.account_id, options.timezone, group_by)
            asked = range_of(session, zone, options.since, options.until)
            type_, id_ = dimension or (None, None)
            request = queries.Request(
                account_id=options.account_id,
                metric=metric,
                since=asked.since,
                until=asked.until,
                zone=zone,
                dimension_type=type_,
                dimension_id=id_,
                group_by=group_by,
                business_hours=options.business_hours,
                week_start=week_start,
            )
            if options.compare:
                compared = comparison.compare(session, lambda: ask(session, request))
                queries.read(session, "on")
            else:
                found = ask(session, request)
            parts = queries.parts(session, request) if options.explain else []
        output.print_title(_title(request, asked), options.format, is_news=asked.is_relative)
        if options.compare:
            is_same = output.print_comparison(compared, options.format)
        else:
            output.print_answer(found, options.format)
        output.print_parts(parts)
        if options.compare and not is_same:
            sys.exit(DIFFERENT)


def _title(request: Request, asked: Range) -> str:
    """Say what is answered: of whom, from when until when."""
    whom = f"account {request.account_id}"
    if request.dimension_id is not None:
        whom = f"{request.dimension_type} {request.dimension_id}, {whom}"
        what = request.metric
    elif request.dimension_type is not None:
        what = f"summary by {request.dimension_type}"
    else:
        what = request.metric
    return f"{what} of {whom}, {asked.text} ({request.zone})"
