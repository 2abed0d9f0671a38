"""What is busy beside the writers: rebuilders, a folder, a changer of time zones, and a killer."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from psycopg.errors import InvalidParameterValue

from tests.torture.events import DAYS, FOLLOWED, KEPT, SWITCHED, ZONES

if TYPE_CHECKING:
    from threading import Event as Signal

    from psycopg import Connection

    from tests.torture.arena import Arena
    from tests.torture.tally import Tally

Call = tuple[str, tuple[Any, ...]]

SETTINGS = (*ZONES, *ZONES, "Chennai", "Mars/Olympus3", "", None)
LONGEST_PAUSE = 1.0  # seconds, within a transaction

_SET_SETTING = """
INSERT INTO public.accounts (id, settings)
VALUES (%s, jsonb_build_object('reporting_timezone', %s::text))
ON CONFLICT (id) DO UPDATE SET settings = excluded.settings
"""
_DELETE_ACCOUNT = "DELETE FROM public.accounts WHERE id = %s"
_SET_TIMEZONE = "SELECT rollup.set_timezone(%s, %s)"
_REBUILD = "SELECT rollup.rebuild(%s, %s, %s)"


class Meddler:
    """Does one thing after the other until it is told to stop, with breaks between them."""

    heading: str
    longest_break = 0.5  # seconds
    is_victim = True

    def __init__(self, name: str, seed: str, arena: Arena, tally: Tally, stop: Signal) -> None:
        self._name = name
        self._chance = Random(f"{seed} {name}")
        self._arena, self._tally, self._stop = arena, tally, stop

    def work(self) -> None:
        """Work, in one connection after the other, until it is time to stop."""
        while not self._stop.is_set():
            with self._arena.connected(self._name, is_victim=self.is_victim) as connection:
                while not self._stop.wait(self._chance.random() * self.longest_break):
                    self._tally.add(self.heading, self.act(connection))

    def act(self, connection: Connection[Any]) -> str:
        """Do something, and tell what."""
        raise NotImplementedError

    def in_transaction(
        self, connection: Connection[Any], *calls: Call, level: str = "READ COMMITTED"
    ) -> str:
        """Execute statements in a transaction that stays open for a while, and tell its end."""
        connection.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
        for statement, arguments in calls:
            connection.execute(statement, arguments)
        self._stop.wait(self._chance.random() * LONGEST_PAUSE)
        end = self._chance.choice(["COMMIT", "COMMIT", "COMMIT", "ROLLBACK"])
        connection.execute(end)
        return "committed" if end == "COMMIT" else "rolled back"


class Rebuilder(Meddler):
    """Rebuilds and backfills, whole accounts and ranges of days."""

    heading = "rebuilds"

    def act(self, connection: Connection[Any]) -> str:
        account = self._chance.choice([None, *KEPT, *SWITCHED, *SWITCHED, *FOLLOWED, *FOLLOWED])
        if account in (*SWITCHED, *FOLLOWED) and self._chance.random() < 0.5:
            return self._backfill(connection, account)
        since, until = self._days() if self._chance.random() < 0.3 else (None, None)
        what = "of all" if account is None else "of one"
        what += ", some days" if since or until else ""
        rebuild = (_REBUILD, (account, since, until))
        if self._chance.random() < 0.2:
            return f"{what}, {self.in_transaction(connection, rebuild)}"
        connection.execute(*rebuild)
        return what

    def _backfill(self, connection: Connection[Any], account: int) -> str:
        """Backfill, but never an account that is kept: until it is done, days may be wrong."""
        since, until = self._days() if self._chance.random() < 0.3 else (None, None)
        try:
            connection.execute("CALL rollup.backfill(%s, %s, %s)", (account, since, until))
        except InvalidParameterValue as error:
            if "has no time zone" not in str(error):
                raise
            return "backfill, refused for an account that is off"
        return "backfill, some days" if since or until else "backfill"

    def _days(self) -> tuple[str | None, str | None]:
        since, until = sorted(self._chance.choices(DAYS, k=2))
        bounds = [(str(since), str(until)), (str(since), None), (None, str(until))]
        return self._chance.choice(bounds)


class Folder(Meddler):
    """Folds, all that is pending or that of an account."""

    heading = "folds"

    def act(self, connection: Connection[Any]) -> str:
        fold = ("SELECT rollup.fold(%s)", (self._chance.choice([None, None, *KEPT]),))
        if self._chance.random() < 0.1:
            return self.in_transaction(connection, fold)
        [events] = connection.execute(*fold).fetchone() or (0,)
        self._tally.add("rows", "folded", events)
        return "committed"


class ZoneChanger(Meddler):
    """Changes the zones of accounts, here and in the application's settings."""

    heading = "zone changes"
    longest_break = 1.0

    def act(self, connection: Connection[Any]) -> str:
        if self._chance.random() < 0.35:
            return self._follow(connection)
        account = self._chance.choice([*KEPT, *SWITCHED])
        zone: str | None = self._chance.choice(ZONES)
        if account in SWITCHED and self._chance.random() < 0.4:
            zone = None
        change = (_SET_TIMEZONE, (account, zone))
        what = "on or to another" if zone else "off"
        if self._chance.random() < 0.3:
            return f"{what}, {self.in_transaction(connection, change)}"
        if self._chance.random() < 0.3:
            rebuild = (_REBUILD, (account, None, None))
            return f"{what} and rebuild, {self.in_transaction(connection, change, rebuild)}"
        connection.execute(*change)
        return what

    def _follow(self, connection: Connection[Any]) -> str:
        account = self._chance.choice(FOLLOWED)
        change: Call = (_SET_SETTING, (account, self._chance.choice(SETTINGS)))
        if self._chance.random() < 0.3:
            change = (_DELETE_ACCOUNT, (account,))
        if self._chance.random() < 0.5:
            level = self._chance.choice(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
            return f"application's, {self.in_transaction(connection, change, level=level)}"
        connection.execute(*change)
        return "application's"


class Killer(Meddler):
    """Terminates connections."""

    heading = "kills"
    longest_break = 5.0
    is_victim = False

    def act(self, connection: Connection[Any]) -> str:
        victim = self._arena.kill(self._chance, connection)
        return victim.rstrip(" 0123456789") if victim else "no session there"
