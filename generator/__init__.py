"""Exact daily rollups of an events table, kept by PostgreSQL triggers."""

__version__ = "0.1.0"
