"""`timezone`: the reporting time zones of accounts."""

from __future__ import annotations

import click

from generator.cli.backfill_run import work_off
from generator.cli.console import as_json, errors, note, say, table
from generator.cli.options import AccountId, dsn_of, with_database, with_json
from generator.cli.zones import fail_without_zone, require_there
from generator.database.connection import connect

_LIST = """
SELECT s.account_id, s.wanted, s.timezone, s.setting, s.state
FROM rollup.status s
WHERE %(account)s::bigint IS NULL
OR s.account_id = %(account)s
ORDER BY s.account_id
"""

_COLUMNS = ("account_id", "timezone", "recorded_in", "setting", "state")

_SET = "SELECT rollup.set_timezone(%s, %s)"

_REBUILD = "SELECT rollup.rebuild(%s)"


@click.command()
@with_database
@with_json
@click.argument("account_id", type=AccountId(), required=False)
@click.argument("zone", required=False)
@click.option("--off", is_flag=True, help="Switch the account off, and remove its rollups.")
@click.option(
    "--no-backfill", is_flag=True, help="Only set it; the next backfill puts it into force."
)
def timezone(
    database_url: str | None,
    account_id: int | None,
    zone: str | None,
    off: bool,
    no_backfill: bool,
    json_: bool,
) -> None:
    """Show or set reporting time zones.

    Without arguments, lists all accounts; with ACCOUNT_ID, shows one; with ZONE, sets it and
    backfills the account. A zone is a name that the server knows, such as Europe/Berlin, or an
    alias from the registry.

    From the first moment until a day is backfilled it is uncovered, and reports read raw events.
    Interrupt it when you like: the same command, or backfill, goes on.
    """
    if off and (account_id is None or zone is not None):
        raise click.UsageError("give ACCOUNT_ID and either ZONE or --off")
    if no_backfill and not off and zone is None:
        raise click.UsageError("--no-backfill goes with ZONE or --off")
    with errors(), connect(dsn := dsn_of(database_url)) as session:
        if account_id is not None and (off or zone is not None):
            require_there(session, account_id)
            [canonical] = session.execute(_SET, (account_id, zone)).fetchone() or (None,)
            tell = note if json_ else say
            if json_:
                as_json({"account_id": account_id, "timezone": canonical})
            else:
                say(f"account {account_id}: {canonical or 'off'}")
            if no_backfill:
                note(f"until it is backfilled or rebuilt, account {account_id} is not covered")
            elif off:
                [removed] = session.execute(_REBUILD, (account_id,)).fetchone() or (0,)
                tell(f"removed {removed} rows")
            else:
                work_off(dsn, account_id, tell=tell)
            return
        rows = session.execute(_LIST, {"account": account_id}).fetchall()
        if not rows and account_id is not None:
            fail_without_zone(session, account_id)
        if json_:
            as_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
            return
        table(["account", "time zone", "recorded in", "application's setting", "state"], rows)
