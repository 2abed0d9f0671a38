"""`report`: figures of an account, in the terminal, as CSV or JSON, or as a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from generator import comparison, reports
from generator.cli import names
from generator.cli import report_output as output
from generator.cli.codes import DIFFERENT
from generator.cli.console import errors, fail, say
from generator.cli.moments import WORDS, Moment, range_of
from generator.cli.options import AccountId, session_of, with_database, with_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.cli.moments import Typed
    from generator.cli.report_output import Answer, Format
    from generator.database import Connection
    from generator.registry import Registry
    from generator.reports import Request

    Command = TypeVar("Command", bound="Callable[..., Any]")

PERIODS = ("hour", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that all reports share."""

    database_url: str | None
    account_id: int
    since: Typed | None
    until: Typed | None
    timezone: str | None
    business_hours: bool
    format: Format
    compare: bool
    explain: bool


def with_scope(command: Command) -> Command:
    """Add the options that say of whom and when."""
    for option in (
        click.option(
            "--business-hours", is_flag=True, help="Average the time within business hours."
        ),
        click.option(
            "--timezone",
            metavar="ZONE",
            help="The zone of days and local times.  [default: the account's]",
        ),
        click.option(
            "--until",
            type=Moment(),
            metavar="MOMENT",
            help="The end of the range, exclusive.  [default: the end of today]",
        ),
        click.option(
            "--since",
            type=Moment(),
            metavar="MOMENT",
            help="The beginning: YYYY-MM-DD[THH:MM[+HH:MM]], now, 24h (hours ago), "
            f"{WORDS}.  [default: 30 days before the end]",
        ),
        with_database,
    ):
        command = option(command)
    return command


def with_output(command: Command) -> Command:
    """Add the options that say how to answer."""
    for option in (
        click.option(
            "--explain", is_flag=True, help="Say, too, which days come from where, and why."
        ),
        click.option(
            "--compare",
            is_flag=True,
            help="Answer from rollups and from raw events; exit with 2 where they differ.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "csv", "json"]),
            default="table",
            show_default=True,
            help="How to print it.",
        ),
    ):
        command = option(command)
    return command


def with_dimension(command: Command) -> Command:
    """Add --for."""
    return click.option(
        "--for",
        "dimension",
        type=(str, str),
        metavar="DIMENSION ID",
        shell_complete=names.dimensions,
        help="Such as: agent 6.  [default: the account as a whole]",
    )(command)


with_account = click.option(
    "--account", "account_id", type=AccountId(), required=True, help="The account."
)


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
        from generator import page

        zone = reports.zone_of(session, account_id, timezone)
        begin, end = range_of(session, zone, since, until)
        scope = page.Scope(
            account_id=account_id, since=begin, until=end, zone=zone, business_hours=business_hours
        )
        text = page.render(session, registry_, scope)
        try:
            html.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"cannot write {html}: {error.strerror}")
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
            reports.timeseries(session, request),
            request,
            is_average=reports.is_average(session, request),
        )

    _answer(
        ask,
        _options(options),
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
            reports.aggregate(session, request),
            is_average=reports.is_average(session, request),
        )

    _answer(ask, _options(options), metric=metric, dimension=dimension, group_by="range")


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
        return output.of_summary(reports.summary(session, request), durations)

    metric = registry_.summaries[0].report
    durations = frozenset(
        one.summary for one in registry_.summaries if one.summary and one.is_average
    )
    _answer(ask, _options(options), metric=metric, dimension=(dimension_type, None))


def _options(given: dict[str, Any]) -> Options:
    return Options(format=given.pop("format_"), **given)


def _answer(
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
        with reports.snapshot(session):
            zone = reports.zone_of(session, options.account_id, options.timezone, group_by)
            since, until = range_of(session, zone, options.since, options.until)
            type_, id_ = dimension or (None, None)
            request = reports.Request(
                account_id=options.account_id,
                metric=metric,
                since=since,
                until=until,
                zone=zone,
                dimension_type=type_,
                dimension_id=id_,
                group_by=group_by,
                business_hours=options.business_hours,
                week_start=week_start,
            )
            if options.compare:
                compared = comparison.compare(session, lambda: ask(session, request))
                reports.read(session, "on")
            else:
                answer = ask(session, request)
            parts = reports.parts(session, request) if options.explain else []
        if options.compare:
            is_same = output.print_comparison(compared, options.format)
        else:
            output.print_answer(answer, options.format)
        output.print_parts(parts)
        if options.compare and not is_same:
            sys.exit(DIFFERENT)
