"""`deploy`: make a database keep its rollups."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from generator.cli.backfill_run import work_off
from generator.cli.console import as_json, errors, note, say
from generator.cli.options import dsn_of, with_database, with_json, with_patience, with_registry
from generator.deploy import deploy as deploying
from generator.deploy import dry_run as writing

if TYPE_CHECKING:
    from generator.database.patience import Patience
    from generator.registry import Registry


@click.command()
@with_database
@with_registry
@click.option("--backfill", is_flag=True, help="Then fill in the history of every account.")
@click.option(
    "--delete-removed",
    is_flag=True,
    help="Delete the rows of metrics and dimensions that the registry no longer has; else they are "
    "kept as they are.",
)
@click.option(
    "--even-purged",
    is_flag=True,
    help="With --delete-removed: also those of days whose raw events have been purged.",
)
@click.option("--dry-run", is_flag=True, help="Print the SQL that would be run; run nothing.")
@with_json
@with_patience
def deploy(
    database_url: str | None,
    registry_: Registry,
    backfill: bool,
    delete_removed: bool,
    even_purged: bool,
    dry_run: bool,
    json_: bool,
    patience: Patience,
) -> None:
    """Make a database keep the rollups of the registry.

    Applies migrations, then replaces functions, views and triggers in one transaction. Safe beside
    live traffic, safe to repeat, and all or nothing: what is up to date is left alone. Everything
    is checked before anything is changed.

    `plan` tells what it would do. --dry-run prints the SQL, for psql -X -v ON_ERROR_STOP=1.
    """
    if even_purged and not delete_removed:
        raise click.UsageError("--even-purged goes with --delete-removed")
    if dry_run and json_:
        raise click.UsageError("--dry-run prints SQL: no --json")
    if dry_run and (backfill or delete_removed):
        raise click.UsageError("--dry-run prints what deploys: no --backfill, no --delete-removed")
    with errors():
        dsn = dsn_of(database_url)
        if dry_run:
            click.echo(writing.dry_run(dsn, registry_, patience).encode(), nl=False)
            return
        done = deploying.deploy(
            dsn,
            registry_,
            delete_removed=delete_removed,
            even_purged=even_purged,
            patience=patience,
            report=note,
        )
        tell = note if json_ else say
        if json_:
            as_json(asdict(done))
        for change in (*(f"apply migration {name}" for name in done.migrations), *done.changes):
            tell(change)
        if not done.changes and not done.rows_deleted:
            tell("nothing to do: all is up to date")
        if done.accounts_followed:
            tell(f"took over the time zones of {done.accounts_followed} accounts")
        if done.unknown_zones:
            (account, zone), *others = done.unknown_zones
            note(
                f"the server does not know the time zone {zone!r} of account {account}"
                + (f", nor those of {len(others)} more accounts" if others else "")
                + ": they take no part; `status` names them"
            )
        for gone in done.gone:
            note(gone)
        if done.coverage_voided:
            note(
                "events may have gone uncounted or have other values, or other things are counted "
                "now: days are no longer covered until they are backfilled"
            )
        elif done.incomplete:
            note(f"incomplete until they are backfilled: {', '.join(done.incomplete)}")
        if done.rows_deleted:
            tell(f"deleted {done.rows_deleted} rows of what is no longer counted")
        if done.retired:
            note(
                f"no longer counted, and kept as it was: {', '.join(done.retired)}; "
                "to delete those rows: deploy --delete-removed"
                + (" --even-purged" if delete_removed else "")
            )
        if backfill:
            work_off(dsn, tell=tell)
        else:
            note("next: python -m generator status; python -m generator backfill")
