"""What a deployment would change: computed once, for those who do it and those who tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.deploy import columns, conversion, deployments, partitions, sealed, tables
from generator.deploy.catalog import Object, Status, compare
from generator.deploy.dependents import dependents, in_order
from generator.quoting import qualified
from generator.registry.counting import Difference, difference, is_explained

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.deploy.columns import Changed
    from generator.deploy.conversion import Conversion
    from generator.deploy.dependents import Dependent
    from generator.deploy.deployments import Deployed
    from generator.deploy.partitions import Fresh, Gone
    from generator.deploy.tables import Lack
    from generator.quoting import Sql
    from generator.registry import Registry
    from generator.render.objects import Rendered

VERBS: dict[Status, str] = {
    "MISSING": "create",
    "OUTDATED": "replace",
    "DISABLED": "enable",
    "ORPHANED": "drop",
    "CURRENT": "keep",
}
"""What is done about an object, by how it stands."""

REMEMBER_PARTITIONS = "remember partitions"
"""What is done where nothing but the partitions has changed."""

REMEMBER_COLUMNS = "remember columns"
"""What is done where the columns are as they were, but have other oids, as after a restore."""

CONVERT = "convert table"
"""What is done about a table whose rows an older version has stored."""

TAKE_OVER_SEALED = "take over sealed days"
"""What is done about days that were purged before an undeployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is between a database, as its catalog stands, and a registry; migrations apart."""

    registry: Registry
    rendered: tuple[Rendered, ...]
    tables: tuple[Lack, ...]
    """What its tables lack, whose `default_settings` fit the types that columns have there."""
    default_settings: tuple[Sql, ...]
    objects: tuple[Object, ...]
    """Those that are not current, in the order of their rendering; orphans last."""
    out_of_reach: tuple[Object, ...]
    """Triggers that other roles have put on their tables, where they do nothing."""
    drops: tuple[str, ...]
    """What DROP is to name, in an order that dependencies allow."""
    dependents: tuple[Dependent, ...]
    accounts: tuple[Sql, ...]
    """The accounts table, if there is one, and its partitions."""
    events: tuple[Sql, ...]
    """The source table, and its partitions after it, as its writers lock them."""
    fresh: tuple[Fresh, ...]
    """Partitions without triggers: what these have missed is on the days of the partition."""
    detached: frozenset[str]
    """Tables that were partitions: what comes and goes there is counted no more."""
    gone: tuple[Gone, ...]
    """Partitions that are gone with their events, so that totals may be all that is left."""
    are_partitions_changed: bool
    """Whether the partitions are others than those that the last deployment wrote down."""
    changed_columns: tuple[Changed, ...]
    """Columns that are read and no longer as the last deployment found them."""
    are_columns_remembered: bool
    """Whether what the last deployment wrote down of columns is what is there."""
    conversion: Conversion | None
    """How pending events are converted that an older version, or another registry, has stored."""
    has_sealed: bool
    """Whether an earlier undeployment has left days that are sealed."""
    last: Deployed | None
    difference: Difference
    """What is counted otherwise than by the last deployment; of the first, nothing is."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing would be changed or written down."""
        is_known = self.last is not None and self.last.registry_digest == self.registry.digest
        return is_known and not (
            self.conversion
            or self.tables
            or self.objects
            or self.has_sealed
            or self.are_partitions_changed
            or not self.are_columns_remembered
        )

    @property
    def miscounts(self) -> tuple[str, ...]:
        """Say why events may have come or gone without being counted, or counted otherwise.

        A trigger was off, or is left on a table that was never known as a partition; or another
        role has replaced a function; or the registry counts all otherwise. No day is covered then.
        Triggers of the accounts table count nothing, and what they missed deploy takes over.
        """
        reasons = []
        if self.difference.is_everything:
            reasons.append("all is counted otherwise")
        limited = {one.name for one in self.fresh} | self.detached | set(self.accounts)
        triggers = (one for one in self.objects if one.kind == "trigger")
        if any(one.table not in limited and not self._follows_accounts(one) for one in triggers):
            reasons.append("triggers were missing, off or changed")
        if any(one.is_foreign for one in self.objects):
            reasons.append("another role has replaced a function")
        if self.changed_columns:
            reasons.append("columns that are read have changed")
        return tuple(reasons)

    def _follows_accounts(self, trigger: Object) -> bool:
        """Tell whether a trigger is of the accounts, left on a table that was their partition."""
        calls = tuple(
            one.definition.rpartition(" ")[2]
            for one in self.rendered
            if one.kind == "trigger" and one.table in self.accounts
        )
        found = [one.definition for one in trigger.leftovers]
        return bool(found) and all(definition.endswith(calls) for definition in found)

    @property
    def losses(self) -> tuple[str, ...]:
        """Name the tables that lack what they had: no day is covered then, either."""
        return tuple(
            one.name
            for one in self.tables
            if not one.columns
            or not all(is_explained(self.difference, self.registry, name) for name in one.columns)
        )

    @property
    def has_lost_totals(self) -> bool:
        """Whether one of them held what was recorded: purged days had nothing else."""
        return any(name != "rollup.pending_events" for name in self.losses)

    @property
    def described(self) -> tuple[str, ...]:
        """Say of each object what is done about it."""
        objects = (f"{VERBS[one.status]} {one}" for one in self.objects)
        described = (
            *objects,
            *([f"{CONVERT} {conversion.TABLE}"] if self.conversion else []),
            *(f"take over column {one.name} on {one.table}" for one in self.changed_columns),
            *([TAKE_OVER_SEALED] if self.has_sealed else []),
        )
        if described or self.last is None:
            return described
        return (
            *([REMEMBER_PARTITIONS] if self.are_partitions_changed else []),
            *([] if self.are_columns_remembered else [REMEMBER_COLUMNS]),
        )


def compute(session: Connection, registry: Registry, rendered: tuple[Rendered, ...]) -> Changes:
    """Compare a database with what a registry renders to for it; nothing is changed."""
    source, accounts = registry.source, registry.accounts
    named = (qualified(accounts.schema, accounts.table),) if accounts else ()
    found = [one for one in compare(session, rendered) if one.status != "CURRENT"]
    stale = tuple(one for one in found if not one.is_out_of_reach)
    gone = [other.drop for one in stale for other in one.leftovers if other != one.in_place]
    known = dependents(session)
    last = deployments.last(session)
    converted = conversion.conversion(session, registry, last)
    supplied = converted.supplied if converted else frozenset()
    lacks = tables.lacking(session, registry, supplied)
    parts = tables.partitions(session, registry)
    can_compare = last is not None and not partitions.FUNCTIONS & {one.name for one in stale}
    are_columns_known = last is not None and columns.VIEW not in {one.name for one in stale}
    return Changes(
        registry=registry,
        rendered=rendered,
        tables=lacks,
        default_settings=tuple(tables.default_settings(session, registry)) if lacks else (),
        objects=stale,
        out_of_reach=tuple(one for one in found if one.is_out_of_reach),
        drops=in_order(gone, known),
        dependents=known,
        accounts=(*named, *tables.account_partitions(session, registry)),
        events=(qualified(source.schema, source.table), *parts),
        fresh=partitions.fresh(session, stale, parts) if last else (),
        detached=partitions.detached(session) if can_compare else frozenset(),
        gone=partitions.gone(session) if can_compare else (),
        are_partitions_changed=can_compare and partitions.are_changed(session),
        changed_columns=columns.changed(session, registry) if are_columns_known else (),
        are_columns_remembered=are_columns_known and columns.are_remembered(session, registry),
        conversion=converted,
        has_sealed=sealed.are_kept(session, registry),
        last=last,
        difference=difference(last.counting, registry.counting) if last else Difference(),
    )
