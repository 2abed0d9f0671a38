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

in_both_write_modes = pytest.mark.parametrize(
    "database", ["deployed_template", "appending_template"], ids=["inline", "append"], indirect=True
)
"""Run a test, or as `pytestmark` the tests of a module, in a database of each mode."""
