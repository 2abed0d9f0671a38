"""The registry file: what it may hold, how it is read and checked, and what it means."""

from __future__ import annotations

from generator.registry.model import DEFAULT, Membership, Reading, Registry, load, parse

__all__ = ["DEFAULT", "Membership", "Reading", "Registry", "load", "parse"]
