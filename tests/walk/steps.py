"""The stations of the walk: what its user does, and what has to be true afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.registry import DEFAULT
from tests.support.command import run
from tests.support.layouts import COLUMNS, KEY, OTHER_INDEXES
from tests.support.oracle import assert_exact
from tests.walk.writers import ACCOUNTS

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.programs import Programs

ZONES = ("Asia/Kolkata", "America/New_York", "Europe/Rome")

OPENED = '[events.conversation_opened]\nopened_count = { kind = "count" }\n\n[events.reply_time]'

HISTORY = """
INSERT INTO public.reporting_events (
    name, value, value_in_business_hours, account_id, user_id, inbox_id, conversation_id,
    created_at, updated_at
)
SELECT
    (ARRAY [
        'conversation_resolved', 'first_response', 'reply_time', 'conversation_bot_resolved',
        'conversation_bot_handoff', 'conversation_opened'
    ]) [1 + i %% 6],
    i %% 1000,
    i %% 300,
    1 + i %% %(accounts)s,
    i %% 11,
    i %% 5,
    i / 3,
    timestamp '2026-06-01' + i * interval '30 days' / %(events)s,
    now()
FROM generate_series(1, %(events)s) i
"""

# What an application does that adds up in its own way: a row too much, and counts that are wrong.
OF_THE_APPLICATION = """
INSERT INTO public.reporting_events_rollups (
    account_id, date, dimension_type, dimension_id, metric, count, sum_value, created_at, updated_at
)
SELECT
    e.account_id,
    e.created_at::date,
    'account',
    e.account_id,
    'first_response',
    count(*) + 1,
    sum(e.value),
    now(),
    now()
FROM public.reporting_events e
WHERE e.name = 'first_response'
GROUP BY e.account_id, e.created_at::date
"""

SUMS = """
SELECT rollup.aggregate(
    a, m, NULL, NULL, '2026-06-02 07:00+00', '2026-06-28 19:30+00'
)
FROM generate_series(1, %s) a
CROSS JOIN unnest(%s::text[]) m
ORDER BY a, m
"""

METRICS = ["resolutions_count", "avg_first_response_time", "bot_resolutions_count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """What the walk's user does to a database, one thing after the other."""

    dsn: str
    session: psycopg.Connection[Any]
    folder: Path

    def do(self, *arguments: str, status: int = 0) -> str:
        """Run a command that has to end with a status, and return what it prints."""
        done = run(*arguments, on=self.dsn)
        assert done.exit_code == status, done.output
        return done.stdout

    def arrive(self, events: int) -> None:
        """Make Chatwoot's accounts and history, with rollups of the application's own."""
        self.session.execute(COLUMNS + KEY + OTHER_INDEXES)
        for account in range(1, ACCOUNTS + 1):
            settings = json.dumps({"reporting_timezone": ZONES[account % len(ZONES)]})
            self.session.execute(
                "INSERT INTO public.accounts (id, settings) VALUES (%s, %s)", (account, settings)
            )
        self.session.execute(HISTORY, {"events": events, "accounts": ACCOUNTS})
        self.session.execute(OF_THE_APPLICATION)

    def deploy(self) -> None:
        """Plan, deploy and adopt what is there; what is planned is done, and nothing is left."""
        assert "has rows already" in self.do("plan", status=2)
        self.do("deploy")
        self.do("plan", status=0)
        self.do("status", "--exit-code", status=2)
        assert self.session.execute("SELECT count(*) > 0 FROM rollup.drift()").fetchone() == (True,)

    def backfill(self) -> None:
        """Fill in history over two connections: it cures what the application had wrong."""
        self.do("backfill", "--jobs", "2", "--chunk-events", "5000")
        self.do("status", "--exit-code")
        self.do("verify")
        self.session.execute("UPDATE rollup.accounts SET reads_enabled = true")

    def count_more(self) -> None:
        """Add a metric: reports of others go on reading totals; it is backfilled alone."""
        registry = self.folder / "more.toml"
        registry.write_text(DEFAULT.read_text().replace("[events.reply_time]", OPENED))
        named = ("--registry", str(registry))
        assert "metric opened_count" in self.do("plan", *named, status=2)
        self.do("deploy", *named)
        assert self._missing() == {"opened_count"}
        self.do("verify", status=2)
        self.do("backfill", "--jobs", "2")
        assert self._missing() == set()
        self.do("status", "--exit-code", *named)
        self.do("verify")

    def count_less(self) -> None:
        """Take the metric out again, and its rows."""
        assert "no longer counted: metric opened_count" in self.do("plan", status=2)
        self.do("deploy", "--delete-removed")
        left = "SELECT count(*) FROM public.reporting_events_rollups WHERE metric = 'opened_count'"
        assert self.session.execute(left).fetchone() == (0,)
        self.do("status", "--exit-code")
        self.do("verify", "--sample", "20")

    def lose_triggers(self) -> None:
        """Lose the triggers, as by a load of the schema; deploying puts them back."""
        self.session.execute("DROP TRIGGER rollup_after_insert ON public.reporting_events")
        assert "MISSING" in self.do("status", "--exit-code", status=2)
        self.do("deploy")
        self.do("status", "--exit-code", status=2)
        self.do("backfill")
        self.do("verify")

    def move(self) -> None:
        """Change a time zone, and go on."""
        self.session.execute(
            'UPDATE public.accounts SET settings = \'{"reporting_timezone": "Asia/Tokyo"}\''
            " WHERE id = 1"
        )
        self.do("backfill")
        self.do("verify")

    def report(self) -> None:
        """Ask for the same from totals and from raw events, in one snapshot."""
        with self.session.transaction():
            self.session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = []
            for reads in ("on", "off"):
                self.session.execute("SELECT set_config('rollup.reads', %s, true)", (reads,))
                rows = self.session.execute(SUMS, (ACCOUNTS, METRICS)).fetchall()
                found.append([None if one is None else round(one, 6) for (one,) in rows])
        assert found[0] == found[1]
        assert any(found[0])

    def restore(self, programs: Programs, other: psycopg.Connection[Any], dsn: str) -> None:
        """Dump beside the writers, restore elsewhere: it is complete, and exact."""
        dump = programs.dump(self.dsn, self.folder / "walk.dump")
        assert programs.restore(dump, dsn) == []
        assert_exact(other)
        assert run("status", "--exit-code", on=dsn).exit_code == 0

    def leave(self) -> None:
        """Take everything out; the events stay, and writers go on."""
        self.do("verify")
        self.do("undeploy", "--drop-rollups", "--yes")
        assert self.session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)

    def _missing(self) -> set[str]:
        rows = self.session.execute(
            "SELECT DISTINCT c.metric FROM rollup.metric_coverage c WHERE c.covered <> '{(,)}'"
        )
        return {metric for (metric,) in rows}
