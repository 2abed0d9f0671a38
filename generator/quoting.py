"""Quoting of identifiers and literals, and the type that says that text is SQL.

What a registry holds is data. It becomes part of a statement here and nowhere else, quoted as the
server's own quote_ident() and quote_literal() would quote it.
"""

from __future__ import annotations

import hashlib
import re

MAX_IDENTIFIER_BYTES = 63
"""What PostgreSQL keeps of an identifier: NAMEDATALEN - 1. It cuts off the rest with a notice."""

QUOTED_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit
    boolean both case cast char character check coalesce collate collation column concurrently
    constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user dec decimal default deferrable desc distinct do else end except
    exists extract false fetch float for foreign freeze from full grant greatest group grouping
    having ilike in initially inner inout int integer intersect interval into is isnull join json
    json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
    json_serialize json_table json_value lateral leading least left like limit localtime
    localtimestamp merge_action national natural nchar none normalize not notnull null nullif
    numeric offset on only or order out outer overlaps overlay placing position precision primary
    real references returning right row select session_user setof similar smallint some substring
    symmetric system_user table tablesample then time timestamp to trailing treat trim true union
    unique user using values varchar variadic verbose when where window with xmlattributes
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize
    xmltable
    """.split()  # noqa: SIM905 (164 quoted words would hide the list)
)
"""The keywords that quote_ident() quotes: pg_get_keywords() of PostgreSQL 14 to 18, all that are
not unreserved (catcode <> 'U')."""

SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""The names that no column of a table may have, because each table has them already."""

_PLAIN_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
_LINE_BREAK = re.compile(r"[\n\r]")
_DOLLAR_TAG = re.compile(r"\$\w*\$")


class Sql(str):
    """Text that is SQL: a quoted identifier or literal, or what a template rendered to."""

    __slots__ = ()


def check_identifier(name: str) -> None:
    """Raise ValueError, with what is wrong, when `name` cannot name a column, table or schema.

    Beyond what PostgreSQL refuses, it must not contain what cannot be escaped in an identifier and
    would not survive rendering: a dollar-quote delimiter ($function$), which would end the body of
    a function, and a line break, after which the line would be indented.
    """
    if not name:
        raise ValueError("must not be empty")
    if "\0" in name:
        raise ValueError("must not contain a NUL character")
    if _LINE_BREAK.search(name):
        raise ValueError("must not contain a line break")
    if tag := _DOLLAR_TAG.search(name):
        raise ValueError(f"must not contain {tag[0]!r}, which delimits text in SQL")
    if (length := len(name.encode())) > MAX_IDENTIFIER_BYTES:
        raise ValueError(
            f"is {length} bytes long; PostgreSQL names have at most {MAX_IDENTIFIER_BYTES}"
        )


def shortened(name: str, limit: int = MAX_IDENTIFIER_BYTES) -> str:
    """Return a name, or a digest of it where it cannot be a name or has more bytes than `limit`."""
    try:
        check_identifier(name)
    except ValueError:
        limit = 0
    return name if len(name.encode()) <= limit else hashlib.sha256(name.encode()).hexdigest()[:12]


def ident(name: str) -> Sql:
    """Quote a name where quote_ident() does; a ValueError says why it cannot be a name."""
    check_identifier(name)
    if _PLAIN_IDENTIFIER.fullmatch(name) and name not in QUOTED_KEYWORDS:
        return Sql(name)
    return Sql('"' + name.replace('"', '""') + '"')


def qualified(schema: str, name: str) -> Sql:
    """Quote the name of something in a schema: schema.name."""
    return Sql(f"{ident(schema)}.{ident(name)}")


def literal(value: str | int | None) -> Sql:
    r"""Quote a value as quote_literal() does: 'it''s', and E'a\\b' where there is a backslash.

    The result means the same whatever standard_conforming_strings says, and wherever a template
    puts it: line breaks are escaped, and so is what looks like a dollar-quote delimiter ($sql$
    becomes E'\x24sql\x24'). A negative number is bracketed, for `a-{{ value }}` would begin a
    comment. A NUL character is a ValueError: PostgreSQL has no text with one.
    """
    match value:
        case None:
            return Sql("NULL")
        case bool():
            return Sql("TRUE" if value else "FALSE")
        case int():
            return Sql(value if value >= 0 else f"({value})")
        case _:
            return _text(value)


def _text(value: str) -> Sql:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    escaped = value.replace("'", "''").replace("\\", "\\\\")
    escaped = escaped.replace("\n", r"\n").replace("\r", r"\r")
    if _DOLLAR_TAG.search(escaped):
        escaped = escaped.replace("$", r"\x24")
    return Sql(f"E'{escaped}'" if "\\" in escaped else f"'{escaped}'")
