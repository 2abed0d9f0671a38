"""What a trigger of the application sees of the totals of the events that it fires for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.events import desk, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect

FUNCTION = """
CREATE TABLE public.seen (count bigint);
CREATE FUNCTION public.look() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO public.seen
    SELECT coalesce(sum(r.count), 0) FROM rollup.current_rollups r WHERE r.metric = 'reply_time'
    AND r.dimension_type = 'account';
    RETURN NULL;
END
$function$
"""

TRIGGERS = {
    "a row": ("TRIGGER zz_look AFTER INSERT ON reporting_events FOR EACH ROW", 0),
    "an earlier name": ("TRIGGER a_look AFTER INSERT ON reporting_events FOR EACH STATEMENT", 0),
    "a later name": ("TRIGGER zz_look AFTER INSERT ON reporting_events FOR EACH STATEMENT", 1),
    "a deferred one": (
        "CONSTRAINT TRIGGER a_look AFTER INSERT ON reporting_events"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        1,
    ),
}


@pytest.mark.parametrize("which", TRIGGERS)
def test_a_trigger_sees_totals_if_it_fires_after_ours(
    which: str, database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    created, seen = TRIGGERS[which]
    session.execute(FUNCTION)
    session.execute(f"CREATE {created} EXECUTE FUNCTION public.look()".encode())
    write(session, name="reply_time", created_at="2026-03-10 10:00")
    assert session.execute("SELECT count FROM public.seen").fetchall() == [(seen,)]
    assert_exact(session)
