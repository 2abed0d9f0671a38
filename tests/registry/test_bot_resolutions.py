"""Bot resolutions leave out conversations that were handed off for the same agent or inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.events import desk, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect

REPORT = """
SELECT rollup.aggregate(
    1, 'bot_resolutions_count', %s, %s, '2026-03-01 00:00+00', '2026-04-01 00:00+00'
)
"""


def test_a_hand_off_in_another_inbox_leaves_the_resolution_of_an_inbox(
    database: str, connect: Connect
) -> None:
    session = desk(connect(database))
    write(session, name="conversation_bot_resolved", inbox_id=1, conversation_id=9)
    write(session, name="conversation_bot_handoff", inbox_id=2, conversation_id=9)
    write(session, name="conversation_bot_resolved", inbox_id=3, conversation_id=8)
    write(session, name="conversation_bot_handoff", inbox_id=3, conversation_id=8)
    found = {
        scope: session.execute(REPORT, scope).fetchone()
        for scope in ((None, None), ("inbox", 1), ("inbox", 2), ("inbox", 3))
    }
    assert found == {
        (None, None): (0,),
        ("inbox", 1): (1,),
        ("inbox", 2): (0,),
        ("inbox", 3): (0,),
    }
    assert_exact(session)
