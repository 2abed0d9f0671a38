"""A small walk through a deployment's whole life; `make walk` takes a longer one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tests.walk.run import walk

if TYPE_CHECKING:
    from pathlib import Path


def test_a_life_beside_writers_has_no_drift_and_holds_no_session_up(
    reference_database: str, empty_database: str, tmp_path: Path
) -> None:
    seed = secrets.token_hex(4)
    print(f"seed: {seed}")
    for line in walk(
        reference_database, empty_database, folder=tmp_path, events=20_000, writers=2, seed=seed
    ):
        print(line)
