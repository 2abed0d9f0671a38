"""What can keep a benchmark from being measured."""

from __future__ import annotations

from generator.errors import RollupError


class BenchmarkError(RollupError):
    """Something that is measured does not work here, or does not count right."""


class UnfitServerError(BenchmarkError):
    """A case would say nothing on this server."""
