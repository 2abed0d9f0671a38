"""Undeploying: take out all that is ours, and leave the events and the accounts as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.blockers import waiting_for
from generator.database.connection import Connection, connect
from generator.database.patience import Patience
from generator.deploy import rights, sealed, tables
from generator.deploy.dependents import dependents
from generator.deploy.migrate import SCHEMA
from generator.deploy.script import TAKE_SLOTS
from generator.deploy.turns import take_turn
from generator.errors import DatabaseError
from generator.quoting import Sql, qualified

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.registry import Registry

_IS_DEPLOYED = "SELECT to_regnamespace('rollup') IS NOT NULL"

_IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"

# As rollup.fold() does, but for its lock on the events table, which may be gone or renamed.
_FOLD_ALL = """
SELECT rollup.fold_pending(
    rollup.try_slots(ARRAY (SELECT DISTINCT p.account_id FROM rollup.pending_events p)),
    0,
    9223372036854775807
)
"""

_MAKE_GAPS = """
CREATE TABLE IF NOT EXISTS rollup.gaps (
    account_id bigint,
    metric text,
    dimension_type text,
    days datemultirange
)
"""

_SEALED = "SELECT a.account_id FROM rollup.accounts a WHERE NOT isempty(a.sealed) ORDER BY 1"

_PENDING = "SELECT count(*) FROM rollup.pending_events"

# The source table before its partitions, as its writers lock them.
_TRIGGERS = """
SELECT format('%%I.%%I', n.nspname, c.relname), quote_ident(t.tgname)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE p.pronamespace = to_regnamespace(%(schema)s)
AND t.tgparentid = 0
AND NOT t.tgisinternal
ORDER BY
    c.relispartition,
    n.nspname,
    c.relname,
    t.tgname
"""


@dataclass(frozen=True, slots=True)
class _Steps:
    session: Connection
    registry: Registry
    drop_rollups: bool

    def check(self, *, even_purged: bool) -> None:
        """Refuse, before anything is changed, what would take away more than is ours."""
        if self.session.execute(_IS_DEPLOYED).fetchone() != (True,):
            raise DatabaseError(
                "nothing is deployed here",
                hint="check --database-url, DATABASE_URL or the PG* variables",
            )
        rights.check(self.session, self.registry)
        others = sorted({one.name for one in dependents(self.session) if one.drop is None})
        if others:
            raise DatabaseError(
                "others have made use of what would go\n"
                + "\n".join(f"  {name}" for name in others),
                hint="drop them first; nothing has been changed",
            )
        purged = [str(account) for account in self.purged()]
        if self.drop_rollups and purged and not even_purged:
            raise DatabaseError(
                f"raw events have been purged of accounts {', '.join(purged[:5])}"
                + (f" and {len(purged) - 5} more" if len(purged) > 5 else "")
                + ": their totals are all that is left of those days",
                hint="leave out --drop-rollups, or say --even-purged",
            )

    def purged(self) -> list[int]:
        """List the accounts of which days have been purged."""
        if not self._is_there("rollup.accounts"):
            return []
        return [account for [account] in self.session.execute(_SEALED)]

    @property
    def rollups(self) -> Sql:
        """Name the table of totals."""
        return qualified(self.registry.rollups.schema, self.registry.rollups.table)

    def _is_there(self, name: str) -> bool:
        return self.session.execute(_IS_THERE, (name,)).fetchone() == (True,)

    def _can_fold(self) -> bool:
        own = (f"rollup.{name}" for name in ("accounts", "pending_events", "distinct_members"))
        return all(map(self._is_there, (self.rollups, *own)))

    def fold(self) -> None:
        """Move what is pending by now into the rollup table, where no other session writes."""
        named = [one for one in (self.registry.source, self.registry.accounts) if one]
        read = [qualified(one.schema, one.table) for one in named]
        if not (self._can_fold() and all(map(self._is_there, read))):
            return  # all is left to the fold under locks
        [left] = self.session.execute(_PENDING).fetchone() or (0,)
        while left > 0:
            [folded] = self.session.execute("SELECT rollup.fold()").fetchone() or (0,)
            left -= folded or left

    def fold_the_last(self) -> None:
        """Move all that is pending into the rollup table, while no session writes."""
        if self._can_fold():
            self.session.execute(_FOLD_ALL)

    def keep_sealed(self) -> None:
        """Write down which days have been purged, where their totals are still there."""
        if self.purged() and self._is_there(self.rollups):
            self.session.execute(_MAKE_GAPS)  # it may be lost
            sealed.keep(self.session, self.registry)

    def lock(self, triggers: Sequence[tuple[str, str]]) -> None:
        """Hold up writers of the events, if these are there, and of what has our triggers."""
        source = self.registry.source
        events = qualified(source.schema, source.table)
        parts = tables.partitions(self.session, self.registry)
        for name in dict.fromkeys((events, *parts, *(table for table, _ in triggers))):
            if self._is_there(name):
                with waiting_for("ACCESS EXCLUSIVE", name):
                    self.session.execute(f"LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE")

    def drop(self) -> list[str]:
        """Drop triggers, fold the last that is pending, drop the schema; tell what has gone.

        Triggers are found by their functions: the tables may have other names by now, or be gone.
        """
        gone: list[str] = []
        # The slots first, for writers append meanwhile; with them, nothing is left out of the fold.
        TAKE_SLOTS.run(self.session)
        triggers = self.session.execute(_TRIGGERS, {"schema": SCHEMA}).fetchall()
        self.lock(triggers)
        if not self.drop_rollups:
            self.fold_the_last()
            self.keep_sealed()
        for table, trigger in triggers:
            with waiting_for("ACCESS EXCLUSIVE", table):
                self.session.execute(f"DROP TRIGGER {trigger} ON {table}")
            gone.append(f"trigger {trigger} on {table}")
        with waiting_for("ACCESS EXCLUSIVE", "rollup.accounts"):
            self.session.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        gone.append(f"schema {SCHEMA}")
        if self.drop_rollups:
            sealed.drop(self.session, self.registry)
        if self.drop_rollups and self._is_there(self.rollups):
            with waiting_for("ACCESS EXCLUSIVE", self.rollups):
                self.session.execute(f"DROP TABLE {self.rollups}")
            gone.append(f"table {self.rollups}")
        return gone


def undeploy(
    dsn: str,
    registry: Registry,
    *,
    drop_rollups: bool = False,
    even_purged: bool = False,
    patience: Patience | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Take out triggers and schema, all or nothing, and return what has gone.

    The rollup table stays, with all that was pending folded into it, unless `drop_rollups`; that is
    refused where days have been purged, whose totals it holds, unless `even_purged`. Which days
    these are is kept beside it, see `generator.deploy.sealed`. Writers wait as long as `patience`
    says at the most.
    """
    patience = patience or Patience()
    with connect(dsn) as session:
        take_turn(session, patience, report)
        steps = _Steps(session, registry, drop_rollups)
        steps.check(even_purged=even_purged)
        if not drop_rollups:
            steps.fold()
        return patience.run(session, steps.drop, report)
