"""The command line: `python -m generator COMMAND`."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from generator import __version__
from generator.cli.backfill import backfill
from generator.cli.codes import heed_termination
from generator.cli.commands import Commands
from generator.cli.completion import VARIABLE, completion
from generator.cli.demo import demo
from generator.cli.deploy import deploy
from generator.cli.fold import fold
from generator.cli.plan import plan
from generator.cli.reads import reads
from generator.cli.render import render
from generator.cli.report import report
from generator.cli.status import status
from generator.cli.timezone import timezone
from generator.cli.undeploy import undeploy
from generator.cli.verify import verify


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A database is named by --database-url, else by DATABASE_URL, else by the PG* "
    "variables; only `demo` brings one of its own. Exit codes: "
    "0 well; 1 error, wrong usage included; 2 a difference or something to do; 130 interrupted; "
    "143 terminated (docs/operations.md#exit-codes).",
)
@click.version_option(__version__, prog_name="reporting-rollups")
def cli() -> None:
    """Exact daily rollups of an events table, kept by PostgreSQL itself."""


for _command in (
    *(demo, render, plan, deploy, timezone, backfill),
    *(verify, fold, reads, report, status, undeploy, completion),
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line of this process. What its output cannot show is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    heed_termination()
    cli(prog_name="python -m generator", complete_var=VARIABLE)
