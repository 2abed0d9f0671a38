"""The judge of every test that writes: a query over the raw events, and what differs from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

DIFFERENCES = Path(__file__).with_name("oracle.sql").read_bytes()
SHOWN = 20


def differences(connection: Connection[Any], *, covered: bool = False) -> list[str]:
    """Say where the events and the rollups differ now, on all days or on the covered ones."""
    rows = connection.execute(DIFFERENCES, {"covered": covered})
    return [
        f"{what}: account {account}, {type_} {id_}, {day}, {metric}: {found!r}, not {expected!r}"
        for what, account, type_, id_, day, metric, found, expected in rows
    ]


def assert_exact(connection: Connection[Any]) -> None:
    """Fail, naming every difference, unless the rollups say what the events say."""
    _assert_none(differences(connection))


def assert_exact_where_covered(connection: Connection[Any]) -> None:
    """The same, on the days of each account that are called covered."""
    _assert_none(differences(connection, covered=True))


def _assert_none(found: list[str]) -> None:
    listed = "\n".join(found[:SHOWN])
    assert not found, f"{len(found)} differences between rollups and events:\n{listed}"
