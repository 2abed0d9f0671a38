"""The map of sql/: where to begin, what uses what, which locks; `make docs` writes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from docs.objects import described
from generator.database.locks import ADD_KEY, DEPLOY_KEY, LOCK_CLASS, SLOTS
from generator.registry import load
from generator.render.objects import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docs.objects import Described
    from generator.render.objects import Rendered

PAGE = Path(__file__).parents[1] / "sql" / "README.md"

INTRODUCTION = """\
# Map of the SQL

Every file here is rendered from `generator/render/templates` and the registry `generator/registry.toml` by
`python -m generator render`, one object a file; `deploy` puts the same texts into a database. This page
is written from them by `make docs`. What each object is for, and the columns of the tables that
migrations create, are in [docs/reference.md](../docs/reference.md).

## Where to begin

1. `types/rollup.event.sql`: what a row of the events table means to the totals. Functions hand events to
   each other as arrays of this type, and `tables/rollup.pending_events.sql` is where they wait.
2. **A statement writes one event**: `functions/rollup.reporting_events_after_insert.sql` maps the row to
   an event, `rollup.take_in_event` tries the account's slot, and `rollup.record_event` adds to the totals
   and members of the day. Where the slot is taken, the event is appended to `rollup.pending_events`.
3. **A statement writes many**, as COPY does: `rollup.take_in` splits them into those of accounts whose
   slots are free, for `rollup.record_events`, and others, for `rollup.append_events`.
   `rollup.totals_of` is the query that says what events add.
4. **Readers**: `views/rollup.current_rollups.sql` adds what is recorded and what is pending.
5. **Folding** moves pending events into the totals: `rollup.fold_pending`, by the transaction that holds the slots.
6. **Repair**: `rollup.rebuild_accounts` sets the totals to what `rollup.truth_totals` counts from the
   events, and `rollup.drift` tells where they differ.

## Locks

All advisory locks have the class {lock_class} ("roll"), as the first of two keys. In this order:

| second key | which session takes it, and how |
|---|---|
| 0 to {last_slot}: the slots | the key of an account is `account_id & {last_slot}`. The transaction that holds it may write the totals of these accounts, until the transaction ends. Writers and folds only try (`rollup.try_slots`); rebuild, backfill, purge and deploy wait (`rollup.lock_record`), in the order of the keys, and hold no lock on the events table meanwhile. |
| {deploy_key} | deployments, so that they take turns |
| {add_key} and up | a session that adds a row to `rollup.accounts`; tried, or waited for by deploy alone |
"""  # noqa: E501 (a table)


def page() -> str:
    """Write the page."""
    rendered = render(load())
    introduction = INTRODUCTION.format(
        lock_class=LOCK_CLASS, last_slot=SLOTS - 1, deploy_key=DEPLOY_KEY, add_key=ADD_KEY
    )
    return "\n".join([introduction, *_tables(described(rendered)), *_objects(rendered)])


def _tables(objects: Sequence[Described]) -> Iterator[str]:
    yield "## Tables\n"
    yield "Those without a file here are created by `migrations/`.\n"
    yield "| table | what it holds |\n|---|---|"
    for one in objects:
        if one.kind == "table":
            yield f"| `{one.name}` | {one.comment} |"
    yield ""


def _objects(rendered: Sequence[Rendered]) -> Iterator[str]:
    names = {one.name: one for one in rendered if one.kind in ("function", "view")}
    users: dict[str, set[str]] = {name: set() for name in names}
    for one in rendered:
        for name in _uses(one, names):
            users[name].add(one.name)
    for kind, title in (("view", "Views"), ("function", "Functions")):
        yield f"## {title}\n"
        yield f"| {kind} | uses | is used by |\n|---|---|---|"
        for name in sorted(name for name, one in names.items() if one.kind == kind):
            used = sorted(_uses(names[name], names))
            yield f"| [{_short(name)}]({names[name].path}) | {_list(used)} | {_list(users[name])} |"
        yield ""


def _uses(one: Rendered, names: dict[str, Rendered]) -> set[str]:
    code = re.sub(r"/\*.*?\*/|--[^\n]*|'[^'\n]*'", "", one.definition, flags=re.DOTALL)
    found = set(re.findall(r"\brollup\.\w+\b(?!\s*\.)", code)) | set(
        re.findall(r"EXECUTE FUNCTION (rollup\.\w+)", one.definition)
    )
    return {name for name in found if name in names and name != one.name}


def _short(name: str) -> str:
    return name.removeprefix("rollup.")


def _list(names: Sequence[str] | set[str]) -> str:
    return ", ".join(_short(name) for name in sorted(names)) or "-"


if __name__ == "__main__":
    PAGE.write_text(page())
