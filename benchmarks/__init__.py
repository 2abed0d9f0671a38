"""Measures what the rollups cost and bring: `python -m benchmarks`.

Machines differ and others work on them, so no number here stands alone. Contestants take turns on
one server, round after round, and what counts is the median of the ratios of their rounds.
"""
