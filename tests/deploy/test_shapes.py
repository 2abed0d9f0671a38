"""The shapes that are read from migrations and rendered tables are those that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.deploy import own_tables, shapes
from generator.deploy.deploy import deploy
from generator.registry import DEFAULT, load, parse

if TYPE_CHECKING:
    from generator.registry import Registry
    from tests.support.databases import Connect

FULL = load()
TEXT = parse(DEFAULT.read_text().replace('id_type = "bigint"', 'id_type = "text"'), "registry.toml")

COLUMNS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'rollup'::regnamespace
AND c.relkind = 'r'
AND c.relname !~ '^_?yoyo_'
AND a.attnum > 0
GROUP BY c.relname
"""


@pytest.mark.parametrize("registry", [FULL, TEXT], ids=["bigint", "text"])
def test_what_is_deployed_has_these_shapes(
    registry: Registry, reference_database: str, connect: Connect
) -> None:
    deploy(reference_database, registry)
    session = connect(reference_database)
    known, are_applied = shapes.known(session, registry)
    assert are_applied
    columns = {name: sorted(shape.columns) for name, shape in known.items()}
    assert dict(session.execute(COLUMNS).fetchall()) == columns
    assert own_tables.problems(session, known, are_applied=are_applied) == []


def test_a_column_that_is_not_understood_is_an_error() -> None:
    text = "CREATE TABLE IF NOT EXISTS rollup.odd (\n    1 bigint\n);"
    with pytest.raises(ValueError, match="not a column of odd: '1 bigint'"):
        shapes.read([text])
