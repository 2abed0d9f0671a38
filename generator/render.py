"""From a registry to the SQL of every object: pure, without a database, byte for byte the same."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from generator import reading
from generator.locks import ADD_KEY, LOCK_CLASS, SLOTS
from generator.quoting import MAX_IDENTIFIER_BYTES, Sql, ident, literal, qualified
from generator.templating import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Environment

    from generator.registry import Registry

Kind = Literal["type", "table", "view", "function", "trigger"]

_TABLES = ("rollups", "pending_events", "distinct_members")
_OWN_TABLES = ("accounts", "distinct_members", "gaps", "invalidations", "pending_events")
"""Of our own tables those that a policy could make totals wrong by."""
_TYPES = ("difference", "chunk")
_VIEWS = (
    *("coverage", "metric_coverage", "current_rollups", "current_members", "status"),
    "standing_differences",
)
_FUNCTIONS = (
    "require_read_committed",
    "are_triggers_on",
    "require_triggers",
    "table_problems",
    "require_tables",
    "is_part_of",
    "short_id",
    "require_day",
    "require_days",
    "try_slots",
    "lock_record",
    "fold_pending",
    "fold",
    "canonical_timezone",
    "knows_timezone",
    "require_timezones",
    "current_partitions",
    "days_around",
    "gone_partitions",
    "require_partitions",
    "require_known",
    "require_account",
    "is_deployed",
    "uncovered",
    "is_covered",
    "want_timezone",
    "set_timezone",
    "settle_invalidations",
    "missed_settings",
    "catch_up",
    "count_sealed",
    "switch_timezone",
    "drift",
    "note_verification",
    "verify_sample",
    "rebuild_accounts",
    "rebuild",
    "backfill_chunks",
    "backfill_chunk",
    "backfill",
    "purge_chunk",
    "purge_events",
    "forget_partition",
)
_REPORT_FUNCTIONS = (
    "require_choice",
    "require_moments",
    "report_timezone",
    "report_dimension",
    "whole_days",
    "are_same_days",
    "moments_outside",
    "resolve_report",
    "report_buckets",
    "report_rows",
    "timeseries",
    "aggregate",
    "explain_report",
)
_TRANSITION_TABLES = {
    "insert": "NEW TABLE AS inserted",
    "update": "OLD TABLE AS updated_before NEW TABLE AS updated_after",
    "delete": "OLD TABLE AS deleted",
    "truncate": "",
}
_WRITERS = {"inline": "after_change", "append": "append_change"}
"""The template of a trigger function, by write mode."""

LONGEST_ID = 255
"""How many bytes of a text id count as they are: see the function rollup.short_id()."""

_DEFINITION_END = re.compile(r";\n\nCOMMENT ON ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One object of the database, as rendered: its kind, its name and the text of its file."""

    kind: Kind
    name: str
    """Schema and name, quoted; for a trigger the quoted name of the trigger alone."""
    table: str | None = None
    """Of a trigger: the quoted, qualified table that it is on."""
    path: str
    """The file's path below the folder of rendered SQL."""
    text: str

    @property
    def definition(self) -> str:
        """The text without comments on the object, as far as the catalog keeps it."""
        return _DEFINITION_END.split(self.text, maxsplit=1)[0]

    @property
    def is_closed(self) -> bool:
        """Whether it is a function that nobody may run but its owner and whom he grants it."""
        return "\nREVOKE EXECUTE ON " in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the source table that the registry reads, and the type it is read as."""

    name: str
    type: Sql
    is_measure: bool = False
    is_text_id: bool = False

    @property
    def of_event(self) -> Sql:
        """What it is called where an event is alone, in a record."""
        return _of_event(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rendering for a database depends on there, besides the registry."""

    partitions: tuple[Sql, ...] = ()
    """The quoted names of the source table's: a statement straight on a partition fires its
    triggers only, so each gets the source table's."""
    adopted_types: Mapping[str, Sql] = field(default_factory=dict)
    """The types of the rollup key's columns that differ from those that we would give them."""
    numeric_measures: frozenset[str] = frozenset()
    """The measures whose column is numeric, which holds numbers too small for double precision."""


NOTHING = Found()
"""As in a database without partitions, where the rollup table is of our making."""


def render(registry: Registry, found: Found = NOTHING) -> tuple[Rendered, ...]:
    """Render every object of a registry, in an order in which they can be created."""
    env = _environment(registry, found)
    source = registry.source
    tables = (qualified(source.schema, source.table), *found.partitions)
    return (
        *rendered_tables(registry, found),
        *(_named(env, "type", name, f"rollup.{name}") for name in _TYPES),
        *(_named(env, "function", name, f"rollup.{name}") for name in _FUNCTIONS),
        *(_named(env, "view", name, f"rollup.{name}") for name in _VIEWS),
        *_report_objects(env, registry),
        *_event_functions(env, registry),
        *(trigger for table in tables for trigger in _event_triggers(env, registry, table)),
        *_account_objects(env, registry),
    )


def rendered_tables(registry: Registry, found: Found = NOTHING) -> tuple[Rendered, ...]:
    """Render the tables of a registry alone, which takes no time."""
    env = _environment(registry, found)
    return tuple(_named(env, "table", name, _table_name(registry, name)) for name in _TABLES)


def columns(registry: Registry) -> tuple[Column, ...]:
    """List the columns of the source table that are read, each once: those of a signed event."""
    source = registry.source
    time = "timestamp without time zone" if source.time_type == "timestamp" else "timestamptz"
    id_type = Sql(registry.rollups.id_type)
    measure = Sql("double precision")
    return (
        Column(name=source.account, type=Sql("bigint")),
        Column(name=source.name, type=Sql("text")),
        Column(name=source.time, type=Sql(time)),
        *(
            Column(name=name, type=id_type, is_text_id=id_type == "text")
            for name in registry.id_columns
        ),
        *(Column(name=m.column, type=measure, is_measure=True) for m in registry.measures),
    )


def _environment(registry: Registry, found: Found) -> Environment:
    env = environment()
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    env.globals |= {
        "registry": registry,
        "source": source,
        "accounts": accounts,
        "accounts_table": accounts and qualified(accounts.schema, accounts.table),
        "columns": columns(registry),
        "read_columns": _read_columns(registry),
        "tables_in_use": _tables_in_use(registry),
        "event_triggers": [
            (f"rollup_after_{verb}", _trigger_function_name(source.table, f"after_{verb}"))
            for verb in _TRANSITION_TABLES
        ],
        "event_account": _of_event(source.account),
        "event_name": _of_event(source.name),
        "event_time": _of_event(source.time),
        "events": qualified(source.schema, source.table),
        "rollups": qualified(rollups.schema, rollups.table),
        "id_type": Sql(rollups.id_type),
        "grouped_columns": _grouped_columns(registry),
        "grouping_sets": _grouping_sets(registry),
        "membership_events": tuple(dict.fromkeys(m.event for m in registry.memberships)),
        "whole": next((d.name for d in registry.dimensions if d.column == source.account), None),
        "longest_id": LONGEST_ID,
        "adopted_types": found.adopted_types,
        "numeric_measures": found.numeric_measures,
        "lock_class": LOCK_CLASS,
        "slot_count": SLOTS,
        "add_key": ADD_KEY,
    }
    return env


def _tables_in_use(registry: Registry) -> tuple[tuple[Sql, str, str], ...]:
    """List the tables that are read or written: the quoted name, the schema, the name."""
    named = [one for one in (registry.source, registry.accounts, registry.rollups) if one]
    places = [(one.schema, one.table) for one in named]
    places += [("rollup", name) for name in _OWN_TABLES]
    return tuple((qualified(*place), *place) for place in places)


def _read_columns(registry: Registry) -> tuple[tuple[Sql, str, tuple[str, ...]], ...]:
    """List the columns that are read: the quoted table, the name, the types that it may have."""
    source, accounts = registry.source, registry.accounts
    tables = [(qualified(source.schema, source.table), reading.of_events(registry))]
    if accounts is not None:
        name = qualified(accounts.schema, accounts.table)
        tables.append((name, reading.of_accounts(registry)))
    return tuple((table, name, types) for table, read in tables for name, types in read.items())


def _grouped_columns(registry: Registry) -> tuple[str, ...]:
    """List the columns by which totals are grouped for dimensions, besides the account's."""
    return tuple(one for one in registry.dimension_columns if one != registry.source.account)


def _grouping_sets(registry: Registry) -> dict[str, int]:
    """Map each dimension's column to what GROUPING() says where totals are grouped by it."""
    grouped = _grouped_columns(registry)
    all_left_out = 2 ** len(grouped) - 1
    bits = {column: 2**bit for bit, column in enumerate(reversed(grouped))}
    return {column: all_left_out - bits.get(column, 0) for column in registry.dimension_columns}


def _named(env: Environment, kind: Kind, template: str, name: str, **values: object) -> Rendered:
    text = env.get_template(f"{kind}s/{template}.sql.j2").render(values)
    return Rendered(kind=kind, name=name, path=f"{kind}s/{_file_name(name)}", text=_tidy(text))


def _event_functions(env: Environment, registry: Registry) -> Iterator[Rendered]:
    for verb in _TRANSITION_TABLES:
        function = _trigger_function(registry.source.table, f"after_{verb}")
        template = "after_truncate" if verb == "truncate" else _WRITERS[registry.rollups.write_mode]
        yield _named(env, "function", template, function, function=function, verb=Sql(verb))


def _event_triggers(env: Environment, registry: Registry, table: Sql) -> Iterator[Rendered]:
    for verb, transition_tables in _TRANSITION_TABLES.items():
        yield _trigger(
            env,
            trigger=Sql(f"rollup_after_{verb}"),
            table=table,
            event=Sql(verb.upper()),
            transition_tables=Sql(transition_tables),
            level=Sql("STATEMENT"),
            function=_trigger_function(registry.source.table, f"after_{verb}"),
            comment=literal(f"Keeps the rollups exact over every {verb} of events."),
        )


def _report_objects(env: Environment, registry: Registry) -> Iterator[Rendered]:
    if not registry.readings:
        return
    yield _named(env, "type", "report_request", "rollup.report_request")
    for name in _REPORT_FUNCTIONS:
        yield _named(env, "function", name, f"rollup.{name}")
    if registry.summaries:
        yield _named(env, "function", "summary", "rollup.summary")


def _account_objects(env: Environment, registry: Registry) -> Iterator[Rendered]:
    accounts = registry.accounts
    if accounts is None:
        return
    on = qualified(accounts.schema, accounts.table)
    function = _trigger_function(accounts.table, "after_change")
    yield _named(env, "function", "follow_accounts", "rollup.follow_accounts")
    yield _named(env, "function", "accounts_after_change", function, function=function)
    for trigger, event, level in (
        ("rollup_after_change", "INSERT OR DELETE OR UPDATE", "ROW"),
        ("rollup_after_truncate", "TRUNCATE", "STATEMENT"),
    ):
        yield _trigger(
            env,
            trigger=Sql(trigger),
            table=on,
            event=Sql(event),
            transition_tables=Sql(""),
            level=Sql(level),
            function=function,
            comment=literal("Follows the time zones that the application keeps for its accounts."),
        )


def _trigger(env: Environment, **values: Sql) -> Rendered:
    text = env.get_template("triggers/change.sql.j2").render(values)
    return Rendered(
        kind="trigger",
        name=values["trigger"],
        table=values["table"],
        path=f"triggers/{_file_name(values['table'].split('.', 1)[1] + '.' + values['trigger'])}",
        text=_tidy(text),
    )


def _table_name(registry: Registry, name: str) -> str:
    if name == "rollups":
        return qualified(registry.rollups.schema, registry.rollups.table)
    return f"rollup.{name}"


def _trigger_function(table: str, suffix: str) -> Sql:
    """Name a trigger function after its table."""
    return Sql(f"rollup.{ident(_trigger_function_name(table, suffix))}")


def _trigger_function_name(table: str, suffix: str) -> str:
    """Name it as the catalog does: without its schema, and never in quotes."""
    return f"{_short(table, MAX_IDENTIFIER_BYTES - len(f'_{suffix}'))}_{suffix}"


def _of_event(column: str) -> Sql:
    """Name a column of the record that holds an event which is alone."""
    return Sql(f"event.{ident(column)}")


def _short(name: str, limit: int) -> str:
    """Return a name, or a digest of it where it has more bytes than there is room for."""
    if len(name.encode()) <= limit:
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_") + ".sql"


def _tidy(text: str) -> str:
    """Take out the lines that template tags leave blank; literals and names hold no line breaks."""
    text = re.sub(r"\n(?:[ \t]+\n)+", "\n", text.lstrip("\n"))
    return re.sub(r"\n{3,}", "\n\n", text)
