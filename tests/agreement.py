"""What may be wrong with a database, and what each command says of it: one table.

Each entry is a damage in SQL, and for each command its exit code and words that it prints. A
command says nothing of what it is not about: verify compares numbers, plan and deploy know what is
installed, backfill knows what is covered; status knows all but the numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.damages import DAMAGES

COMMANDS = {
    "status": ("status", "--exit-code"),
    "plan": ("plan",),
    "verify": ("verify",),
    "backfill": ("backfill", "--yes"),
    "deploy": ("deploy",),
}

EVENTS, TOTALS, ACCOUNTS = (
    "public.reporting_events",
    "public.reporting_events_rollups",
    "public.accounts",
)

Told = tuple[int, str]

DENIED: Told = (1, "permission denied")


class Agreed(NamedTuple):
    """A damage, and what each command says of it."""

    damage: str
    status: Told
    plan: Told
    verify: Told
    backfill: Told
    deploy: Told
    server: int = 14
    """The first major version in which this can be done."""


def unreadable(damage: str, words: str) -> Agreed:
    """Say of a table that cannot be read or written: nothing is done until that is mended."""
    return Agreed(damage, (2, words), (1, words), (1, words), (1, words), (1, words))


def failing(
    damage: str,
    words: str,
    *,
    verify: Told = (0, "agree"),
    backfill: Told = (0, ""),
    server: int = 14,
) -> Agreed:
    """Say of what makes writers fail: deploy refuses it, and status names it with its cure."""
    return Agreed(damage, (2, words), (1, words), verify, backfill, (1, words), server)


def unsettled(damage: str, words: str) -> Agreed:
    """Say of an account whose zone is not in force: backfill settles it."""
    return Agreed(damage, (2, words), (0, ""), (2, words), (0, "backfilled"), (0, ""))


def wrong(damage: str) -> Agreed:
    """Say of totals that somebody has changed: verify alone reads the numbers."""
    return Agreed(damage, (0, ""), (0, ""), (2, "on covered days"), (0, ""), (0, ""))


def policy(table: str, account: str) -> str:
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY t ON {table} USING ({account} = 1)"
    )


def unseen(table: str, statement: str) -> str:
    return (
        f"ALTER TABLE {table} DISABLE TRIGGER USER; {statement};"
        f"ALTER TABLE {table} ENABLE TRIGGER USER"
    )


AS_ROOT = "SELECT FROM pg_authid;"
"""What makes a damage one that a superuser does: others are told that nothing was revoked."""

BEYOND_REACH = "a trigger is on another table"
UNKEPT = {
    "a trigger function is gone",
    "a trigger is disabled",
    "all triggers are disabled",
    "a trigger is gone",
    "a trigger calls another function",
}
"""The damages to objects after which totals are not kept: no day is covered any more."""

BROKEN = {
    "a view's columns": ("verify",),
    "a view is gone": ("backfill",),
    "a type has more": ("backfill",),
    "a type has another order": ("verify",),
    "a type is gone": ("verify",),
}
"""The damages to objects without which a command cannot do its work, and fails."""


def object_damage(name: str) -> Agreed:
    """Say of an object that is not as rendered: deploy mends it."""
    damage = DAMAGES[name]
    found = next(iter(damage.seen)).split(" on ")[0].split()[1]
    verify: Told = (2, "totals are not kept") if name in UNKEPT else (0, "agree")
    backfill: Told = (1, "missing or disabled") if name in UNKEPT else (0, "")
    broken = BROKEN.get(name, ())
    return Agreed(
        damage.statement,
        (2, found),
        (2, found.partition(".")[2] or found),
        (1, "error") if "verify" in broken else verify,
        (1, "error") if "backfill" in broken else backfill,
        (0, found),
    )


AGREED = {name: object_damage(name) for name in DAMAGES if name != BEYOND_REACH} | {
    BEYOND_REACH: Agreed(
        DAMAGES[BEYOND_REACH].statement,
        (0, "ORPHANED"),
        (0, "on a table of another role"),
        (0, "agree"),
        (0, ""),
        (0, "nothing to do"),
    ),
    "a policy hides events": unreadable(policy(EVENTS, "account_id"), EVENTS),
    "a policy hides accounts": unreadable(policy(ACCOUNTS, "id"), ACCOUNTS),
    "a policy hides totals": unreadable(policy(TOTALS, "account_id"), TOTALS),
    "the time of events has got a zone": unreadable(
        f"ALTER TABLE {EVENTS} ALTER created_at TYPE timestamptz", "created_at"
    ),
    "the events are unlogged": Agreed(
        f"ALTER TABLE {EVENTS} SET UNLOGGED",
        (2, "SET LOGGED"),
        (1, "SET LOGGED"),
        (0, "agree"),
        (0, ""),
        (1, "SET LOGGED"),
    ),
    "a count of totals is checked": Agreed(
        f"ALTER TABLE {TOTALS} ADD CONSTRAINT positive CHECK (count >= 0) NOT VALID",
        (2, "DROP CONSTRAINT positive"),
        (1, "DROP CONSTRAINT positive"),
        (0, "agree"),
        (0, ""),
        (1, "DROP CONSTRAINT positive"),
    ),
    "a list of published columns leaves out the key of totals": failing(
        f"CREATE PUBLICATION part FOR TABLE {TOTALS} (count)",
        f"ALTER PUBLICATION part ADD TABLE {TOTALS}",
        server=15,
    ),
    "published totals are filtered by what is no key": failing(
        f"CREATE PUBLICATION part FOR TABLE {TOTALS} WHERE (count > 0)",
        f"ALTER PUBLICATION part ADD TABLE {TOTALS}",
        server=15,
    ),
    "published members are filtered": failing(
        "CREATE PUBLICATION part FOR TABLE rollup.distinct_members WHERE (occurrences > 1)",
        "ALTER PUBLICATION part ADD TABLE rollup.distinct_members",
        server=15,
    ),
    "a list of published columns is of a table without a key": failing(
        "CREATE PUBLICATION part FOR TABLE rollup.invalidations (account_id)",
        "ALTER PUBLICATION part ADD TABLE rollup.invalidations",
        backfill=(1, "does not cover the replica identity"),
        server=15,
    ),
    "published accounts have no identity": failing(
        "ALTER TABLE rollup.accounts REPLICA IDENTITY NOTHING;"
        "CREATE PUBLICATION part FOR TABLE rollup.accounts",
        "ALTER TABLE rollup.accounts REPLICA IDENTITY",
        verify=(1, "replica identity"),
        backfill=(1, "replica identity"),
    ),
    "the totals have another owner": failing(
        f"ALTER TABLE {TOTALS} OWNER TO pg_monitor",
        f"ALTER TABLE {TOTALS} OWNER TO",
        verify=DENIED,
        backfill=DENIED,
    ),
    "the owner may not insert totals": failing(
        f"DO $$BEGIN EXECUTE format('REVOKE INSERT ON {TOTALS} FROM %I', session_user); END$$",
        f"GRANT INSERT ON TABLE {TOTALS} TO",
    ),
    "a trigger function has another owner": failing(
        "ALTER FUNCTION rollup.reporting_events_after_insert() OWNER TO pg_monitor",
        "ALTER ROUTINE rollup.reporting_events_after_insert() OWNER TO",
    ),
    "a function has another owner": failing(
        "ALTER FUNCTION rollup.try_slots OWNER TO pg_monitor",
        "ALTER ROUTINE rollup.try_slots(bigint[]) OWNER TO",
    ),
    "a view has another owner": failing(
        "ALTER VIEW rollup.coverage OWNER TO pg_monitor",
        "ALTER VIEW rollup.coverage OWNER TO",
        verify=DENIED,
        backfill=DENIED,
    ),
    **{
        f"the table {name} has another owner": failing(
            f"ALTER TABLE rollup.{name} OWNER TO pg_monitor",
            f"ALTER TABLE rollup.{name} OWNER TO",
            verify=DENIED,
            backfill=DENIED,
        )
        for name in ("accounts", "pending_events", "invalidations", "deployments")
    },
    "the events have another owner": Agreed(
        f"ALTER TABLE {EVENTS} OWNER TO pg_monitor",
        (2, f"GRANT SELECT ON TABLE {EVENTS} TO"),
        (1, f"GRANT SELECT ON TABLE {EVENTS} TO"),
        (1, ""),
        (1, ""),
        (1, f"GRANT SELECT ON TABLE {EVENTS} TO"),
    ),
    "nobody may use the schema of the tables": failing(
        AS_ROOT + "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO",
        verify=DENIED,
        backfill=DENIED,
    ),
    "a function of the server may not be run": failing(
        AS_ROOT + "REVOKE EXECUTE ON FUNCTION pg_try_advisory_xact_lock(int, int) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_try_advisory_xact_lock(integer,integer) TO",
    ),
    "a view of the server may not be read": failing(
        AS_ROOT + "REVOKE SELECT ON pg_locks FROM PUBLIC",
        "GRANT SELECT ON TABLE pg_catalog.pg_locks TO",
    ),
    "members have no key": failing(
        "ALTER TABLE rollup.distinct_members DROP CONSTRAINT distinct_members_pkey",
        "CREATE UNIQUE INDEX ON rollup.distinct_members",
    ),
    "settings of accounts have no key": failing(
        "ALTER TABLE rollup.accounts DROP CONSTRAINT accounts_pkey",
        "CREATE UNIQUE INDEX ON rollup.accounts (account_id)",
    ),
    "pending events have a column that nothing fills": failing(
        "ALTER TABLE rollup.pending_events ADD x int NOT NULL",
        "ALTER TABLE rollup.pending_events ALTER x DROP NOT NULL",
    ),
    "numbers of pending events begin anew": failing(
        "INSERT INTO rollup.pending_events (sign, account_id, name, created_at)"
        " VALUES (1, 1, 'nothing', now());"
        "ALTER SEQUENCE rollup.pending_events_id_seq RESTART",
        "SELECT setval('rollup.pending_events_id_seq', ",
    ),
    "an account must have a zone": failing(
        "ALTER TABLE rollup.accounts ALTER timezone SET NOT NULL",
        "ALTER TABLE rollup.accounts ALTER timezone DROP NOT NULL",
    ),
    "a default of totals fails": failing(
        f"ALTER TABLE {TOTALS} ALTER updated_at"
        " SET DEFAULT to_timestamp(1 / (1 - pg_backend_pid() / pg_backend_pid()))",
        f"ALTER TABLE {TOTALS} ALTER updated_at SET DEFAULT (now() AT TIME ZONE 'UTC')",
    ),
    "a default of ours fails": failing(
        "ALTER TABLE rollup.accounts ALTER covered SET DEFAULT (1 / 0)::text::datemultirange",
        "ALTER TABLE rollup.accounts ALTER covered SET DEFAULT '{}'",
    ),
    "a table of ours is checked": failing(
        "ALTER TABLE rollup.pending_events ADD CONSTRAINT positive CHECK (sign > 0) NOT VALID",
        "ALTER TABLE rollup.pending_events DROP CONSTRAINT positive",
    ),
    "invalidations are unique": failing(
        "CREATE UNIQUE INDEX once ON rollup.invalidations (account_id)",
        "DROP INDEX rollup.once",
    ),
    "a rule is on a table of ours": failing(
        "CREATE RULE no AS ON INSERT TO rollup.timezone_requests DO INSTEAD NOTHING",
        "DROP RULE no ON rollup.timezone_requests",
    ),
    "a column of ours is gone": failing(
        "ALTER TABLE rollup.retired DROP metric CASCADE",
        "ALTER TABLE rollup.retired ADD metric text",
        verify=(1, "metric"),
    ),
    **{
        f"the table {name} is gone": failing(
            f"DROP TABLE rollup.{name} CASCADE",
            f"the table rollup.{name} is gone",
            verify=(1, "does not exist"),
            backfill=(1, "error"),
        )
        for name in ("accounts", "gaps", "invalidations", "deployments")
    },
    "the table partitions is gone": failing(
        "DROP TABLE rollup.partitions CASCADE",
        "the table rollup.partitions is gone",
        backfill=(1, "rollup.partitions"),
    ),
    "a column has another name": unreadable(
        f"ALTER TABLE {EVENTS} RENAME user_id TO agent_id", "user_id"
    ),
    "a column is gone": unreadable(
        f"ALTER TABLE {EVENTS} DROP conversation_id CASCADE", "conversation_id"
    ),
    "the settings of accounts are gone": unreadable(
        f"ALTER TABLE {ACCOUNTS} DROP settings CASCADE", "settings"
    ),
    "the accounts are gone": unreadable(f"DROP TABLE {ACCOUNTS} CASCADE", ACCOUNTS),
    "the events have another name": unreadable(f"ALTER TABLE {EVENTS} RENAME TO old", EVENTS),
    "the totals are gone": Agreed(
        f"DROP TABLE {TOTALS} CASCADE",
        (2, TOTALS),
        (2, TOTALS),
        (1, TOTALS),
        (1, TOTALS),
        (0, f"create table {TOTALS}"),
    ),
    "totals are wrong": wrong(f"UPDATE {TOTALS} SET count = count + 1 WHERE account_id = 1"),
    "totals are emptied": wrong(f"TRUNCATE {TOTALS}"),
    "differences were found and not mended": Agreed(
        "INSERT INTO rollup.verifications (differences) VALUES (28)",
        (2, "28 differences now"),
        (0, ""),
        (0, "agree"),
        (0, ""),
        (0, ""),
    ),
    "events were not restored with their totals": Agreed(
        unseen(EVENTS, f"TRUNCATE {EVENTS}"),
        (2, f"{EVENTS} is empty"),
        (0, ""),
        (2, "on covered days"),
        (0, ""),
        (0, ""),
    ),
    "members are wrong": wrong("UPDATE rollup.distinct_members SET occurrences = 7"),
    "something pending is made up": wrong(
        "INSERT INTO rollup.pending_events (sign, account_id, name, created_at)"
        " VALUES (1, 1, 'reply_time', '2026-03-09')"
    ),
    "an event came while triggers were off": wrong(
        unseen(
            EVENTS,
            f"INSERT INTO {EVENTS} (name, value, account_id, created_at, updated_at)"
            " VALUES ('reply_time', 5, 1, '2026-03-09', now())",
        )
    ),
    "a zone is cleared": unsettled("SELECT rollup.set_timezone(1, NULL)", "not yet removed"),
    "a zone is changed": unsettled(
        "SELECT rollup.set_timezone(1, 'Asia/Tokyo')", "not yet rebuilt"
    ),
    "an account came while triggers were off": unsettled(
        unseen(
            ACCOUNTS,
            f"INSERT INTO {ACCOUNTS} (id, name, settings)"
            " VALUES (7, 'x', '{\"reporting_timezone\": \"Asia/Tokyo\"}')",
        ),
        "not yet taken over",
    ),
    "a zone is gone from the server": Agreed(
        "UPDATE rollup.accounts SET timezone = 'Mars/Olympus', wanted = 'Mars/Olympus'"
        " WHERE account_id = 1",
        (2, "time zone gone from the server"),
        (0, ""),
        (1, "Mars/Olympus"),
        (1, "Mars/Olympus"),
        (0, ""),
    ),
    "no day is covered": Agreed(
        "UPDATE rollup.accounts SET covered = '{}'",
        (2, "not covered"),
        (0, ""),
        (0, "agree"),
        (0, "backfilled"),
        (0, ""),
    ),
    "another role may run a trigger function": Agreed(
        "GRANT EXECUTE ON FUNCTION rollup.reporting_events_after_insert() TO pg_monitor",
        (2, "OUTDATED"),
        (2, "reporting_events_after_insert"),
        (0, "agree"),
        (0, ""),
        (0, "reporting_events_after_insert"),
    ),
    "another registry was deployed": Agreed(
        "UPDATE rollup.deployments SET registry_digest = 'x'",
        (2, "ANOTHER REGISTRY"),
        (2, ""),
        (0, "agree"),
        (0, ""),
        (0, ""),
    ),
}
