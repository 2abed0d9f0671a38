"""A small report on one company, read from rollups alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from generator.demo import questions
from generator.demo.stage import INDENT, table
from generator.demo.wording import lasting, number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from rich.console import RenderableType
    from rich.padding import Padding

    from generator.database.connection import Connection
    from generator.demo.companies import Company
    from generator.demo.stage import Stage

LAST_DAYS = 8
WEEKS = 51
BEST = 5
_HEIGHT = 5
_BAR = 24


def report(
    session: Connection, stage: Stage, company: Company, anchor: date
) -> Iterator[RenderableType]:
    """Give the last days as a table, the weeks of the year as a chart, and the busiest agents."""
    yield _last_days(session, company, anchor)
    yield ""
    yield from _weeks(session, stage, anchor, company)
    yield ""
    yield _agents(session, stage, company, anchor)


def _last_days(session: Connection, company: Company, anchor: date) -> Padding:
    since = anchor - timedelta(days=LAST_DAYS)
    found = questions.days(session, company.id, since, anchor)
    names = ("resolved", "within", "first response", "reply", "by bot", "hand-offs")
    return table(
        (company.name, *names),
        (_day(found, since + timedelta(days=past)) for past in range(LAST_DAYS)),
        left=[company.name],
    )


def _day(found: questions.Days, day: date) -> tuple[str, ...]:
    def count(metric: str) -> str:
        return number(found.get((day, metric), (0, None))[0])

    def average(metric: str) -> str:
        return lasting(found.get((day, metric), (0, None))[1])

    return (
        f"{day:%a} {day.day:2} {day:%b}",
        count("resolutions_count"),
        average("resolution_time"),
        average("first_response"),
        average("reply_time"),
        count("bot_resolutions_count"),
        count("bot_handoffs_count"),
    )


def _weeks(
    session: Connection, stage: Stage, anchor: date, company: Company
) -> Iterator[RenderableType]:
    """Draw whole weeks, which begin on Sunday, with the months in which they begin."""
    until = anchor - timedelta(days=anchor.isoweekday() % 7)
    since = until - timedelta(weeks=WEEKS)
    values = questions.weeks(session, company.id, since, until)
    top = number(max(values))
    labels = (top, *[""] * (_HEIGHT - 2), "0")
    yield Text(" " * INDENT + "resolutions per week", "dim")
    for label, line in zip(labels, stage.columns(values, _HEIGHT), strict=True):
        scale = f"{label:>{INDENT + len(top)}}  "
        yield Text.assemble((scale, "dim"), (line, "cyan"))
    months = ""
    for week in range(WEEKS):
        first = since + timedelta(weeks=week)
        if first.day <= 7 and len(months) <= week:
            months = months.ljust(week) + f"{first:%b}"
    yield Text(" " * (INDENT + len(top) + 2) + months, "dim")


def _agents(session: Connection, stage: Stage, company: Company, anchor: date) -> Padding:
    since = anchor - timedelta(days=90)
    found = questions.agents(session, company.id, since, anchor, BEST)
    most = max((resolutions for _, resolutions, _ in found), default=1)
    title = "busiest in 90 days"
    return table(
        (title, "resolved", "first response", " "),
        (
            (
                company.agents.get(agent, str(agent)),
                number(resolutions),
                lasting(average),
                stage.bar(resolutions / most, _BAR),
            )
            for agent, resolutions, average in found
        ),
        left=[title, " "],
    )
