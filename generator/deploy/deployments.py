"""What has been deployed, as written down in the database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator import __version__
from generator.deploy.statements import Statement
from generator.quoting import qualified
from generator.registry.counting import FORMAT, Counting
from generator.render.objects import source_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.database.connection import Connection
    from generator.registry import Registry

_IS_THERE = "SELECT to_regclass('rollup.deployments') IS NOT NULL"

_LAST = """
SELECT
    d.version,
    d.registry_digest,
    d.counting,
    d.definitions,
    coalesce((to_jsonb(d) ->> 'format')::integer, 1)  -- before migration 0007 there is no column
FROM rollup.deployments d
ORDER BY d.id DESC
LIMIT 1
"""

_RECORD = r"""
INSERT INTO rollup.deployments (
    version,
    registry_digest,
    counting,
    format,
    changes,
    definitions
)
SELECT
    %(version)s,
    %(registry)s,
    %(counting)s::jsonb,
    %(format)s,
    %(changes)s::text[],
    %(functions)s::jsonb || jsonb_build_object(
        %(key)s::text,
        to_regclass(%(source)s)::oid::text
    ) || jsonb_object_agg(
        v.key,
        encode(
            sha256(convert_to(v.value || E'\n' || pg_get_viewdef(to_regclass(v.name)), 'UTF8')),
            'hex'
        )
    )
FROM (
    SELECT
        e.key,
        e.value,
        substr(e.key, length('view ') + 1) AS name
    FROM jsonb_each_text(%(views)s::jsonb) e
) v
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The last deployment: of which registry, and the fingerprints of what it has made."""

    version: str
    """Of reporting-rollups."""
    registry_digest: str
    counting: Counting
    definitions: dict[str, str]
    """By kind and name: see generator.deploy.catalog. Of the source table it is the oid."""
    format: int
    """How it stored what is durable: see generator.registry.counting.FORMAT."""


def last(session: Connection) -> Deployed | None:
    """Read the last deployment that changed something, if there was any."""
    if session.execute(_IS_THERE).fetchone() != (True,):
        return None
    row = session.execute(_LAST).fetchone()
    if row is None:
        return None
    version, registry_digest, counting, definitions, format_ = row
    return Deployed(
        version=version,
        registry_digest=registry_digest,
        counting=Counting.of_json(counting),
        definitions=definitions,
        format=format_,
    )


def record(
    registry: Registry, changes: Sequence[str], functions: dict[str, str], views: dict[str, str]
) -> Statement:
    """Write the statement that writes down a deployment: what it changed, and what is there now.

    The fingerprint of a view is that of its rendering and of what the server prints of it. The oid
    of the source table tells a trigger function that its table is that one, under another name.
    """
    values = {
        "version": __version__,
        "registry": registry.digest,
        "counting": json.dumps(registry.counting.as_json(), indent=4, ensure_ascii=False),
        "format": FORMAT,
        "changes": list(changes),
        "functions": json.dumps(functions, indent=4, ensure_ascii=False),
        "key": source_key(registry),
        "source": qualified(registry.source.schema, registry.source.table),
        "views": json.dumps(views, indent=4, ensure_ascii=False),
    }
    return Statement(text=_RECORD, values=values)
