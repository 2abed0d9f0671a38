"""`plan`: what deploying would do."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import as_json, errors
from generator.cli.options import dsn_of, with_database, with_patience, with_registry
from generator.cli.plan_output import HELD_UP, print_plan
from generator.deploy import plan as planning
from generator.deploy.meaning import meaning

if TYPE_CHECKING:
    from generator.database.patience import Patience
    from generator.deploy.plan import Plan
    from generator.registry import Registry


@click.command()
@with_database
@with_registry
@click.option("--diff", is_flag=True, help="Then print the difference of each text replaced.")
@click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")
@with_patience
def plan(
    database_url: str | None, registry_: Registry, diff: bool, json_: bool, patience: Patience
) -> None:
    """Show what `deploy` would do, and do nothing.

    First what it means: what is counted that was not, and which days have to be backfilled; the
    locks that it would wait for, and who holds them now. Then each object that it would create,
    replace, enable or drop, by name; with --diff, the difference of the texts. Reads in one
    read-only transaction, and holds up no session.

    Exits with 0 where there is nothing to do, with 2 where there is, and with 1 where `deploy`
    would refuse.
    """
    with errors():
        dsn = dsn_of(database_url)
        found = planning.plan(dsn, registry_, patience)
    if json_:
        as_json(_plain(found, patience, diff))
    else:
        print_plan(found, patience, diff=diff)
    sys.exit(WELL if found.is_nothing else DIFFERENT)


def _plain(found: Plan, patience: Patience, with_diffs: bool) -> dict[str, Any]:
    incomplete = found.incomplete
    diffs = {str(one): "\n".join(planning.diff(one)) for one in found.changes.objects}
    texts = {name: text for name, text in diffs.items() if text}
    return {
        "is_current": found.is_nothing,
        "meaning": meaning(found),
        "changes": [asdict(one) for one in found.listed],
        "diffs": texts if with_diffs else {},
        "lock_timeout": patience.lock_timeout,
        "attempts": patience.attempts,
        "locks": [
            {
                "mode": wait.lock.mode,
                "on": wait.lock.relations,
                "holds_up": HELD_UP[wait.lock.mode],
                "because": wait.reasons,
                "held_by": wait.holders,
            }
            for wait in found.waits
        ],
        "uncovered": incomplete and asdict(incomplete),
        "no_longer_counted": found.changes.difference.gone,
        "warnings": found.warnings,
    }
