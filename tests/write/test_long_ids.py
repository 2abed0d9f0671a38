"""Ids that are long, and numbers that are tiny: no value of a column that is read fails a write."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.operate.status import inspect
from generator.registry import load
from generator.registry.counting import LONGEST_ID, counting
from tests.support.foreign import PAGE_VIEWS

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = PAGE_VIEWS.registry
TEXTS = dataclasses.replace(
    PAGE_VIEWS,
    types={
        **PAGE_VIEWS.types,
        "country": "text",
        "page_id": "text",
        "visitor_id": "text",
        "load_ms": "numeric",
    },
)
LEVELS = pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])

INSERT = """
INSERT INTO web.hits (site_id, action, seen_at, country, page_id, visitor_id, load_ms)
VALUES (%s, 'view', '2026-03-10 12:00+00', %s, %s, %s, %s)
"""
COUNTED = """
SELECT r.dimension_id, r.count
FROM rollup.current_rollups r
WHERE r.account_id = 1 AND r.dimension_type = 'country' AND r.metric = %s
ORDER BY r.dimension_id COLLATE "C"
"""
RAW_TRUTH = """
SELECT e.country, count(*), count(DISTINCT e.visitor_id)
FROM web.hits e
WHERE e.site_id = 1 AND e.country IS NOT NULL
GROUP BY e.country
"""
ASKED = """
SELECT rollup.aggregate(1, 'views', 'country', %s, '2026-03-10 00:00+00', '2026-03-11 00:00+00')
"""


def long(begin: str, size: int = 5000) -> str:
    """Give a text that does not compress."""
    digests = (hashlib.sha256(f"{begin}{n}".encode()).hexdigest() for n in range(1 + size // 64))
    return (begin + "".join(digests))[:size]


LONG = [long("a"), long("b", 300), long("é" * 41, 256), "ü" * 128, "日" * 3000, long("z", 100_000)]
SHORT = ["de", "", " ", "ü" * 127, "x" * 255, "a~sha256:b"]


def short(id_: str) -> str:
    """What an id counts as."""
    if len(id_.encode()) <= LONGEST_ID:
        return id_
    return f"{id_[:40]}~sha256:{hashlib.sha256(id_.encode()).hexdigest()}"


@pytest.fixture
def session(empty_database: str, connect: Connect) -> Session:
    session = connect(empty_database)
    TEXTS.create(session)
    deploy(empty_database, REGISTRY)
    for account in (1, 2, 257):
        session.execute("SELECT rollup.set_timezone(%s, 'UTC')", (account,))
    session.execute("CALL rollup.backfill()")
    return session


def assert_exact_texts(session: Session) -> None:
    truth = {short(id_): (n, people) for id_, n, people in session.execute(RAW_TRUTH)}
    views = dict(session.execute(COUNTED, ("views",)).fetchall())
    visitors = dict(session.execute(COUNTED, ("visitors",)).fetchall())
    assert views == {id_: n for id_, (n, _) in truth.items()}
    assert visitors == {id_: n for id_, (_, n) in truth.items() if n}
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


@LEVELS
def test_no_id_is_too_long_to_be_counted(session: Session, level: str) -> None:
    session.execute(f"SET default_transaction_isolation = '{level}'")
    for id_ in LONG + SHORT:
        session.execute(INSERT, (1, id_, id_, id_, 1))
        session.execute(INSERT, (1, id_, LONG[0], LONG[1], 1))
    assert_exact_texts(session)
    session.execute("RESET default_transaction_isolation")
    session.execute(INSERT, (2, "de", "p", "v", 1))
    session.execute(INSERT, (257, "de", "p", "v", 1))
    session.execute("SELECT rollup.fold()")
    assert_exact_texts(session)
    assert session.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    session.execute("UPDATE web.hits SET country = country || repeat('y', 999) WHERE nr % 3 = 0")
    assert_exact_texts(session)
    for id_ in LONG + SHORT:
        [told] = session.execute(ASKED, (id_,)).fetchone() or (None,)
        raw = "SELECT count(*) FROM web.hits WHERE site_id = 1 AND country = %s"
        assert (told,) == session.execute(raw, (id_,)).fetchone()
    session.execute("DELETE FROM web.hits")
    assert_exact_texts(session)


def test_many_long_ids_in_one_statement_are_counted(session: Session) -> None:
    session.execute(
        """
        INSERT INTO web.hits (site_id, action, seen_at, country, page_id, visitor_id)
        SELECT 1, 'view', '2026-03-10 12:00+00', t, t, t
        FROM unnest(%s::text[]) t
        """,
        (LONG * 3,),
    )
    assert_exact_texts(session)


def test_a_long_id_that_an_older_version_has_left_pending_fails_nothing(
    session: Session, empty_database: str
) -> None:
    session.execute("SET session_replication_role = replica")
    session.execute(INSERT, (1, LONG[0], LONG[1], LONG[2], 1))
    session.execute("RESET session_replication_role")
    session.execute(
        """
        INSERT INTO rollup.pending_events
            (sign, account_id, event, at, country, page, visitor_id, loading)
        SELECT 1, e.site_id, e.action, e.seen_at, e.country, e.page_id, e.visitor_id, e.load_ms
        FROM web.hits e
        """
    )
    session.execute("UPDATE rollup.deployments SET format = 1")
    assert not deploy(empty_database, REGISTRY).coverage_voided
    assert_exact_texts(session)
    session.execute(INSERT, (257, "de", "p", "v", 1))
    assert session.execute("SELECT rollup.fold()").fetchone() == (1,)
    assert_exact_texts(session)


def test_purged_events_with_long_ids_stay_in_the_totals(session: Session) -> None:
    for id_ in LONG:
        session.execute(INSERT, (1, id_, id_, id_, 1))
    before = session.execute(COUNTED, ("views",)).fetchall()
    session.execute("CALL rollup.purge_events('2026-03-12')")
    assert session.execute("SELECT count(*) FROM web.hits").fetchone() == (0,)
    assert session.execute(COUNTED, ("views",)).fetchall() == before
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


@LEVELS
def test_a_number_too_small_for_double_precision_counts_as_zero(
    session: Session, level: str
) -> None:
    session.execute(f"SET default_transaction_isolation = '{level}'")
    for value in ("1e-400", "-1e-16000", "1e-320", "1e-307", "1e400", "NaN", "Infinity", "2"):
        session.execute(INSERT, (1, "de", "p", "v", value))
    session.execute("RESET default_transaction_isolation")
    totals = """
        SELECT r.count, r.loads, r.load_ms_total FROM rollup.current_rollups r
        WHERE r.dimension_type = 'site' AND r.metric = 'load_time'
    """
    assert session.execute(totals).fetchone() == (8, 5, 2.0)
    session.execute("SELECT rollup.fold()")
    assert session.execute("SELECT rollup.rebuild()").fetchone() == (0,)
    assert session.execute("SELECT a.covered FROM rollup.coverage a LIMIT 1").fetchone()
    assert session.execute("SELECT count(*) FROM rollup.invalidations").fetchone() == (0,)
    assert session.execute("SELECT * FROM rollup.drift()").fetchall() == []


def test_status_says_how_long_an_id_may_be_where_ids_are_text(session: Session) -> None:
    report = inspect(session, REGISTRY)
    assert report.longest_id == LONGEST_ID
    assert report.is_current
    assert inspect(session, load()).longest_id is None


def test_how_long_an_id_may_be_is_a_part_of_what_counts_where_ids_are_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deployment over a version that cut ids elsewhere lets their history be backfilled."""
    before = counting(REGISTRY), counting(load())
    monkeypatch.setattr("generator.registry.counting.LONGEST_ID", LONGEST_ID + 1)
    assert counting(REGISTRY) != before[0]
    assert counting(load()) == before[1]
