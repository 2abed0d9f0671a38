"""What makes writers fail, done to a database: every command that can names it, with its cure."""

from __future__ import annotations

from tests.support.agreement import EVENTS, TOTALS, Agreed, Told

DENIED: Told = (1, "permission denied")

AS_ROOT = "SELECT FROM pg_authid;"
"""What makes a damage one that a superuser does: others are told that nothing was revoked."""


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


FAILURES = {
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
    "no role may use the schema of the tables": failing(
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
        "INSERT INTO rollup.pending_events (sign, account_id, event, at)"
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
}
