"""`report`: figures of an account, in the terminal, as CSV or JSON, or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from generator.cli import names
from generator.cli import report_output as output
from generator.cli.console import as_json, errors, fail, say
from generator.cli.options import AccountId, session_of, with_json, with_registry
from generator.cli.ranges import range_of
from generator.cli.report_answer import answer
from generator.cli.report_options import (
    options_of,
    with_account,
    with_dimension,
    with_output,
    with_scope,
)
from generator.report import queries

if TYPE_CHECKING:
    from generator.cli.moments import Typed
    from generator.cli.report_output import Answer
    from generator.database.connection import Connection
    from generator.registry import Registry
    from generator.report.queries import Request

PERIODS = ("hour", "day", "week", "month", "quarter", "year")

_EXAMPLES = """\b
Such as:
  report timeseries resolutions_count --account 1 --by week
  report aggregate avg_first_response_time --account 1 --for agent 6 --compare
  report summary agent --account 1 --since 2026-01-01 --until 2026-04-01
  report --html report.html --account 1
"""


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write one self-contained page: key figures, charts and tables of an account.",
)
@click.option("--account", "account_id", type=AccountId(), help="With --html: the account.")
@with_registry
@with_scope
@with_json
@click.pass_context
def report(
    context: click.Context,
    html: Path | None,
    account_id: int | None,
    registry_: Registry,
    database_url: str | None,
    since: Typed | None,
    until: Typed | None,
    timezone: str | None,
    business_hours: bool,
    json_: bool,
) -> None:
    """Answer reports: exact for any range, and fast where rollups cover it.

    Days that rollups do not cover, parts of days and hours come from raw events; --explain says
    which. Moments without an offset are local to the zone of the account, or of --timezone.
    """
    if context.invoked_subcommand:
        for param in context.command.params:
            if context.get_parameter_source(param.name or "") == ParameterSource.COMMANDLINE:
                raise click.UsageError(f"{param.opts[0]} goes after {context.invoked_subcommand}")
        return
    if html is None:
        click.echo(context.get_help())
        return
    if account_id is None:
        raise click.UsageError("--html needs --account")
    with errors(), session_of(database_url) as session:
        from generator.report import page

        zone = queries.zone_of(session, account_id, timezone)
        asked = range_of(session, zone, since, until)
        scope = page.Scope(
            account_id=account_id,
            since=asked.since,
            until=asked.until,
            zone=zone,
            business_hours=business_hours,
        )
        text = page.render(session, registry_, scope)
        try:
            html.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"cannot write {html}: {error.strerror}")
        if json_:
            as_json({"written": str(html)})
        else:
            say(f"wrote {html}")


@report.command()
@click.argument("metric", shell_complete=names.reports)
@with_account
@with_dimension
@click.option(
    "--by",
    "group_by",
    type=click.Choice(PERIODS),
    default="day",
    show_default=True,
    help="The size of a bucket.",
)
@click.option(
    "--week-start",
    type=click.Choice(["sunday", "monday"]),
    default="sunday",
    show_default=True,
    help="The first day of a week.",
)
@with_scope
@with_output
def timeseries(
    metric: str,
    dimension: tuple[str, str] | None,
    group_by: str,
    week_start: str,
    **options: Any,
) -> None:
    """Show METRIC by hour, day, week, month, quarter or year."""

    def ask(session: Connection, request: Request) -> Answer:
        return output.of_points(
            queries.timeseries(session, request),
            request,
            is_average=queries.is_average(session, request),
        )

    answer(
        ask,
        options_of(options),
        metric=metric,
        dimension=dimension,
        group_by=group_by,
        week_start=week_start,
    )


@report.command()
@click.argument("metric", shell_complete=names.reports)
@with_account
@with_dimension
@with_scope
@with_output
def aggregate(metric: str, dimension: tuple[str, str] | None, **options: Any) -> None:
    """Show METRIC as one number."""

    def ask(session: Connection, request: Request) -> Answer:
        return output.of_number(
            metric,
            queries.aggregate(session, request),
            is_average=queries.is_average(session, request),
        )

    answer(ask, options_of(options), metric=metric, dimension=dimension, group_by="range")


@report.command()
@click.argument("dimension_type", metavar="DIMENSION", shell_complete=names.dimensions)
@with_account
@with_registry
@with_scope
@with_output
def summary(dimension_type: str, registry_: Registry, **options: Any) -> None:
    """Show the key figures of every agent, inbox or other DIMENSION."""
    if not registry_.summaries:
        fail("the registry has no summaries", "give its reports a `summary`, then deploy")

    def ask(session: Connection, request: Request) -> Answer:
        return output.of_summary(queries.summary(session, request), durations)

    metric = registry_.summaries[0].report
    durations = frozenset(
        one.summary for one in registry_.summaries if one.summary and one.is_average
    )
    answer(ask, options_of(options), metric=metric, dimension=(dimension_type, None))
