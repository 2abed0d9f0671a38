"""The torture, for a few seconds and with one crash; `make torture` goes on for longer."""

from __future__ import annotations

import pytest

from tests.support.write_modes import MODES, WriteMode
from tests.torture.run import Plan, run
from tests.torture.tally import Tally


@pytest.mark.parametrize("write_mode", MODES)
def test_everything_at_once_leaves_no_drift_and_no_event_is_lost(write_mode: WriteMode) -> None:
    tally = Tally()
    plan = Plan(seed="suite", seconds=12, crashes_every=6, write_mode=write_mode)
    assert run(plan, tally) == []
    assert tally.total("crashes") >= 1
    for heading in ("transactions", "rebuilds", "folds", "zone changes", "kills", "checks"):
        assert tally.total(heading), heading
