"""`undeploy`: take everything out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.console import as_json, errors, fail, note, say
from generator.cli.options import dsn_of, with_database, with_json, with_patience, with_registry
from generator.cli.questions import can_ask, require_confirmation
from generator.deploy import undeploy as undeploying

if TYPE_CHECKING:
    from generator.database.patience import Patience
    from generator.registry import Registry


@click.command()
@with_database
@with_registry
@click.option("--drop-rollups", is_flag=True, help="Drop the rollup table, too.")
@click.option(
    "--even-purged",
    is_flag=True,
    help="With --drop-rollups: even where it holds the totals of purged events.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask; needed where there is no terminal.")
@with_json
@with_patience
def undeploy(
    database_url: str | None,
    registry_: Registry,
    drop_rollups: bool,
    even_purged: bool,
    yes: bool,
    json_: bool,
    patience: Patience,
) -> None:
    """Take out the triggers and the schema rollup; never the events or the accounts.

    The rollup table stays, with what was pending, and is no longer kept up to date. Which days have
    been purged is kept beside it, and the next deploy takes it over. Time zones that were set here
    and coverage go. All or nothing, beside live traffic: writers wait for --lock-timeout at the
    most.
    """
    with errors():
        dsn = dsn_of(database_url)
        if not yes:
            if not can_ask():
                fail("this takes everything out", "say --yes")
            require_confirmation("Take out the triggers and the schema rollup?")
        gone = undeploying.undeploy(
            dsn,
            registry_,
            drop_rollups=drop_rollups,
            even_purged=even_purged,
            patience=patience,
            report=note,
        )
        if json_:
            as_json({"dropped": gone})
        else:
            for one in gone:
                say(f"drop {one}")
        if not drop_rollups:
            rollups = registry_.rollups
            note(f"{rollups.schema}.{rollups.table} is kept, and no longer kept up to date")
