"""What may be wrong with a database, and what each command says of it: one table.

Each entry is a damage in SQL, and for each command its exit code and words that it prints. A
command says nothing of what it is not about: verify compares numbers, plan and deploy know what is
installed, backfill knows what is covered; status knows all but the numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.support.damages import DAMAGES

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


def unsettled(damage: str, words: str) -> Agreed:
    """Say of an account whose zone is not in force: backfill settles it."""
    return Agreed(damage, (2, words), (0, ""), (2, words), (0, "backfilled"), (0, ""))


def wrong(damage: str) -> Agreed:
    """Say of totals that were changed by hand: verify alone reads the numbers."""
    return Agreed(damage, (0, ""), (0, ""), (2, "on covered days"), (0, ""), (0, ""))


def changed(damage: str, column: str) -> Agreed:
    """Say of a column that is not the one that was counted: deploy takes it over."""
    found = f"column {column} of {EVENTS}"
    return Agreed(
        damage, (2, found), (2, column), (2, found), (1, found), (0, f"take over column {column}")
    )


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


def unkept(damage: str, words: str, *, told: str = "rollup_after_") -> Agreed:
    """Say of triggers that are not as deployed: no day is called covered, until deploy mends it."""
    return Agreed(damage, (2, told), (2, told), (2, words), (1, words), (0, told))


def below(damage: str, words: str) -> Agreed:
    """Say of events that are below another table: deploy refuses, and no day is covered."""
    return Agreed(damage, (2, words), (1, words), (2, words), (1, words), (1, words))


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
    "a column came again": changed(f"ALTER TABLE {EVENTS} DROP value, ADD value float8", "value"),
    "a column has another type": changed(
        f"ALTER TABLE {EVENTS} ALTER user_id TYPE smallint USING 7", "user_id"
    ),
    "a column has another precision": changed(
        f"ALTER TABLE {EVENTS} ALTER value TYPE numeric(9, 0)", "value"
    ),
    "a column has another collation": changed(
        f'ALTER TABLE {EVENTS} ALTER name TYPE varchar COLLATE "C" USING upper(name)', "name"
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
        "INSERT INTO rollup.pending_events (sign, account_id, event, at)"
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
    "a trigger has a condition": unkept(
        f"CREATE OR REPLACE TRIGGER rollup_after_insert AFTER INSERT ON {EVENTS}"
        " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT WHEN (current_user = 'x')"
        " EXECUTE FUNCTION rollup.reporting_events_after_insert()",
        f"{EVENTS}: rollup_after_insert",
    ),
    "a trigger is for some columns": unkept(
        f"DROP TRIGGER rollup_after_update ON {EVENTS};"
        f"CREATE TRIGGER rollup_after_update AFTER UPDATE OF value ON {EVENTS}"
        " FOR EACH STATEMENT EXECUTE FUNCTION rollup.reporting_events_after_update()",
        f"{EVENTS}: rollup_after_update",
    ),
    "a trigger fires for rows": unkept(
        f"DROP TRIGGER rollup_after_delete ON {EVENTS};"
        f"CREATE TRIGGER rollup_after_delete AFTER DELETE ON {EVENTS}"
        " REFERENCING OLD TABLE AS deleted"
        " FOR EACH ROW EXECUTE FUNCTION rollup.reporting_events_after_delete()",
        f"{EVENTS}: rollup_after_delete",
    ),
    "a trigger names another table of rows": unkept(
        f"CREATE OR REPLACE TRIGGER rollup_after_insert AFTER INSERT ON {EVENTS}"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
        " EXECUTE FUNCTION rollup.reporting_events_after_insert()",
        f"{EVENTS}: rollup_after_insert",
    ),
    "a second trigger counts": unkept(
        f"CREATE TRIGGER twice AFTER INSERT ON {EVENTS}"
        " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"
        " EXECUTE FUNCTION rollup.reporting_events_after_insert()",
        f"{EVENTS}: twice",
        told="twice",
    ),
    "events inherit from another table": below(
        f"CREATE TABLE public.base (LIKE {EVENTS}); ALTER TABLE {EVENTS} INHERIT public.base",
        f"{EVENTS} is below public.base",
    ),
    "events are a partition of another table": below(
        f"CREATE TABLE public.base (LIKE {EVENTS}) PARTITION BY LIST (account_id);"
        f"ALTER TABLE public.base ATTACH PARTITION {EVENTS} DEFAULT",
        f"{EVENTS} is below public.base",
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

PART = "public.march_of_2"

AGREED_OF_PARTITIONS = {
    "a trigger of a partition is disabled": unkept(
        f"ALTER TABLE {PART} DISABLE TRIGGER rollup_after_insert", f"{PART}: rollup_after_insert"
    ),
    "all triggers of a partition are disabled": unkept(
        f"ALTER TABLE {PART} DISABLE TRIGGER USER", f"{PART}: rollup_after_delete"
    ),
    "a trigger of a partition is gone": unkept(
        f"DROP TRIGGER rollup_after_insert ON {PART}", f"{PART}: rollup_after_insert"
    ),
    "a trigger of a partitioned partition is gone": unkept(
        "DROP TRIGGER rollup_after_delete ON public.march", "public.march: rollup_after_delete"
    ),
    "a trigger of a partition has a condition": unkept(
        f"CREATE OR REPLACE TRIGGER rollup_after_insert AFTER INSERT ON {PART}"
        " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT WHEN (current_user = 'x')"
        " EXECUTE FUNCTION rollup.reporting_events_after_insert()",
        f"{PART}: rollup_after_insert",
    ),
    "a second trigger of a partition counts": unkept(
        f"CREATE TRIGGER twice AFTER INSERT ON {PART}"
        " REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT"
        " EXECUTE FUNCTION rollup.reporting_events_after_insert()",
        f"{PART}: twice",
        told="twice",
    ),
    "a partition has no triggers yet": unkept(
        "CREATE TABLE public.april PARTITION OF public.reporting_events"
        " FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')",
        "public.april: rollup_after_delete",
    ),
    "the partitioned events are a partition": below(
        f"CREATE TABLE public.base (LIKE {EVENTS}) PARTITION BY LIST (account_id);"
        f"ALTER TABLE public.base ATTACH PARTITION {EVENTS} DEFAULT",
        f"{EVENTS} is below public.base",
    ),
}
"""The same where the events are in partitions."""
