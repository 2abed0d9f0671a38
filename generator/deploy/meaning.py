"""What a deployment means, in a few sentences: what is counted, and what has to be backfilled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.deploy.changes import Changes
    from generator.deploy.plan import Incomplete, Plan

SHOWN = 5
"""How many metrics and dimensions are named in a sentence."""


def meaning(found: Plan) -> tuple[str, ...]:
    """Say what deploying changes for readers and writers of totals; nothing where nothing does."""
    if found.is_nothing:
        return tuple(_lost(found.changes))
    return (*_counted(found.changes), *_lost(found.changes), *_covered(found))


def _counted(changes: Changes) -> Iterator[str]:
    """Say what is counted now that was not, or was counted otherwise."""
    registry, new = changes.registry, changes.difference
    if changes.last is None:
        source = f"{registry.source.schema}.{registry.source.table}"
        yield (
            f"first deployment: counts {len(registry.metrics)} metrics in "
            f"{len(registry.dimensions)} dimensions of {source}"
        )
        return
    before = changes.last.counting
    added = _kinds(new.metrics, new.dimensions, before.metrics, before.dimensions, known=False)
    other = _kinds(new.metrics, new.dimensions, before.metrics, before.dimensions, known=True)
    if new.is_everything:
        yield "counts everything otherwise than before"
    elif other:
        yield f"counts otherwise than before: {listed(other)}"
    if added:
        yield f"adds {listed(added)}"
    if not new:
        yield "counts the same as before"


def _lost(changes: Changes) -> Iterator[str]:
    if gone := changes.difference.gone:
        yield f"no longer counted: {listed(gone)}; rows are kept until `deploy --delete-removed`"


def _covered(found: Plan) -> Iterator[str]:
    if found.incomplete:
        yield _uncovered(found.incomplete)
    elif found.changes.last is not None:
        yield "no day loses coverage: no backfill is needed"


def _uncovered(incomplete: Incomplete) -> str:
    count = incomplete.accounts
    whose = "" if not count else " of 1 account" if count == 1 else f" of {count} accounts"
    what = [f"metric {name}" for name in incomplete.metrics]
    what += [f"dimension {name}" for name in incomplete.dimensions]
    return (
        f"not covered until `backfill`: {listed(what)}, on all days{whose} "
        f"({', '.join(incomplete.reasons)})"
    )


def _kinds(
    metrics: Sequence[str],
    dimensions: Sequence[str],
    metrics_before: Mapping[str, str],
    dimensions_before: Mapping[str, str],
    *,
    known: bool,
) -> list[str]:
    """Name those that were counted before, or were not, with what they are."""
    return [
        *(f"metric {name}" for name in metrics if (name in metrics_before) is known),
        *(f"dimension {name}" for name in dimensions if (name in dimensions_before) is known),
    ]


def listed(what: Sequence[str]) -> str:
    """Name a few; of many say how many they are."""
    return ", ".join(what) if len(what) <= SHOWN else f"{len(what)} metrics and dimensions"
