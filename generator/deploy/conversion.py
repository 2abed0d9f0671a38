"""What an older version has stored, and the statements that store it as this one does.

Format 1 named the columns of rollup.pending_events after those of the source table, and kept the
time in the source's type. They are renamed in place, beside writers and with any number of events:
behind the locks of a deployment, and without reading a row. So are those that the registry names
otherwise than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator import __version__
from generator.database.blockers import Lock
from generator.deploy import deployments
from generator.deploy.statements import Statement
from generator.deploy.tables import find
from generator.errors import DatabaseError
from generator.quoting import ident, literal, shortened
from generator.registry.counting import FORMAT, LONGEST_ID
from generator.registry.event import TIME, event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.database.connection import Connection
    from generator.deploy.deployments import Deployed
    from generator.deploy.tables import Table
    from generator.registry import Registry

TABLE = "rollup.pending_events"

# An empty query with the columns of the view keeps what depends on the view, and no longer depends
# on the table: a column that a view reads cannot change its type.
_EMPTIED = """
DO $empty$
DECLARE
    query text := (
        SELECT string_agg(
            format(
                'NULL::%s%s AS %I',
                format_type(a.atttypid, a.atttypmod),
                (
                    SELECT format(' COLLATE %I.%I', n.nspname, c.collname)
                    FROM pg_collation c
                    JOIN pg_namespace n ON n.oid = c.collnamespace
                    WHERE c.oid = a.attcollation
                ),
                a.attname
            ),
            ', ' ORDER BY a.attnum
        )
        FROM pg_attribute a
        WHERE a.attrelid = to_regclass({view})
        AND a.attnum > 0
        AND NOT a.attisdropped
    );
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %s AS SELECT %s WHERE false', {view}, query);
END
$empty$"""

# The conversion of a timestamp rewrites no row in a session whose time zone is UTC.
_TYPED = """
SET LOCAL timezone TO 'UTC';
ALTER TABLE rollup.pending_events ALTER at TYPE timestamp with time zone;
SET LOCAL timezone TO DEFAULT"""

_IS_READABLE = "SELECT has_table_privilege(to_regclass('rollup.deployments'), 'SELECT')"

_COPIED = "UPDATE rollup.pending_events SET {new} = {old}"
_SHORTENED = """
UPDATE rollup.pending_events
SET {id} = rollup.short_id({id})
WHERE octet_length({id}) > {longest}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What becomes of the columns of rollup.pending_events: old and new names."""

    renamed: tuple[tuple[str, str], ...]
    copied: tuple[tuple[str, str], ...]
    """Columns that stood for several dimensions: the new name, and that of which it is a copy."""
    dropped: tuple[str, ...]
    """Columns that nothing reads any more, whose names are needed."""
    ids: tuple[str, ...]
    """Columns of ids that may be too long, as older versions have left them."""
    is_retyped: bool
    """Whether the time was stored without a time zone, in UTC."""

    @property
    def supplied(self) -> frozenset[str]:
        """Name the columns that the table lacks, and will not after it."""
        return frozenset(new for _, new in (*self.renamed, *self.copied))

    @property
    def replaced(self) -> frozenset[str]:
        """Name the columns whose types do not matter, because they will hold something else."""
        retyped = (TIME,) if self.is_retyped else ()
        return frozenset((*(old for old, _ in self.renamed), *self.dropped, *retyped))

    def statements(self, table: str) -> Iterator[Statement]:
        """Lock the table and convert it; `table` is its rendered text, which adds what is new.

        Writers come here from the source table, which the caller has locked before.
        """
        yield Statement(
            text=f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE",
            lock=Lock("ACCESS EXCLUSIVE", (TABLE,)),
            why="its columns are renamed",
        )
        for name in self.dropped:
            yield Statement(text=f"ALTER TABLE {TABLE} DROP COLUMN {ident(name)}")
        yield from map(_rename, self.renamed)
        if self.is_retyped:
            yield Statement(text=_TYPED)
        yield Statement(text=table)
        for new, old in self.copied:
            yield Statement(text=_COPIED.format(new=ident(new), old=ident(old)))
        for name in self.ids:
            yield Statement(text=_SHORTENED.format(id=ident(name), longest=LONGEST_ID))


def check(session: Connection) -> None:
    """Raise DatabaseError where a newer version has stored what this one does not know.

    Where this role may not read it, the checks of tables and rights say so.
    """
    last = _last(session)
    if last is not None and last.format > FORMAT:
        raise DatabaseError(
            f"a newer version of reporting-rollups, {last.version}, has deployed to this database: "
            f"what it stores has format {last.format}, of which {__version__} knows up to {FORMAT}",
            hint="install that version or a newer one, and run it",
        )


def replaced(session: Connection, registry: Registry) -> frozenset[str]:
    """Name the columns of pending events whose types do not matter: see Conversion."""
    found = conversion(session, registry, _last(session))
    return found.replaced if found else frozenset()


def _last(session: Connection) -> Deployed | None:
    is_readable = session.execute(_IS_READABLE).fetchone() == (True,)
    return deployments.last(session) if is_readable else None


def conversion(session: Connection, registry: Registry, last: Deployed | None) -> Conversion | None:
    """Find out what is to be converted, if anything, of what the last deployment has stored."""
    if last is None:
        return None
    table = find(session, "rollup", "pending_events")
    if table is None:
        return None
    if last.format >= FORMAT:
        return _renamed(table, registry, last)
    columns = event(registry).columns
    time = next(one.column for one in columns if one.name == TIME)
    return _moved(
        table,
        [(one.column, one.name) for one in columns],
        ids=tuple(one.name for one in columns if one.is_text_id),
        is_retyped=time in table.columns
        and table.columns[time].type == "timestamp without time zone",
    )


def _renamed(table: Table, registry: Registry, last: Deployed) -> Conversion | None:
    """Find out which columns have other names than in the last deployment, if any has."""
    before, columns = last.counting.stored, event(registry).columns
    kept = {one.name for one in columns if before.get(one.name) == one.column}
    free = {column: name for name, column in before.items() if name not in kept}
    pairs = [
        (free.pop(one.column), one.name)
        for one in columns
        if one.name not in kept and one.column in free
    ]
    found = _moved(table, pairs)
    return found if found.renamed else None


def _moved(
    table: Table,
    pairs: Sequence[tuple[str, str]],
    *,
    ids: tuple[str, ...] = (),
    is_retyped: bool = False,
) -> Conversion:
    """Convert a table of which columns get other names: pairs of the old and the new one."""
    moved = [(old, new) for old, new in pairs if old in table.columns]
    first: dict[str, str] = {}
    for old, new in moved:
        first.setdefault(old, new)
    taken = {new for old, new in first.items() if new in table.columns and new != old}
    renamed = tuple((old, new) for old, new in first.items() if old != new)
    return Conversion(
        renamed=_in_turn(renamed, taken),
        copied=tuple((new, first[old]) for old, new in moved if first[old] != new),
        dropped=tuple(sorted(taken - first.keys())),
        ids=ids,
        is_retyped=is_retyped,
    )


def emptied(view: str) -> Statement:
    """Replace a view by an empty one with the same columns, until it is replaced by what it is."""
    lock = Lock("ACCESS EXCLUSIVE", (view,))
    return Statement(text=_EMPTIED.format(view=literal(view)), lock=lock, why="it is replaced")


def _in_turn(renamed: tuple[tuple[str, str], ...], taken: set[str]) -> tuple[tuple[str, str], ...]:
    """Let columns that swap their names pass through names that nothing has."""
    if not taken & {old for old, _ in renamed}:
        return renamed
    aside = [(old, shortened(f"was {old}")) for old, _ in renamed]
    return (*aside, *((was, new) for (_, was), (_, new) in zip(aside, renamed, strict=True)))


def _rename(names: tuple[str, str]) -> Statement:
    old, new = map(ident, names)
    return Statement(text=f"ALTER TABLE {TABLE} RENAME COLUMN {old} TO {new}")
