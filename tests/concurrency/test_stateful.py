"""Any sequence of steps, on several connections at once: after each, every snapshot is exact.

The steps are chosen by hypothesis, which shortens a sequence that fails and prints it, with what
brings it back. The profile `long`, chosen by the variable HYPOTHESIS_PROFILE, tries many more.
Nothing may wait but a rebuild, for a slot that another transaction holds.
"""

from __future__ import annotations

import itertools
import os
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, LiteralString

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from generator.database.locks import LOCK_CLASS
from tests.support.oracle import DIFFERENCES, assert_exact, assert_exact_where_covered
from tests.support.write_modes import in_both_write_modes

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = psycopg.Connection[Any]
Claims = dict[int, bool]
Event = tuple[Any, ...]
Days = tuple[str | None, str | None]

COMMON = settings(
    deadline=None, print_blob=True, suppress_health_check=list(HealthCheck), database=None
)
PROFILES = {
    "short": settings(COMMON, max_examples=15, stateful_step_count=30),
    "long": settings(COMMON, max_examples=500, stateful_step_count=50),
}

ACCOUNTS = (1, 2, 257)  # the first and the last share a slot
SESSIONS = 4
ZONES = ("America/New_York", "Europe/Rome", "Pacific/Apia", "UTC")
READ_COMMITTED, SERIALIZABLE = "READ COMMITTED", "SERIALIZABLE"
LEVELS = (READ_COMMITTED, READ_COMMITTED, "REPEATABLE READ", SERIALIZABLE)
DAYS = ("2011-12-30", "2026-03-08", "2026-03-09", "2026-03-29", "2026-11-01")
MOMENTS = (
    "2011-12-30 09:59:59.999999",  # the end of Apia's 29th, after which comes the 31st
    "2011-12-30 10:00",
    "2026-03-08 04:59:59",  # New York's short day begins at 5:00 and ends at 4:00
    "2026-03-08 05:00",
    "2026-03-09 03:59:59.999999",
    "2026-03-09 04:00",
    "2026-03-28 23:00",  # and Rome's at 23:00 and 22:00
    "2026-03-29 22:00",
    "2026-11-01 04:00",  # New York's long one
    "2026-11-02 04:59:59",
)

RESET = """
SET session_replication_role = replica;
TRUNCATE public.reporting_events, public.reporting_events_rollups, rollup.distinct_members,
    rollup.pending_events, rollup.invalidations, rollup.accounts RESTART IDENTITY;
RESET session_replication_role
"""
HELD = """
SELECT l.objid::bigint
FROM pg_locks l
WHERE l.locktype = 'advisory'
AND l.classid = %s
AND l.objid < 256
AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
AND l.pid IS DISTINCT FROM %s
"""
USERS = """
SELECT count(*)
FROM pg_locks l
WHERE l.locktype = 'relation'
AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
AND l.relation = 'public.reporting_events'::regclass
AND l.pid IS DISTINCT FROM %s
"""
FREE = "SELECT FROM rollup.accounts WHERE account_id = %s FOR NO KEY UPDATE SKIP LOCKED"
IN_FORCE = "SELECT account_id, timezone FROM rollup.accounts"
WANTED = "SELECT count(wanted) FROM rollup.accounts WHERE account_id = %s"
CHUNKS = "SELECT count(*) FROM rollup.backfill_chunks(%s, %s, %s)"
INSERT = """
INSERT INTO public.reporting_events (
    id, account_id, name, value, value_in_business_hours, user_id, inbox_id, conversation_id,
    created_at, updated_at
)
VALUES
"""
ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, now())"
SOME = f"id %% {SESSIONS} = %s AND id / {SESSIONS} %% 3 <> %s"

VANDALISM = (
    "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = %s",
    "UPDATE public.reporting_events_rollups SET sum_value = sum_value - 7 WHERE account_id = %s",
    "DELETE FROM public.reporting_events_rollups WHERE count <> 0 AND account_id = %s",
    "UPDATE rollup.distinct_members SET occurrences = occurrences + 1 WHERE account_id = %s",
    "DELETE FROM rollup.distinct_members WHERE occurrences <> 0 AND account_id = %s",
    """
    INSERT INTO public.reporting_events_rollups (
        account_id, date, dimension_type, dimension_id, metric, count
    )
    VALUES (%s, '2026-03-08', 'agent', 99, 'reply_time', -1)
    """,
    """
    INSERT INTO rollup.distinct_members (
        account_id, date, dimension_type, dimension_id, metric, member, occurrences
    )
    VALUES (%s, '2026-03-08', 'inbox', 99, 'bot_handoffs_count', 31, 1)
    """,
)

sessions = st.integers(0, SESSIONS - 1)
accounts = st.sampled_from(ACCOUNTS)
levels = st.sampled_from(LEVELS)
ends = st.sampled_from([True, True, False])
thirds = st.integers(0, 2)
small = st.sampled_from([None, 1, 2])
columns = {
    "account_id": st.sampled_from([*ACCOUNTS, *ACCOUNTS, None]),
    "name": st.sampled_from(
        [
            "conversation_resolved",
            "first_response",
            "conversation_bot_resolved",
            "conversation_bot_handoff",
            "conversation_bot_handoff",
            "conversation_opened",
        ]
    ),
    "value": st.sampled_from([None, 60.0, 0.5, float("inf")]),
    "value_in_business_hours": st.sampled_from([None, 30.0]),
    "user_id": small,
    "inbox_id": small,
    "conversation_id": small,
    "created_at": st.sampled_from(MOMENTS),
}
batches = st.lists(st.tuples(*columns.values()), min_size=1, max_size=4)
changes = st.fixed_dictionaries({}, optional=columns).filter(bool)
ranges = st.one_of(
    st.just((None, None)),
    st.tuples(st.none(), st.sampled_from(DAYS)),
    st.tuples(st.sampled_from(DAYS), st.none()),
    st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(lambda days: tuple(sorted(days))),
)


@dataclass(slots=True, kw_only=True)
class Session:
    """A connection, the transaction that it is in, and what that changes of the claims.

    An account is claimed while its rollups are exact on all days, not only on the covered ones.
    """

    connection: Connection
    number: int
    gid: str
    level: str | None = None
    seen: Claims = field(default_factory=dict)
    changes: list[tuple[int, bool]] = field(default_factory=list)
    savepoints: list[int] = field(default_factory=list)
    has_read: bool = False
    is_stale: bool = False
    is_prepared: bool = False

    @property
    def pid(self) -> int:
        return self.connection.info.backend_pid

    @property
    def may_rebuild(self) -> bool:
        return self.level in (None, READ_COMMITTED)

    @property
    def may_conflict(self) -> bool:
        """Say whether it may fail to serialize: not for its inserts, nor for those of others."""
        return self.level == SERIALIZABLE and self.has_read

    def begin(self, level: str, claims: Claims) -> None:
        """Begin a transaction and, where it has only one, take its snapshot."""
        self.connection.execute(f"BEGIN ISOLATION LEVEL {level}; SELECT".encode())
        self.level, self.seen = level, dict(claims)

    def set_savepoint(self) -> None:
        self.connection.execute(f"SAVEPOINT s{len(self.savepoints)}".encode())
        self.savepoints.append(len(self.changes))

    def end_savepoint(self, *, keep: bool) -> None:
        changes = self.savepoints.pop()
        verb = "RELEASE" if keep else "ROLLBACK TO"
        self.connection.execute(f"{verb} s{len(self.savepoints)}".encode())
        if not keep:
            del self.changes[changes:]

    def closed(self) -> list[tuple[int, bool]]:
        """Forget the transaction, and return what it has changed."""
        changes, self.changes = self.changes, []
        self.level, self.savepoints = None, []
        self.has_read = self.is_stale = self.is_prepared = False
        return changes

    def claims(self, current: Claims) -> Claims:
        """Return what is claimed of what it sees."""
        seen = current if self.level == READ_COMMITTED else self.seen
        return {**seen, **dict(self.changes)}


class Rollups(RuleBasedStateMachine):
    """Some sessions, each of which writes events that it knows by their ids as its own.

    So no two meet in a row of the events, and a session that waits does so for the rollups.
    """

    dsn: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.watcher = self.connect()
        self.watcher.execute(RESET.encode())
        self.sessions = [
            Session(
                connection=self.connect(options="-c lock_timeout=100ms"),
                number=number,
                gid=f"{self.watcher.info.dbname} {number}",
            )
            for number in range(SESSIONS)
        ]
        self.exact: Claims = dict.fromkeys(ACCOUNTS, True)
        self.ids = itertools.count(1)

    def connect(self, **options: Any) -> Connection:
        connection = psycopg.connect(self.dsn, autocommit=True, **options)
        return self.stack.enter_context(closing(connection))

    @initialize(history=batches, rebuilt=st.sets(accounts))
    def begin_with_history(self, history: list[Event], rebuilt: set[int]) -> None:
        """Begin with events that no trigger has seen, and some accounts that are backfilled."""
        self.watcher.execute("SET session_replication_role = replica")
        for session in self.sessions:
            self.write(session, self.watcher, history)
        self.watcher.execute("RESET session_replication_role")
        for account in ACCOUNTS:
            self.watcher.execute("SELECT rollup.set_timezone(%s, %s)", (account, ZONES[0]))
            self.exact[account] = account in rebuilt
        for account in sorted(rebuilt):
            self.watcher.execute("SELECT rollup.rebuild(%s)", (account,))

    @rule(number=sessions, level=levels)
    def begin(self, number: int, level: str) -> None:
        """Begin a transaction or, within one, set a savepoint."""
        with self.using(number) as session:
            if session.level:
                session.set_savepoint()
            else:
                session.begin(level, self.exact)

    @rule(number=sessions, keep=st.booleans())
    def end_savepoint(self, number: int, keep: bool) -> None:
        with self.using(number) as session:
            if session.savepoints:
                session.end_savepoint(keep=keep)

    @rule(number=sessions, commit=ends)
    def end(self, number: int, commit: bool) -> None:
        with self.using(number) as session:
            if session.level:
                session.connection.execute("COMMIT" if commit else "ROLLBACK")
                self.close(session, commit=commit)

    @rule(number=sessions)
    def prepare(self, number: int) -> None:
        with self.using(number) as session:
            if session.level and not session.may_conflict:
                session.connection.execute(f"PREPARE TRANSACTION '{session.gid}'".encode())
                session.is_prepared = True

    @rule(number=sessions, commit=ends)
    def end_prepared(self, number: int, commit: bool) -> None:
        session = self.sessions[number]
        if session.is_prepared:
            verb = "COMMIT" if commit else "ROLLBACK"
            session.connection.execute(f"{verb} PREPARED '{session.gid}'".encode())
            self.close(session, commit=commit)

    @rule(number=sessions, batch=batches)
    def insert(self, number: int, batch: list[Event]) -> None:
        with self.using(number) as session:
            self.write(session, session.connection, batch)

    @rule(number=sessions, changes=changes, third=thirds)
    def update(self, number: int, changes: dict[str, Any], third: int) -> None:
        with self.using(number) as session:
            session.has_read = True
            assignments = ", ".join(f"{name} = %s" for name in changes)
            statement = f"UPDATE public.reporting_events SET {assignments} WHERE {SOME}"
            session.connection.execute(statement.encode(), [*changes.values(), number, third])

    @rule(number=sessions, third=thirds)
    def delete(self, number: int, third: int) -> None:
        with self.using(number) as session:
            session.has_read = True
            statement = f"DELETE FROM public.reporting_events WHERE {SOME}"
            session.connection.execute(statement.encode(), (number, third))

    @rule(number=sessions, level=levels, batch=batches, commit=st.booleans())
    def truncate(self, number: int, level: str, batch: list[Event], commit: bool) -> None:
        """Truncate, where no session would have to be waited for, and let none wait for long."""
        with self.using(number) as session:
            if self.count(USERS, session.pid):
                return
            if session.level is None:
                session.begin(level, self.exact)
            session.set_savepoint()
            before = zones_in_force(session.connection)
            session.connection.execute("SET LOCAL lock_timeout = '5s'")
            session.connection.execute("TRUNCATE public.reporting_events")
            session.changes += (
                rebuilt(before, zones_in_force(session.connection))
                if session.may_rebuild
                else [(account, False) for account in ACCOUNTS]
            )
            self.write(session, session.connection, batch)
            self.look_from(session)
            if commit:
                session.connection.execute("COMMIT")
                self.close(session, commit=True)
                for other in self.sessions:
                    other.is_stale = other.level not in (None, READ_COMMITTED)
            else:
                session.end_savepoint(keep=False)

    @rule(number=sessions, account=accounts, zone=st.sampled_from([None, *ZONES]))
    def set_timezone(self, number: int, account: int, zone: str | None) -> None:
        """Change a zone, unless another session is about to."""
        with self.using(number) as session, session.connection.transaction():
            if not session.may_rebuild or not session.connection.execute(FREE, (account,)).rowcount:
                return
            before = zones_in_force(session.connection)[account]
            session.connection.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
            if before is None and zone is not None:
                session.changes.append((account, False))

    @rule(number=sessions, account=st.none() | accounts, days=ranges)
    def rebuild(self, number: int, account: int | None, days: Days) -> None:
        call = ("SELECT rollup.rebuild(%s, %s, %s)", (account, *days))
        with self.using(number) as session:
            if not session.may_rebuild:
                with pytest.raises(psycopg.errors.ActiveSqlTransaction):
                    self.attempt(session, *call)
            elif self.is_held(account, session.pid):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    self.attempt(session, *call)
            else:
                before = zones_in_force(session.connection)
                session.connection.execute(*call)
                if days == (None, None):
                    session.changes += rebuilt(before, zones_in_force(session.connection), account)

    @rule(number=sessions, account=st.none() | accounts)
    def fold(self, number: int, account: int | None) -> None:
        call = ("SELECT rollup.fold(%s)", (account,))
        with self.using(number) as session:
            if session.may_rebuild:
                session.connection.execute(*call)
            else:
                with pytest.raises(psycopg.errors.ActiveSqlTransaction):
                    self.attempt(session, *call)

    @rule(account=accounts, days=ranges)
    def backfill(self, account: int, days: Days) -> None:
        arguments = (account, *days)
        if not self.count(WANTED, account):
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="has no time zone"):
                self.watcher.execute("CALL rollup.backfill(%s, %s, %s)", arguments)
            return
        if not self.count(CHUNKS, *arguments) or self.is_held(account):
            return
        before = self.zones()[account]
        self.watcher.execute("CALL rollup.backfill(%s, %s, %s)", arguments)
        if days == (None, None):
            self.exact[account] = True
        elif self.zones()[account] != before:
            self.exact[account] = False

    @rule(account=accounts, damage=st.sampled_from(VANDALISM))
    def vandalise(self, account: int, damage: str) -> None:
        """Damage the record directly: it is noticed, and mended."""
        if self.is_held(account):
            return
        damaged = self.watcher.execute(damage.encode(), (account,)).rowcount
        if damaged and self.exact[account]:
            assert self.count("SELECT count(*) FROM rollup.drift(%s)", account)
        before = self.zones()
        self.watcher.execute("SELECT rollup.rebuild(%s)", (account,))
        self.exact.update(rebuilt(before, self.zones(), account))

    @rule(number=sessions)
    def look(self, number: int) -> None:
        """Look from within a transaction, by its snapshot and with its own changes."""
        with self.using(number) as session:
            if session.level:
                self.look_from(session)

    @rule()
    def come_to_rest(self) -> None:
        """End everything, fold all that is pending and rebuild: nothing is left to be claimed."""
        for session in self.sessions:
            with self.using(session.number):
                session.connection.execute("COMMIT")
                self.close(session, commit=True)
        while self.count("SELECT rollup.fold()"):
            assert_claimed(self.watcher, self.exact)
        assert not self.count("SELECT count(*) FROM rollup.pending_events")
        before = self.zones()
        self.watcher.execute("SELECT rollup.rebuild()")
        self.exact.update(rebuilt(before, self.zones()))
        assert_exact(self.watcher)

    @invariant()
    def is_exact(self) -> None:
        assert_claimed(self.watcher, self.exact)

    def teardown(self) -> None:
        for session in self.sessions:
            session.connection.close()
            if session.is_prepared:
                self.watcher.execute(f"ROLLBACK PREPARED '{session.gid}'".encode())
        self.stack.close()

    @contextmanager
    def using(self, number: int) -> Iterator[Session]:
        """Give a session, once it has committed what it may have prepared."""
        session = self.sessions[number]
        if session.is_prepared:
            self.end_prepared(number, commit=True)
        try:
            yield session
        except psycopg.errors.SerializationFailure:
            if not session.may_conflict:
                raise
            session.connection.execute("ROLLBACK")
            self.close(session, commit=False)
        if session.level is None:
            self.close(session, commit=True)

    def close(self, session: Session, *, commit: bool) -> None:
        changes = session.closed()
        if commit:
            self.exact.update(changes)

    def write(self, session: Session, connection: Connection, batch: list[Event]) -> None:
        rows = [(next(self.ids) * SESSIONS + session.number, *event) for event in batch]
        statement = INSERT + ", ".join([ROW] * len(rows))
        connection.execute(statement.encode(), list(itertools.chain(*rows)))

    def attempt(self, session: Session, statement: LiteralString, arguments: Event) -> None:
        """Execute what is to fail, without waiting for long."""
        with session.connection.transaction():
            session.connection.execute("SET LOCAL lock_timeout = '10ms'")
            session.connection.execute(statement, arguments)

    def look_from(self, session: Session) -> None:
        """Look, unless the events have been truncated under a snapshot that still has rollups."""
        session.has_read = True
        if not session.is_stale:
            assert_claimed(session.connection, session.claims(self.exact))

    def is_held(self, account: int | None, pid: int = 0) -> bool:
        """Say whether another session's transaction holds the slot of an account, or any slot."""
        held = {slot for (slot,) in self.watcher.execute(HELD, (LOCK_CLASS, pid))}
        return bool(held) if account is None else account & 255 in held

    def zones(self) -> dict[int, str | None]:
        return zones_in_force(self.watcher)

    def count(self, query: LiteralString, *arguments: Any) -> int:
        [found] = self.watcher.execute(query, arguments).fetchone() or (0,)
        return int(found)


def zones_in_force(connection: Connection) -> dict[int, str | None]:
    return dict(connection.execute(IN_FORCE).fetchall())


def rebuilt(
    before: dict[int, str | None], after: dict[int, str | None], account: int | None = None
) -> list[tuple[int, bool]]:
    """List the accounts of which a rebuild lets everything be claimed.

    Not one that had no zone and has none: it may be getting its first at the moment.
    """
    return [
        (one, True)
        for one in ACCOUNTS
        if account in (None, one) and (before[one] is not None or after[one] is not None)
    ]


def assert_claimed(connection: Connection, exact: Claims) -> None:
    """Fail where the rollups differ on covered days or, of an account that is exact, on any."""
    found = connection.execute(DIFFERENCES, {"covered": False}).fetchall()
    wrong = [row for row in found if exact.get(row[1], True)]
    assert not wrong, "\n".join(map(str, wrong[:20]))
    if found:
        assert_exact_where_covered(connection)


@in_both_write_modes
def test_every_snapshot_is_exact_whatever_the_steps(database: str) -> None:
    profile = PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "short")]
    machine = type("Rollups", (Rollups,), {"dsn": database})
    run_state_machine_as_test(machine, settings=profile)
