"""Views that are replaced, with those above them, and views that readers may read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.database.blockers import Lock
from generator.deploy.statements import Statement

if TYPE_CHECKING:
    from generator.render.objects import Rendered

# Grants and what depends on a view survive its replacement, so that is tried first. Otherwise the
# views of ours above it are dropped and created with it.
_REPLACE_VIEW = """
DO $replace$
DECLARE
    definition text := $view$
{definition}
$view$;
BEGIN
    EXECUTE definition;
EXCEPTION
    WHEN invalid_table_definition THEN
        DROP VIEW IF EXISTS {names};
        EXECUTE $views$
{texts}
$views$;
END
$replace$;
{comments}"""

# Who may read the totals may read what commands compute from them.
_SHARE_VIEW = """
DO $share$
DECLARE
    reader record;
BEGIN
    FOR reader IN
        SELECT DISTINCT
            CASE
                WHEN x.grantee = 0 THEN 'PUBLIC'
                ELSE quote_ident(pg_get_userbyid(x.grantee))
            END AS role
        FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) x
        WHERE c.relnamespace = 'rollup'::regnamespace
        AND c.relname = 'current_rollups'
        AND x.privilege_type = 'SELECT'
        AND x.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT SELECT ON {name} TO %s', reader.role);
    END LOOP;
END
$share$"""
SHARED = {
    *("rollup.metrics", "rollup.reports", "rollup.timezone_aliases"),
    *("rollup.unsummed_totals", "rollup.unsummed_members"),
}
"""Views that functions and other views read with the rights of their caller."""


def replaced(view: Rendered, others: tuple[Rendered, ...]) -> Statement:
    """Replace a view that exists, and where its columns change the views of ours above it."""
    definition = view.definition
    chain = (view, *_above(view, others))
    return Statement(
        text=_REPLACE_VIEW.format(
            definition=definition,
            names=", ".join(one.name for one in chain),
            texts="".join(one.text for one in chain),
            comments=view.text.removeprefix(definition).removeprefix(";").lstrip(),
        ),
        lock=Lock("ACCESS EXCLUSIVE", tuple(one.name for one in chain)),
        why="it is replaced",
    )


def shared(view: Rendered) -> Statement:
    """Let the roles that may read the totals read a view."""
    return Statement(text=_SHARE_VIEW.format(name=view.name))


def _above(view: Rendered, others: tuple[Rendered, ...]) -> tuple[Rendered, ...]:
    """List the views that read a view, straight or by others, in the order of their rendering."""
    names, found = {view.name}, []
    for other in others:
        reads = any(re.search(rf"\b{re.escape(name)}\b", other.definition) for name in names)
        if other.kind == "view" and other.name not in names and reads:
            names.add(other.name)
            found.append(other)
    return tuple(found)
