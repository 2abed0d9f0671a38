"""Whether the schema is ours and the role may deploy, checked before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.database.connection import plainly
from generator.deploy.migrate import SCHEMA
from generator.deploy.tables import account_partitions, partitions
from generator.errors import DatabaseError
from generator.quoting import qualified

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.registry import Registry

# yoyo makes its tables first, so whatever else we have made, one of them is there.
_IS_FOREIGN = """
SELECT EXISTS (
    SELECT
    FROM pg_depend d
    WHERE d.refclassid = 'pg_namespace'::regclass
    AND d.refobjid = to_regnamespace(%(schema)s)
)
AND NOT EXISTS (
    SELECT
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(%(schema)s)
    AND c.relname ~ '^_?yoyo_'
)
"""

# What is wrong, line by line. A role has USAGE of those that it is, or is a member of.
_LACKING = """
SELECT format('it does not own %%I.%%I', n.nspname, c.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE quote_ident(n.nspname) || '.' || quote_ident(c.relname) = ANY (%(tables)s)
AND NOT pg_has_role(c.relowner, 'USAGE')
UNION ALL
SELECT format('it may not use the schema %%I', n.nspname)
FROM pg_namespace n
WHERE n.nspname = ANY (%(schemas)s)
AND NOT has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT format('it may not create a table in the schema %%I', n.nspname)
FROM pg_namespace n
WHERE n.nspname = %(rollups_schema)s
AND NOT has_schema_privilege(n.oid, 'CREATE')
AND NOT EXISTS (
    SELECT
    FROM pg_class c
    WHERE c.relnamespace = n.oid
    AND c.relname = %(rollups_table)s
)
UNION ALL
SELECT format('it does not own the schema %%I', n.nspname)
FROM pg_namespace n
WHERE n.nspname = %(own_schema)s
AND NOT pg_has_role(n.nspowner, 'USAGE')
UNION ALL
SELECT format('it may not create a schema in the database %%I', current_database())
WHERE NOT has_database_privilege(current_database(), 'CREATE')
AND to_regnamespace(%(own_schema)s) IS NULL
"""


def check(session: Connection, registry: Registry) -> None:
    """Check the schema and the rights of the role; what is wrong is a DatabaseError."""
    if session.execute(_IS_FOREIGN, {"schema": SCHEMA}).fetchone() == (True,):
        raise DatabaseError(
            f"there is a schema {SCHEMA} that this program has not made",
            hint="rename that schema, or use another database; nothing has been changed",
        )
    with plainly(session):
        lacking = [what for [what] in session.execute(_LACKING, _scope(session, registry))]
    if lacking:
        [user] = session.execute("SELECT current_user").fetchone() or ("",)
        raise DatabaseError(
            f"the role {user} may not deploy\n" + "\n".join(f"  {one}" for one in lacking),
            hint="run it as the owner of the tables, or as a member of it, who may create schemas; "
            "nothing has been changed",
        )


def _scope(session: Connection, registry: Registry) -> dict[str, object]:
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    named = [one for one in (source, accounts, rollups) if one is not None]
    tables = (
        *(qualified(one.schema, one.table) for one in named),
        *partitions(session, registry),
        *account_partitions(session, registry),
    )
    return {
        "tables": [str(name) for name in tables],
        "schemas": [one.schema for one in named],
        "rollups_schema": rollups.schema,
        "rollups_table": rollups.table,
        "own_schema": SCHEMA,
    }
