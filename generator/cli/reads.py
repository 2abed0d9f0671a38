"""`reads`: whether the reports of an account read rollups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from generator.cli.console import as_json, errors, fail, note, say, table
from generator.cli.options import AccountId, session_of, with_database, with_json
from generator.cli.zones import fail_without_zone
from generator.operate import verify

if TYPE_CHECKING:
    from generator.database.connection import Connection

_LIST = """
SELECT s.account_id, CASE WHEN s.reads_enabled THEN 'on' ELSE 'off' END, s.wanted, s.state
FROM rollup.status s
WHERE %(account)s::bigint IS NULL
OR s.account_id = %(account)s
ORDER BY s.account_id
"""

_COLUMNS = ("account_id", "reads", "timezone", "state")

_SET = """
UPDATE rollup.accounts
SET reads_enabled = %(on)s
WHERE account_id = %(account)s
AND (wanted IS NOT NULL OR NOT %(on)s)
RETURNING (
    SELECT s.state
    FROM rollup.status s
    WHERE s.account_id = %(account)s
)
"""


@click.command()
@with_database
@with_json
@click.argument("account_id", type=AccountId(), required=False)
@click.argument("switch", type=click.Choice(["on", "off"]), required=False)
def reads(
    database_url: str | None, account_id: int | None, switch: str | None, json_: bool
) -> None:
    """Show, or switch ON or OFF, whether reports of an account read rollups.

    Off, the default, they read raw events: the same figures, slower. An account is verified before
    it is switched on, and refused where its rollups are not what they claim to be.
    """
    with errors(), session_of(database_url) as session:
        if account_id is None or switch is None:
            rows = session.execute(_LIST, {"account": account_id}).fetchall()
            if json_ and (rows or account_id is None):
                as_json([dict(zip(_COLUMNS, row, strict=True)) for row in rows])
            elif rows:
                table(["account", "reads", "time zone", "state"], rows)
            else:
                _fail_unknown(session, account_id)
            return
        if switch == "on":
            scope = verify.Scope(account_id=account_id)
            wrong = [row for row in verify.drift(session, scope) if row["covered"]]
            if wrong:
                fail(
                    f"account {account_id} has {len(wrong)} differences on covered days",
                    f"mend them: python -m generator verify --repair --account {account_id}",
                )
        row = session.execute(_SET, {"account": account_id, "on": switch == "on"}).fetchone()
        if row is None:
            _fail_unknown(session, account_id)
        else:
            if json_:
                as_json({"account_id": account_id, "reads": switch, "state": row[0]})
            else:
                say(f"account {account_id}: reads {switch}")
            if switch == "on" and row[0] != "covered":
                note(
                    f"{row[0]}: days that are not covered come from raw events until "
                    f"python -m generator backfill --account {account_id}"
                )


def _fail_unknown(session: Connection, account_id: int | None) -> None:
    if account_id is None:
        say("no accounts: give one a time zone with `python -m generator timezone ACCOUNT_ID ZONE`")
    else:
        fail_without_zone(session, account_id)
