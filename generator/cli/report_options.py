"""The options of reports: of whom, of when, and how to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from generator.cli import names
from generator.cli.moments import WORDS, Moment
from generator.cli.options import AccountId, with_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.cli.moments import Typed
    from generator.cli.report_output import Format

    Command = TypeVar("Command", bound="Callable[..., Any]")


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
        click.option("--json", "json_", is_flag=True, help="The same as --format json."),
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


def options_of(given: dict[str, Any]) -> Options:
    """Gather the options that all reports share; --json is another name of --format json."""
    format_ = given.pop("format_")
    if given.pop("json_"):
        source = click.get_current_context().get_parameter_source("format_")
        if source == ParameterSource.COMMANDLINE and format_ != "json":
            raise click.UsageError(f"--json or --format {format_}, not both")
        format_ = "json"
    return Options(format=format_, **given)
