"""The numbers by which writers and folds bound their work, each with its reason."""

from __future__ import annotations

BATCH = 100_000
"""How many events are handed on as one array: a value has 1 GB at most, and an event some hundred
bytes, or a kilobyte where ids are long texts."""

TURN = 512
"""How many appended events make a turn; the statement with the last of them folds some."""

REACH = 16_384
"""How many ids back a turn looks: behind that an old snapshot may keep any number of dead
rows."""

MANY = 256
"""From how many pending events on an account is folded at every turn, not only at its own."""

TURN_MOST = 2_048
"""How many events a turn folds at most: as many as four turns bring, to catch up after turns in
which slots were taken. Most of a large load is left to rollup.fold()."""

NEAR = 4_096
"""How many ids back a statement looks for what others have left pending of its accounts."""

SOME = 500
"""How many of those it folds at most, because its own writer waits for it."""

PACE = 300
"""How many microseconds an event may take to be recorded before the session falls behind."""

SLOWEST = 1_500
"""How many microseconds of one event count at most: the first of a session are planned, too."""

BEHIND = 20_000
"""How many microseconds behind a session may be before it appends for a second."""

DAYS = 5_000
"""Up to how many days a report names those that it reads from rollups one by one."""
