"""Our advisory locks: one class, and who has which of its keys."""

from __future__ import annotations

LOCK_CLASS = 0x726F6C6C
"""The class: 'roll' in ASCII."""

SLOTS = 256
"""How many slots there are: keys 0 and up, shared by account_id & (SLOTS - 1)."""

DEPLOY_KEY = SLOTS
"""The key that deployments take turns by."""

ADD_KEY = SLOTS + 1
"""The first of as many keys as there are slots, for those who add a row to rollup.accounts."""
