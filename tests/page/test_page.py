"""The page of a report: what it says, against the raw events, and how a browser takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from generator import __version__
from generator.deploy.deploy import deploy
from generator.errors import RollupError
from generator.registry import Reading, load
from generator.report import queries
from generator.report.page import Scope, render, wording, write
from generator.report.page.charts import draw
from generator.report.page.findings import Breakdown, Findings, Look, Series
from generator.report.page.origins import Origin
from generator.report.page.periods import Period
from generator.report.queries import Part, Point
from tests.support import report_oracle
from tests.support.events import ZONES, desk, mix
from tests.support.foreign import COUNTS_ONLY, DISTINCT_ONLY, PAGE_VIEWS
from tests.support.report_oracle import EVENTS, same

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *(
        "--hide-scrollbars",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ),
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

MEASURE = "[document.documentElement.scrollWidth, innerWidth].join()"
HOSTILE = '<script>alert("1")</script>'


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with two months of events, read from rollups but for some days."""
    session = desk(connect(database))
    mix(session, 2000)
    session.execute(
        "UPDATE rollup.accounts SET reads_enabled = true,"
        " covered = covered - '{[2026-03-20,2026-03-22),[2026-04-02,2026-04-03)}'::datemultirange"
    )
    return session


def scope(account: int, since: str, until: str, zone: str | None = None, **more: Any) -> Scope:
    zone = zone or ZONES.get(account, "UTC")
    begin, end = (
        datetime.fromisoformat(one).replace(tzinfo=ZoneInfo(zone)) for one in (since, until)
    )
    return Scope(account_id=account, since=begin, until=end, zone=zone, **more)


class Shown(HTMLParser):
    """What a page shows: the numbers of its cards, charts and tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cards: dict[str, list[float | None]] = {}
        self.charts: dict[str, list[float | None]] = {}
        self.tables: dict[str, dict[str, list[float | None]]] = {}
        self._into: Any = None
        self._row: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if report := given.get("data-report"):
            self._into = (self.cards if tag == "div" else self.charts).setdefault(report, [])
        elif dimension := given.get("data-dimension"):
            self._into = self.tables.setdefault(dimension, {})
        elif given.get("scope") == "row":
            self._row = ""
        elif tag == "data":
            value = float(given["value"]) if given["value"] else None
            rows = isinstance(self._into, dict)
            (self._into.setdefault(self._row, []) if rows else self._into).append(value)

    def handle_data(self, data: str) -> None:
        if self._row == "":
            self._row = data


def plainly(written: str) -> str:
    """Put characters that are on keyboards for spaces, dashes and minus signs of print."""
    return re.sub("[\N{MINUS SIGN}\N{EN DASH}]", "-", re.sub(r"[^\S\n]", " ", written))


def browse(folder: Path, page: str, *options: str) -> str:
    """Open a page in Chromium, and return what it prints."""
    assert CHROMIUM
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [CHROMIUM, *OPTIONS, profile, "--window-size=360,800", *options, file.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    return done.stdout.decode()


def asked(one: Scope, metric: str, since: datetime, until: datetime) -> report_oracle.Request:
    return report_oracle.Request(
        account=one.account_id,
        metric=metric,
        since=since,
        until=until,
        zone=one.zone,
        hours=one.business_hours,
    )


def assert_true(session: Session, page: str, one: Scope, before: datetime) -> None:
    """Check what a page with charts by day says against a query over the raw events."""
    shown = Shown(page)
    for metric in EVENTS:
        now = asked(one, metric, one.since, one.until)
        earlier = asked(one, metric, before, one.since)
        values = [report_oracle.aggregate(session, request) for request in (now, earlier)]
        assert same(shown.cards[metric], values if values[1] else values[:1])
        averages = metric in report_oracle.AVERAGES
        series = report_oracle.timeseries(session, now)
        drawn = [None if averages and not count else value for _, value, count in series]
        assert same(shown.charts[metric], drawn if any(count for *_, count in series) else [])
    for dimension in ("agent", "inbox"):
        request = replace(asked(one, "reply_time", one.since, one.until), type=dimension)
        rows = report_oracle.summary(session, request)
        found = [(int(id_), *row) for id_, row in shown.tables[dimension].items()]
        assert same(sorted(found), rows)
        assert found == sorted(found, key=lambda row: (-(row[1] or 0), row[0]))


@pytest.mark.parametrize("account", ZONES)
@pytest.mark.parametrize("hours", [False, True])
def test_a_page_says_what_the_raw_events_say(account: int, hours: bool, session: Session) -> None:
    one = scope(account, "2026-03-25", "2026-04-05", business_hours=hours)
    page = plainly(render(session, load(), one))
    assert "25 Mar 2026 - 4 Apr 2026" in page
    assert "14 Mar 2026 - 24 Mar 2026" in page
    assert_true(session, page, one, scope(account, "2026-03-14", "2026-03-25").since)
    assert ZONES[account] in page
    assert f"reporting-rollups {__version__}" in page


@needs_browser
def test_a_browser_shows_it_without_a_network_and_scripts(session: Session, tmp_path: Path) -> None:
    one = scope(2, "2026-03-20", "2026-04-10")
    page = render(session, load(), one)
    assert_true(
        session,
        browse(tmp_path, page, "--dump-dom"),
        one,
        scope(2, "2026-02-27", "2026-03-20").since,
    )
    assert not re.findall(r"<(?:script|link|iframe|img|object|base)\b|@import|\ssrc=|//", page)
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    places = re.findall(r'href="([^"]*)"|url\(([^)]*)\)', page)
    assert {place[0] or place[1] for place in places} <= {f"#{one}" for one in ids}
    named = re.findall(r'aria-labelledby="([^"]*)"', page)
    assert set(" ".join(named).split()) <= set(ids)


@needs_browser
@pytest.mark.parametrize("until", ["2026-04-05", "2027-03-01", "2029-03-01"])
def test_on_a_phone_it_does_not_scroll_sideways(
    until: str, session: Session, tmp_path: Path
) -> None:
    page = render(session, load(), scope(1, "2026-03-08", until))
    script = f"<script>onload = () => parent.document.title = {MEASURE}</script>"
    for opened in ("<details>", "<details open>"):
        inner = page.replace("<details>", opened).replace("</body>", f"{script}</body>")
        frame = f'<iframe width="360" height="800" frameborder="0" srcdoc="{escape(inner)}">'
        title = re.search(
            "<title>(.*?)</title>",
            browse(tmp_path, f"<title></title>{frame}</iframe>", "--dump-dom"),
        )
        assert title
        assert title[1] == "360,360"


@needs_browser
def test_it_can_be_printed(session: Session, tmp_path: Path) -> None:
    page = render(session, load(), scope(3, "2026-03-08", "2026-04-05"))
    printed = tmp_path / "page.pdf"
    browse(tmp_path, page, f"--print-to-pdf={printed}")
    assert printed.read_bytes().startswith(b"%PDF-")
    assert printed.stat().st_size > 20_000


def test_where_figures_come_from_is_said_of_all_alike(session: Session) -> None:
    one = scope(1, "2026-03-18T09:00", "2026-04-05")
    page = plainly(render(session, load(), one))
    [table] = re.findall(r'<table class="origins">.*?</table>', page, re.DOTALL)
    for said in (
        *("18 Mar 2026, 09:00 - 19 Mar 2026, 00:00", "Part of a day"),
        *("20 Mar 2026 - 21 Mar 2026", "<br>2 Apr 2026", "Days that are not covered"),
        *("19 Mar 2026", "Rollups", "Whole days that are covered"),
    ):
        assert said in table
    request = queries.Request(
        account_id=1, metric="reply_time", since=one.since, until=one.until, zone=one.zone
    )
    every = [
        queries.parts(session, replace(request, metric=metric, dimension_type=type_, group_by=unit))
        for metric in EVENTS
        for type_ in ("account", "agent", "inbox")
        for unit in ("range", "day", "week", "month", "year")
    ]
    assert every == [every[0]] * len(every)


def test_a_page_in_another_zone_says_what_its_charts_are_made_of(session: Session) -> None:
    page = render(session, load(), scope(3, "2026-03-25", "2026-04-05", "Asia/Tokyo"))
    assert "Charts of this period, by days of Asia/Tokyo" in page
    assert "Its rollups have the days of Europe/Rome" in page
    assert "This period, by days of Europe/Rome" in page


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-03-30", "2026-04-01", "28 Mar 2026 - 29 Mar 2026"),
        ("2026-03-29", "2026-03-30", "<dd>28 Mar 2026</dd>"),
        ("2026-03-29T12:00", "2026-03-30T12:00", "28 Mar 2026, 11:00 - 29 Mar 2026, 12:00"),
    ],
)
def test_the_period_before_has_as_many_days_or_seconds_also_where_clocks_change(
    since: str, until: str, before: str, session: Session
) -> None:
    assert before in plainly(render(session, load(), scope(3, since, until)))


def test_a_period_before_that_has_been_purged_is_not_compared(session: Session) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{(,)}'")
    session.execute("CALL rollup.purge_events('2026-03-20', 1)")
    page = render(session, load(), scope(1, "2026-03-20T12:00", "2026-03-21T12:00"))
    assert "Not compared with the period before: raw events of account 1 before" in page
    assert "<small>" not in page
    whole = render(session, load(), scope(1, "2026-03-20", "2026-03-21"))
    assert "Not compared" not in whole
    assert "<small>" in whole


def test_an_account_without_events_gets_a_page_that_says_so(session: Session) -> None:
    session.execute("INSERT INTO public.accounts (id) VALUES (9)")
    page = render(session, load(), scope(9, "2026-03-25", "2026-04-05"))
    assert "There are no events of this account in this period." in page
    assert "none before either" in page
    assert "<svg" not in page
    nothing = render(session, load(), scope(1, "0001-01-02", "0001-01-09"))
    assert "Not compared with the period before: there is no such period before." in nothing


def test_a_period_that_is_not_over_says_so(session: Session) -> None:
    assert "not over yet" in render(session, load(), scope(1, "2026-03-25", "2060-01-01"))
    assert "not over yet" not in render(session, load(), scope(1, "2026-03-25", "2026-04-05"))


def test_other_registries_have_pages_too(empty_database: str, connect: Connect) -> None:
    session = connect(empty_database)
    for application in (PAGE_VIEWS, DISTINCT_ONLY):
        application.create(session)
    deploy(empty_database, PAGE_VIEWS.registry)
    PAGE_VIEWS.insert(session)
    shown = Shown(render(session, PAGE_VIEWS.registry, scope(1, "2026-03-08", "2026-03-11")))
    assert list(shown.cards) == ["views", "average_load_time", "visitors"]
    assert set(shown.tables) == {"country", "page"}
    assert set(shown.tables["country"]) <= {"de", "fr"}
    with pytest.raises(RollupError, match="no report that is made of events") as raised:
        render(session, COUNTS_ONLY.registry, scope(1, "2026-03-08", "2026-03-11"))
    assert "reports" in (raised.value.hint or "")


def test_what_is_missing_is_said_where_matplotlib_is_not_installed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(RollupError, match="matplotlib") as raised:
        render(session, load(), scope(1, "2026-03-25", "2026-04-05"))
    assert raised.value.hint == "pip install 'reporting-rollups[report]'"


def reading(report: str, *, is_average: bool = False) -> Reading:
    return Reading(
        report=report,
        event="event",
        metric="metric",
        is_average=is_average,
        is_distinct=not is_average,
        excluded_event=None,
        excluded_metric=None,
        summary=report,
    )


def series(report: str, values: list[float | None], *, is_average: bool = False) -> Series:
    days = [datetime(2026, 3, 1 + day) for day in range(len(values))]
    return Series(
        reading=reading(report, is_average=is_average),
        unit="day",
        points=tuple(
            Point(day, day, value, value is not None)
            for day, value in zip(days, values, strict=True)
        ),
        partly=(False,) * len(values),
    )


def test_nothing_that_comes_from_a_database_or_registry_becomes_markup() -> None:
    counted, averaged = (
        series(HOSTILE, [3, 0, 5]),
        series(f"avg_{HOSTILE}", [60, None], is_average=True),
    )
    readings = (counted.reading, averaged.reading)
    begins, ends = datetime(2026, 3, 1), datetime(2026, 3, 4)
    origin = Origin(source=HOSTILE, reason=HOSTILE, parts=(Part(begins, ends, HOSTILE, HOSTILE),))
    period = Period(since=begins, until=ends, begins=begins, ends=ends)
    look = Look(period=period, values=(8, 60.0), origins=(origin,))
    page = write(
        Findings(
            scope=Scope(account_id=1, since=begins, until=ends, zone=HOSTILE),
            account_zone=HOSTILE,
            made=ends,
            readings=readings,
            now=look,
            before=None,
            not_compared=HOSTILE,
            series=(counted, averaged),
            series_origins=(origin,),
            breakdowns=(
                Breakdown(dimension=HOSTILE, readings=readings, rows=((HOSTILE, 8, 60.0),)),
            ),
        )
    )
    assert "<script" not in page.lower()
    assert page.count("&lt;script&gt;alert(") > 15


def test_charts_are_the_same_bytes_for_the_same_points_and_keep_their_ids_apart() -> None:
    for one in (
        series("counts", [3, 0, 500_000]),
        series("counts", [0]),
        series("averages", [None, 50, None, 1e9, 2, None], is_average=True),
        series("averages", [-90, 0.0, 10], is_average=True),
        series("averages", [0], is_average=True),
    ):
        assert draw(one, "a") == draw(one, "a")
        ids = [set(re.findall(r'\sid="([^"]*)"', draw(one, name))) for name in ("a", "b")]
        assert ids[0]
        assert ids[0].isdisjoint(ids[1])
        assert '<title id="a-title">' in draw(one, "a")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0 s"),
        (4.24, "4.2 s"),
        (45, "45 s"),
        (59.7, "1 min"),
        (725, "12 min 5 s"),
        (3599.6, "1 h"),
        (4980, "1 h 23 min"),
        (172_799, "2 d"),
        (187_200, "2 d 4 h"),
        (86_400_000, "1 000 d"),
        (-90, "-1 min 30 s"),
    ],
)
def test_durations_are_written_for_people(seconds: float, written: str) -> None:
    assert plainly(wording.duration(seconds)) == written


@pytest.mark.parametrize(
    ("now", "earlier", "written"),
    [
        (112, 100, "+12%"),
        (95.4, 100, "-4.6%"),
        (100.001, 100, "±0%"),
        (100, 100, "unchanged"),
        (0, 0, "none before either"),
        (7, 0, "none before"),
        (2500, 100, "+2 400%"),
    ],
)
def test_changes_are_written_in_percent_or_words(now: float, earlier: float, written: str) -> None:
    assert plainly(wording.change(now, earlier, reading("resolutions_count"))) == written


def test_averages_of_nothing_are_not_compared_in_percent() -> None:
    average = reading("reply_time", is_average=True)
    assert wording.change(60, None, average) == "none before"
    assert wording.change(None, 60, average) == "none now"
    assert wording.change(60, 0, average) == "not to be compared in percent"


def test_a_page_reaches_to_the_end_of_time(session: Session) -> None:
    for since in ("9999-12-01", "9998-12-01", "9996-12-01", "9980-12-01"):
        assert "9999</h1>" in render(session, load(), scope(1, since, "9999-12-30"))
