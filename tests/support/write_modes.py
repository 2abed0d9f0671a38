"""The two ways in which events get into the rollups, for tests that hold in both."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest

from generator.registry import Registry, load

INLINE = load()
APPENDING = dataclasses.replace(
    INLINE, rollups=dataclasses.replace(INLINE.rollups, write_mode="append")
)

WriteMode = Literal["inline", "append"]
MODES: dict[WriteMode, Registry] = {"inline": INLINE, "append": APPENDING}

FOLD_OFTEN = "ALTER TABLE rollup.pending_events ALTER COLUMN id SET INCREMENT 64 RESTART 64"
"""Appending writers fold by the thousand, as the ids have it: so that short tests see it, too."""
FOLD_AS_EVER = "ALTER TABLE rollup.pending_events ALTER COLUMN id SET INCREMENT 1 RESTART 1"

in_both_write_modes = pytest.mark.parametrize(
    "database", ["deployed_template", "appending_template"], ids=["inline", "append"], indirect=True
)
"""Run a test, or as `pytestmark` the tests of a module, in a database of each mode."""
