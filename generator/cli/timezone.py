"""`timezone`: the reporting time zones of accounts."""

from __future__ import annotations

import click

from generator.cli.console import errors, fail, note, say, table
from generator.cli.options import AccountId, session_of, with_database

_LIST = """
SELECT s.account_id, s.wanted, s.timezone, s.setting, s.state
FROM rollup.status s
WHERE %(account)s::bigint IS NULL
OR s.account_id = %(account)s
ORDER BY s.account_id
"""

_SET = "SELECT rollup.set_timezone(%s, %s)"


@click.command()
@with_database
@click.argument("account_id", type=AccountId(), required=False)
@click.argument("zone", required=False)
@click.option("--off", is_flag=True, help="Switch the account off: it has no rollups then.")
def timezone(database_url: str | None, account_id: int | None, zone: str | None, off: bool) -> None:
    """Show or set reporting time zones.

    Without arguments, lists all accounts; with ACCOUNT_ID, shows one; with ZONE, sets it. A zone is
    a name that the server knows, such as Europe/Berlin, or an alias from the registry. Its days
    are uncovered, and reports read raw events, until the account has been backfilled.
    """
    if off and (account_id is None or zone is not None):
        raise click.UsageError("give ACCOUNT_ID and either ZONE or --off")
    with errors(), session_of(database_url) as session:
        if off or zone is not None:
            [canonical] = session.execute(_SET, (account_id, zone)).fetchone() or (None,)
            say(f"account {account_id}: {canonical or 'off'}")
            note(
                f"next: python -m generator backfill --account {account_id}"
                if zone
                else f"next: SELECT rollup.rebuild({account_id}) removes what is recorded"
            )
            return
        rows = session.execute(_LIST, {"account": account_id}).fetchall()
        if not rows and account_id is not None:
            fail(f"account {account_id} has no time zone", "give one: timezone ACCOUNT_ID ZONE")
        table(["account", "time zone", "recorded in", "application's setting", "state"], rows)
