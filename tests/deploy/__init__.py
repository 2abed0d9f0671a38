"""Deploying, planning, adopting, upgrading and leaving."""
