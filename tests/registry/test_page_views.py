"""A registry with nothing of the packaged one, against a query written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from generator.deploy.deploy import deploy
from tests.support.foreign import PAGE_VIEWS

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

DIFFERENCES = """
WITH hit AS (
    SELECT
        h.*,
        (h.seen_at AT TIME ZONE CASE h.site_id
            WHEN 1 THEN 'Asia/Kolkata'
            WHEN 2 THEN 'America/New_York'
            WHEN 3 THEN 'Australia/Lord_Howe'
        END)::date AS day
    FROM web.hits h
    WHERE h.site_id IN (1, 2, 3)
),

one (site_id, type, id, day, action, visitor_id, load_ms) AS (
    SELECT site_id, 'site', site_id::text, day, action, visitor_id, load_ms FROM hit
    UNION ALL
    SELECT site_id, 'country', country, day, action, visitor_id, load_ms FROM hit
    UNION ALL
    SELECT site_id, 'page', page_id::text, day, action, visitor_id, load_ms FROM hit
),

truth AS (
    SELECT site_id, day, type, id, 'views', count(*), 0, 0
    FROM one
    WHERE action = 'view' AND id IS NOT NULL
    GROUP BY site_id, day, type, id
    UNION ALL
    SELECT site_id, day, type, id, 'load_time', count(*), count(load_ms), coalesce(sum(load_ms), 0)
    FROM one
    WHERE action = 'view' AND id IS NOT NULL
    GROUP BY site_id, day, type, id
    UNION ALL
    SELECT site_id, day, type, id, 'visitors', count(DISTINCT visitor_id), 0, 0
    FROM one
    WHERE action = 'view' AND id IS NOT NULL AND visitor_id IS NOT NULL
    GROUP BY site_id, day, type, id
    UNION ALL
    SELECT site_id, day, type, id, 'downloads', count(*), 0, 0
    FROM one
    WHERE action = 'download' AND id IS NOT NULL
    GROUP BY site_id, day, type, id
),

found AS (
    SELECT account_id, date, dimension_type, dimension_id, metric, count, loads, load_ms_total
    FROM rollup.current_rollups
)

(SELECT 'missing', * FROM (TABLE truth EXCEPT ALL TABLE found) a)
UNION ALL
(SELECT 'surplus', * FROM (TABLE found EXCEPT ALL TABLE truth) b)
"""

WRITES = {
    "nothing": "SELECT",
    "views move to another site": "UPDATE web.hits SET site_id = 1 + nr % 3 WHERE nr % 4 = 0",
    "views move to another day": "UPDATE web.hits SET seen_at = seen_at + interval '13 hours'",
    "views become downloads": "UPDATE web.hits SET action = 'download' WHERE nr % 4 = 1",
    "visitors turn out to be many": "UPDATE web.hits SET visitor_id = gen_random_uuid()",
    "load times are forgotten": "UPDATE web.hits SET load_ms = NULL WHERE nr % 2 = 0",
    "a country goes": "DELETE FROM web.hits WHERE country = 'de'",
    "a site is merged into another": "MERGE INTO web.hits h USING (SELECT 2 AS site) s"
    " ON h.site_id = s.site WHEN MATCHED AND h.nr % 2 = 0 THEN UPDATE SET site_id = 1"
    " WHEN MATCHED THEN DELETE",
}


@pytest.fixture
def session(empty_database: str, connect: Connect) -> Session:
    """Connect to a database with three covered sites and a few hundred hits."""
    session = connect(empty_database)
    PAGE_VIEWS.create(session)
    deploy(empty_database, PAGE_VIEWS.registry)
    for site, zone in ((1, "Asia/Kolkata"), (2, "America/New_York"), (3, "Australia/Lord_Howe")):
        session.execute("SELECT rollup.set_timezone(%s, %s)", (site, zone))
    session.execute("SELECT rollup.rebuild()")
    PAGE_VIEWS.insert(session, 1, 300)
    return session


def assert_exact(session: Session) -> None:
    assert session.execute(DIFFERENCES).fetchall() == []
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_page_views_are_what_the_hits_say(write: str, session: Session) -> None:
    if write.startswith("MERGE") and session.info.server_version < 150000:
        pytest.skip("MERGE came with PostgreSQL 15")
    session.execute(write)
    assert_exact(session)
    session.execute("TRUNCATE web.daily_totals, rollup.distinct_members")
    [changed] = session.execute("SELECT rollup.rebuild()").fetchone() or (0,)
    assert changed > 100
    assert_exact(session)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_page_views_are_exact_while_another_writer_is_busy(
    write: str, session: Session, empty_database: str, connect: Connect
) -> None:
    if write.startswith("MERGE") and session.info.server_version < 150000:
        pytest.skip("MERGE came with PostgreSQL 15")
    busy = connect(empty_database, autocommit=False)
    PAGE_VIEWS.insert(busy, 301, 340)
    PAGE_VIEWS.insert(session, 341, 360)
    session.execute(write)
    assert_exact(session)
    busy.commit()
    assert_exact(session)
    session.execute("SELECT rollup.fold()")
    assert session.execute("SELECT count(*) FROM rollup.pending_events").fetchone() == (0,)
    assert_exact(session)


def test_the_only_view_with_a_visitor_leaves_and_comes_back(session: Session) -> None:
    session.execute("TRUNCATE web.hits")
    view = sql.SQL(
        "INSERT INTO web.hits (site_id, action, seen_at, country, visitor_id, load_ms)"
        " VALUES (1, 'view', '2026-03-10 20:00+00', 'de', {}, 120)"
    ).format("00000000-0000-4000-8000-000000000001")
    read = "SELECT r.count FROM rollup.current_rollups r WHERE r.metric = 'visitors'"
    for _ in range(2):
        session.execute(view)
        session.execute(view)
        assert session.execute(read).fetchall() == [(1,), (1,)]
        session.execute("DELETE FROM web.hits WHERE nr = (SELECT max(nr) FROM web.hits)")
        assert session.execute(read).fetchall() == [(1,), (1,)]
        session.execute("DELETE FROM web.hits")
        assert session.execute(read).fetchall() == []
        assert_exact(session)
