"""What users call and read in the schema, by name; all else in it is ours to change."""

from __future__ import annotations

PUBLIC = (
    "timeseries",
    "aggregate",
    "summary",
    "explain_report",
    "current_rollups",
    "current_members",
    "coverage",
    "metric_coverage",
    "is_covered",
    "status",
    "set_timezone",
    "backfill",
    "drift",
    "verify_sample",
    "rebuild",
    "fold",
    "purge_events",
    "gone_partitions",
    "changed_columns",
    "forget_partition",
    "accounts",
    "verifications",
    "standing_differences",
    "deployments",
    "difference",
)
"""Functions, procedures, views, tables and types, in the order in which a user meets them."""
