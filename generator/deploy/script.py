"""The statements of a deployment, from the changes that it is to make: to be run, or printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.database.blockers import Lock
from generator.database.connection import PLAIN
from generator.database.locks import ADD_KEY, LOCK_CLASS, SLOTS
from generator.deploy import columns, conversion, deployments, gaps, partitions, sealed, views
from generator.deploy.catalog import fingerprints
from generator.deploy.handing_over import HAND_OVER
from generator.deploy.statements import Statement
from generator.quoting import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.deploy.catalog import Existing, Object
    from generator.deploy.changes import Changes
    from generator.registry import Registry
    from generator.render.objects import Rendered

_ATTRIBUTE = re.compile(r'^    ("(?:[^"]|"")+"|\S+) ', re.MULTILINE)
_RELATION = re.compile(r"(?:VIEW|TRIGGER .* ON) (.+)")

VOID_COVERAGE = Statement(
    text="UPDATE rollup.accounts SET covered = '{}' WHERE covered <> '{}'",
    lock=Lock("ROWS", ("rollup.accounts",)),
    why="no day is covered any more",
)

# Rebuilds cover days by what they saw before. Writers append meanwhile, so this comes before all
# locks that readers or writers could wait for behind us, however long a rebuild takes. The slots
# alone: a lock on the events table would have to be strengthened later, and a writer who wants the
# whole table would fail for that.
TAKE_SLOTS = Statement(
    text="""
SELECT count(pg_advisory_xact_lock(%(class)s, i))
FROM generate_series(0, %(slots)s - 1) i
""",
    values={"class": LOCK_CLASS, "slots": SLOTS},
    lock=Lock("SLOTS", ()),
    why="rebuilds that began before have to end",
)

# To check a function takes a lock on the tables that it reads, and to strengthen that would fail a
# writer who wants the whole table. So functions are checked once the stronger lock is held.
_UNCHECKED = Statement(text="SET LOCAL check_function_bodies TO off")
_CHECK = Statement(
    text="""
SET LOCAL check_function_bodies TO on;
DO $check$
BEGIN
    PERFORM fmgr_sql_validator(p.oid)
    FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace = 'rollup'::regnamespace
    AND l.lanname = 'sql';
END
$check$"""
)

_PLAINLY = Statement(text=PLAIN)

# A role that may run such a function may put it on a table of its own. A role has the right from a
# GRANT ON ALL FUNCTIONS, or from default privileges as soon as the function is created.
_CLOSE = Statement(
    text="""
DO $close$
DECLARE
    open record;
BEGIN
    FOR open IN
        SELECT
            p.oid::regprocedure AS function,
            CASE
                WHEN x.grantee = 0 THEN 'PUBLIC'
                ELSE quote_ident(pg_get_userbyid(x.grantee))
            END AS role
        FROM pg_proc p
        CROSS JOIN LATERAL aclexplode(p.proacl) x
        WHERE p.pronamespace = 'rollup'::regnamespace
        AND p.prosecdef
        AND x.grantee <> p.proowner
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', open.function, open.role);
    END LOOP;
END
$close$"""
)

# Waited for: what follow_accounts() cannot have at once, it leaves uncovered.
_LOCK_ACCOUNTS = """
SELECT count(pg_advisory_xact_lock(%(class)s, %(first)s + i))
FROM generate_series(0, %(slots)s - 1) i
"""


def of_tables(changes: Changes) -> Iterator[Statement]:
    """Create the tables of ours that are missing, and add what others lack.

    What is converted gets that when it is: see of_objects().
    """
    rollups = changes.registry.rollups
    if changes.has_sealed and any(
        one.is_missing and one.name == qualified(rollups.schema, rollups.table)
        for one in changes.tables
    ):
        yield sealed.dropped(changes.registry)
    for lack in changes.tables:
        if lack.is_missing:
            yield Statement(text=_text_of_table(changes, lack.name))
        elif changes.conversion is None or lack.name != conversion.TABLE:
            # At once, and not by way of a weaker lock: a writer who has read the table and goes on
            # to write it would otherwise be in a deadlock with us, and fail.
            lock = Lock("ACCESS EXCLUSIVE", (lack.name,))
            yield Statement(
                text=f"LOCK TABLE {lack.name} IN ACCESS EXCLUSIVE MODE",
                lock=lock,
                why="columns or defaults are added",
            )
            yield Statement(text=_text_of_table(changes, lack.name))
    for setting in changes.default_settings:
        yield Statement(text=setting)
    if changes.losses:
        if changes.has_lost_totals:
            yield from gaps.of_losses(changes.registry)
        yield VOID_COVERAGE


def of_objects(changes: Changes, made: tuple[str, ...]) -> Iterator[Statement]:
    """Bring functions, views and triggers up to date; triggers last, for their table's lock.

    The lock makes sure that no transaction goes on that has counted by the old functions. Types
    change behind it: a writer that has to look one up would wait for us, and we for the writer.
    Writes down what this and, as `made` tells, the step before it did, if anything. What a user's
    own object depends on is not dropped, but an error of the database's, which names both.
    """
    if changes.is_nothing and not made:
        return
    if _wants_slots(changes):
        yield TAKE_SLOTS
    yield _UNCHECKED
    later = [one for one in changes.objects if _is_later(one, changes)]
    if changes.conversion:
        replaced = [one for one in later if one.kind == "view" and one.in_place is not None]
        yield from (conversion.emptied(one.name) for one in reversed(replaced))
    for one in changes.objects:
        if one.kind != "trigger" and one.rendered is not None and one not in later:
            yield from _created(one, one.rendered, changes)
    if any(one.kind == "function" for one in changes.objects):
        yield _CLOSE
    yield HAND_OVER
    yield from gaps.of_difference(changes.difference)
    if changes.miscounts:
        yield VOID_COVERAGE
    if changes.has_sealed:
        yield from sealed.taken_over(changes.registry)
    yield from _locks(changes)
    if changes.conversion:
        yield from changes.conversion.statements(_text_of_table(changes, conversion.TABLE))
    for one in later:
        if one.rendered is not None:
            yield from _created(one, one.rendered, changes)
    for fresh in changes.fresh:
        yield partitions.void(fresh)
    for one in changes.objects:
        if one.kind == "trigger" and one.rendered is not None:
            yield Statement(text=one.rendered.text)
    for drop in changes.drops:
        yield _dropped(drop)
    yield _CHECK
    yield from partitions.remembered()
    if not changes.are_columns_remembered:
        yield from columns.taken_over(changes.registry)
    yield _PLAINLY
    functions, seen = (fingerprints(changes.rendered, kind) for kind in ("function", "view"))
    described = (*made, *changes.described)
    yield deployments.record(changes.registry, described, functions, seen)


def of_accounts(registry: Registry) -> Iterator[Statement]:
    """Take over the zones that the application keeps already; the trigger follows the rest."""
    if registry.accounts is None:
        return
    lock = Lock("ROWS", ("rollup.accounts",))
    keys = {"class": LOCK_CLASS, "first": ADD_KEY, "slots": SLOTS}
    why = "time zones are taken over"
    yield Statement(text=_LOCK_ACCOUNTS, values=keys, lock=lock, why=why)
    yield Statement(text="SELECT rollup.follow_accounts()", lock=lock, why=why)


def _wants_slots(changes: Changes) -> bool:
    """Tell whether rebuilds and folds that began before have to end."""
    return bool(
        changes.miscounts
        or changes.difference
        or changes.has_sealed
        or changes.fresh
        or changes.conversion
    )


def _is_later(one: Object, changes: Changes) -> bool:
    """Tell whether an object changes behind the locks: types, and what reads converted tables."""
    if one.kind == "type":
        return one.in_place is not None
    return one.kind == "view" and changes.conversion is not None


def _text_of_table(changes: Changes, name: str) -> str:
    return next(one.text for one in changes.rendered if one.kind == "table" and one.name == name)


def _created(one: Object, rendered: Rendered, changes: Changes) -> Iterator[Statement]:
    """Create or replace an object, which leaves grants on it; else drop the one in place first."""
    old = one.in_place
    if old is None:
        yield Statement(text=rendered.text)
        if one.name in views.SHARED:
            yield views.shared(rendered)
    elif one.kind == "type":
        yield Statement(text=_altered(rendered, old))
        yield from _users(rendered, changes)
    elif one.kind == "view":
        yield views.replaced(rendered, changes.rendered)
    else:
        if one.is_recreated:
            yield _dropped(old.drop)
        yield Statement(text=rendered.text)


def _users(type_: Rendered, changes: Changes) -> Iterator[Statement]:
    """Replace the functions that name a type: sessions keep plans for its old attributes.

    Those that have changed themselves are replaced anyway.
    """
    name = re.compile(rf"\b{re.escape(type_.name)}\b")
    changed = {one.name for one in changes.objects}
    for other in changes.rendered:
        is_function = other.kind == "function" and other.name not in changed
        if is_function and name.search(other.definition):
            yield Statement(text=other.text)


def _dropped(drop: str) -> Statement:
    relation = _RELATION.fullmatch(drop)
    lock = Lock("ACCESS EXCLUSIVE", (relation[1],)) if relation else None
    why = "a trigger of ours is dropped" if drop.startswith("TRIGGER") else "it is dropped"
    return Statement(text=f"DROP {drop}", lock=lock, why=why)


def _locks(changes: Changes) -> Iterator[Statement]:
    """Wait for transactions that write to the tables whose triggers or functions change.

    Where none does, but columns are written down, only for those that change the table.
    """
    reasons = {one.table: "its triggers change" for one in changes.objects if one.table}
    if any(one.kind == "function" for one in changes.objects):
        reasons = dict.fromkeys(changes.events, "the functions of its triggers change") | reasons
    if changes.events[0] not in reasons and not changes.are_columns_remembered:
        yield columns.lock(changes.events[0])
    for name in sorted(reasons, key=lambda name: (name != changes.events[0], name)):
        yield Statement(
            text=f"LOCK TABLE ONLY {name} IN SHARE ROW EXCLUSIVE MODE",
            lock=Lock("SHARE ROW EXCLUSIVE", (name,)),
            why=reasons[name],
        )


def _altered(rendered: Rendered, old: Existing) -> str:
    """Write the statement that gives an existing composite type the attributes as rendered."""
    drops = [f"DROP ATTRIBUTE {name}" for name in _ATTRIBUTE.findall(old.definition)]
    attributes = rendered.definition.split("(\n", 1)[1].rsplit("\n)", 1)[0].split(",\n")
    adds = [f"ADD ATTRIBUTE {attribute.strip()}" for attribute in attributes]
    return f"ALTER TYPE {rendered.name}\n    " + ",\n    ".join((*drops, *adds))
