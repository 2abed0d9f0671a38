"""The seven steps of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from generator.demo import findings, load, own_database, questions
from generator.demo.companies import COMPANIES
from generator.demo.events import DAYS, history
from generator.demo.live import traffic
from generator.demo.report import report
from generator.demo.wording import number
from generator.deploy.deploy import deploy
from generator.operate import backfill, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from generator.database.connection import Connection
    from generator.demo.events import Conversation
    from generator.demo.stage import Stage
    from generator.registry import Registry

SHOWN = COMPANIES[0]
"""The company whose report is shown."""

_RENAMED = "SELECT s.setting, s.wanted FROM rollup.status s WHERE s.setting <> s.wanted"

_ROLLUP_ROWS = "SELECT count(*) FROM rollup.current_rollups"

_EVENTS = "SELECT count(*) FROM public.reporting_events"

_FOLD = "SELECT rollup.fold()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """The demo in a database of its own, as of the day of the anchor."""

    session: Connection
    dsn: str
    stage: Stage
    anchor: date

    def begin(self) -> None:
        """Say where this is."""
        info = self.session.info
        version, minor = divmod(info.server_version, 10000)
        self.stage.say(
            f"A support desk's year, in the database {info.dbname} (PostgreSQL {version}.{minor})",
            "bold",
        )
        self.stage.say("")

    def load(self, events: int, seed: int) -> Sequence[Conversation]:
        """Make up history and load it; return its conversations."""
        with self.stage.step("Load a year of history") as step:
            load.create_tables(self.session)
            past = history(events=events, seed=seed, anchor=self.anchor)
            step.expect(len(past.events))
            load.load(self.session, past, step.advance)
            step.say(
                f"{number(len(past.events))} events of {number(len(past.conversations))} "
                f"conversations into a table with nine indexes",
                findings.companies(past),
            )
        return past.conversations

    def deploy(self, registry: Registry) -> None:
        """Deploy as a user would, and name what was installed."""
        with self.stage.step("Deploy") as step:
            deployment = deploy(self.dsn, registry)
            renamed = self.session.execute(_RENAMED).fetchall()
            step.say(*findings.installed(deployment, renamed))

    def backfill(self) -> None:
        """Fill in history, chunk by chunk."""
        with self.stage.step("Backfill") as step:
            chunks = backfill.plan(self.session)
            step.expect(sum(chunk.events for chunk in chunks))
            for done in backfill.run(self.dsn, chunks):
                step.advance(done.chunk.events)
            self.session.execute("ANALYZE")
            step.say(
                f"{number(self._count(_ROLLUP_ROWS))} rollup rows, in {len(chunks)} chunks, each a "
                "transaction that holds up no writer"
            )

    def live(self, conversations: Sequence[Conversation], duration: float, seed: int) -> None:
        """Let writers and rebuilds loose on each other, and fold what was set aside."""
        with self.stage.step("Write and rebuild at once") as step:
            step.expect(duration)
            done = traffic(
                self.dsn, conversations, seconds=duration, seed=seed, ticked=step.advance
            )
            step.say(*findings.written(done, duration, self._count(_FOLD)))

    def report(self) -> None:
        """Print a report, read from rollups."""
        with self.stage.step("Report, from rollups") as step:
            step.say(*report(self.session, self.stage, SHOWN, self.anchor))

    def compare(self) -> bool:
        """Ask raw events and rollups the same; tell whether they answer the same."""
        values = {
            "account": SHOWN.id,
            "zone": SHOWN.zone,
            "since": self.anchor - timedelta(days=DAYS),
            "until": self.anchor,
        }
        with self.stage.step("Ask raw events and rollups the same question") as step:
            raw = questions.ask(self.session, questions.FROM_EVENTS, values)
            rolled = questions.ask(self.session, questions.FROM_ROLLUPS, values)
            same = questions.equal(raw, rolled)
            step.say(
                f"each day of the year: resolutions and average first response, {SHOWN.name}",
                findings.faster(raw.seconds, rolled.seconds),
                f"the same answer, on all {len(raw.rows)} days"
                if same
                else "THE ANSWERS DIFFER, which they never should",
            )
        return same

    def verify(self) -> str | None:
        """Compare all rollups with all raw events; return what to say when they agree."""
        with self.stage.step("Verify") as step:
            rows = verify.drift(self.session, verify.Scope())
            if rows:
                step.say(*findings.differences(rows))
                return None
            events, size = self._count(_EVENTS), self._count(_ROLLUP_ROWS)
            step.say("all rollups computed anew from raw events in one snapshot; no session waits")
        return (
            f"raw events and rollups agree: {number(events)} events, "
            f"{number(size)} rollup rows, 0 differences"
        )

    def end(self, agreed: str | None, *, kept: bool) -> None:
        """Say how to look around, and last whether all agreed."""
        self.stage.say(
            f"look around: {own_database.command(self.dsn)}"
            if kept
            else "to look around afterwards: python -m generator demo --keep",
            "dim",
        )
        if agreed:
            self.stage.say(agreed, "bold green")
        else:
            self.stage.say("raw events and rollups do NOT agree: see above", "bold red")

    def _count(self, query: str) -> int:
        [count] = self.session.execute(query).fetchone() or (0,)
        return int(count)
