"""From a registry to the SQL of every object: pure, without a database, byte for byte the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from generator.database.locks import ADD_KEY, LOCK_CLASS, SLOTS
from generator.quoting import Sql, ident, literal, qualified
from generator.registry import reading
from generator.registry.counting import LONGEST_ID
from generator.registry.event import event as event_of
from generator.render import limits, triggers
from generator.render.environment import environment, listed
from generator.render.names import FUNCTIONS, OWN_TABLES, REPORT_FUNCTIONS, TABLES, TYPES, VIEWS
from generator.render.triggers import TRANSITION_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Environment

    from generator.registry import Registry
    from generator.registry.event import Event

Kind = Literal["type", "table", "view", "function", "trigger"]

_WRITERS = ("take_in", "take_in_event")
_SUFFIXES = {"inline": "", "append": "_appending"}
"""How the templates of functions that take events in are called, by write mode."""

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
        """Whether only the owner of the function, and roles with a grant, may run it."""
        return "\nREVOKE EXECUTE ON " in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rendering for a database depends on there, besides the registry."""

    partitions: tuple[Sql, ...] = ()
    """The quoted names of the source table's: a statement straight on a partition fires its
    triggers only, so each gets the source table's."""
    account_partitions: tuple[Sql, ...] = ()
    """The same of the accounts table."""
    adopted_types: Mapping[str, Sql] = field(default_factory=dict)
    """The types of the rollup key's columns that differ from those that we would give them."""
    numeric_measures: frozenset[str] = frozenset()
    """The measures whose column is numeric, which holds numbers too small for double precision."""


NOTHING = Found()
"""As in a database without partitions, where the rollup table is of our making."""


def render(registry: Registry, found: Found = NOTHING) -> tuple[Rendered, ...]:
    """Render every object of a registry, in an order in which they can be created."""
    env = _environment(registry, found)
    absent = _absent(registry)
    source = registry.source
    tables = (qualified(source.schema, source.table), *found.partitions)
    return (
        *rendered_tables(registry, found),
        *(_named(env, "type", name, f"rollup.{name}") for name in TYPES),
        _named(env, "view", "metrics", "rollup.metrics"),
        _named(env, "view", "timezone_aliases", "rollup.timezone_aliases"),
        *(_named(env, "function", one, f"rollup.{one}") for one in FUNCTIONS if one not in absent),
        *(_named(env, "view", name, f"rollup.{name}") for name in VIEWS if name not in absent),
        *_report_objects(env, registry),
        *_event_functions(env, registry),
        *(trigger for table in tables for trigger in _event_triggers(env, registry, table)),
        *_account_objects(env, registry, found),
    )


def _absent(registry: Registry) -> set[str]:
    """Name the objects that have nothing to do where nothing is summed, or counted distinct."""
    return {
        *(("totals_of", "truth_totals") if not registry.totals else ()),
        *(("members_of", "truth_members", "pending_members") if not registry.memberships else ()),
    }


def source_key(registry: Registry) -> str:
    """Name what a deployment writes down of the source table: its oid."""
    return f"table {qualified(registry.source.schema, registry.source.table)}"


def rendered_tables(registry: Registry, found: Found = NOTHING) -> tuple[Rendered, ...]:
    """Render the tables of a registry alone, which takes no time."""
    env = _environment(registry, found)
    return tuple(_named(env, "table", name, _table_name(registry, name)) for name in TABLES)


def _environment(registry: Registry, found: Found) -> Environment:
    env = environment()
    event = event_of(registry)
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    env.globals |= {
        "registry": registry,
        "source": source,
        "accounts": accounts,
        "accounts_table": accounts and qualified(accounts.schema, accounts.table),
        "event": event,
        "event_columns": lambda alias: listed(alias, (one.name for one in event.columns)),
        "source_columns": lambda alias: listed(alias, event.source_columns),
        "amounts": lambda alias: listed(alias, _amounts(registry)),
        "read_columns": _read_columns(registry),
        "tables_in_use": _tables_in_use(registry),
        "event_triggers": triggers.in_catalog(source.table),
        "events": qualified(source.schema, source.table),
        "source_key": source_key(registry),
        "rollups": qualified(rollups.schema, rollups.table),
        "id_type": Sql(rollups.id_type),
        "grouping_sets": _grouping_sets(event),
        "membership_events": tuple(dict.fromkeys(m.event for m in registry.memberships)),
        "limits": limits,
        "whole": next((d.name for d in registry.dimensions if d.column == source.account), None),
        "longest_id": LONGEST_ID,
        "adopted_types": found.adopted_types,
        "numeric_measures": found.numeric_measures,
        "lock_class": LOCK_CLASS,
        "slot_count": SLOTS,
        "add_key": ADD_KEY,
    }
    return env


def _amounts(registry: Registry) -> Iterator[str]:
    """List the columns of a rollup row that are added up."""
    yield "count"
    for measure in registry.measures:
        yield from (measure.count, measure.sum)


def _tables_in_use(registry: Registry) -> tuple[tuple[Sql, str, str], ...]:
    """List the tables that are read or written: the quoted name, the schema, the name."""
    named = [one for one in (registry.source, registry.accounts, registry.rollups) if one]
    places = [(one.schema, one.table) for one in named]
    places += [("rollup", name) for name in OWN_TABLES]
    return tuple((qualified(*place), *place) for place in places)


def _read_columns(registry: Registry) -> tuple[tuple[Sql, str, tuple[str, ...]], ...]:
    """List the columns that are read: the quoted table, the name, the types that it may have."""
    source, accounts = registry.source, registry.accounts
    tables = [(qualified(source.schema, source.table), reading.of_events(registry))]
    if accounts is not None:
        name = qualified(accounts.schema, accounts.table)
        tables.append((name, reading.of_accounts(registry)))
    return tuple((table, name, types) for table, read in tables for name, types in read.items())


def _grouping_sets(event: Event) -> dict[str, int]:
    """Map each column of a dimension to what GROUPING() says where totals are grouped by it."""
    grouped = event.grouped
    all_left_out = 2 ** len(grouped) - 1
    bits = {name: 2**bit for bit, name in enumerate(reversed(grouped))}
    return {name: all_left_out - bits.get(name, 0) for name in event.by_dimension}


def _named(env: Environment, kind: Kind, template: str, name: str, **values: object) -> Rendered:
    text = env.get_template(f"{kind}s/{template}.sql.j2").render(values)
    return Rendered(kind=kind, name=name, path=f"{kind}s/{_file_name(name)}", text=_tidy(text))


def _event_functions(env: Environment, registry: Registry) -> Iterator[Rendered]:
    suffix = _SUFFIXES[registry.rollups.write_mode]
    for name in _WRITERS:
        yield _named(env, "function", f"{name}{suffix}", f"rollup.{name}")
    for verb in TRANSITION_TABLES:
        function = _trigger_function(registry.source.table, f"after_{verb}")
        template = "after_truncate" if verb == "truncate" else "after_change"
        yield _named(env, "function", template, function, function=function, verb=Sql(verb))


def _event_triggers(env: Environment, registry: Registry, table: Sql) -> Iterator[Rendered]:
    for verb, transition_tables in TRANSITION_TABLES.items():
        yield _trigger(
            env,
            trigger=Sql(f"rollup_after_{verb}"),
            table=table,
            event=Sql(verb.upper()),
            transition_tables=Sql(transition_tables),
            function=_trigger_function(registry.source.table, f"after_{verb}"),
            comment=literal(f"Keeps the rollups exact over every {verb} of events."),
        )


def _report_objects(env: Environment, registry: Registry) -> Iterator[Rendered]:
    if not registry.readings:
        return
    yield _named(env, "type", "report_request", "rollup.report_request")
    yield _named(env, "view", "reports", "rollup.reports")
    for name in REPORT_FUNCTIONS:
        yield _named(env, "function", name, f"rollup.{name}")
    if registry.summaries:
        yield _named(env, "function", "summary", "rollup.summary")


def _account_objects(env: Environment, registry: Registry, found: Found) -> Iterator[Rendered]:
    accounts = registry.accounts
    if accounts is None:
        return
    yield _named(env, "function", "follow_accounts", "rollup.follow_accounts")
    functions = {verb: _accounts_function(registry, verb) for verb in TRANSITION_TABLES}
    for verb, function in functions.items():
        values = {"function": function, "verb": Sql(verb)}
        yield _named(env, "function", "accounts_after_change", function, **values)
    for table in (qualified(accounts.schema, accounts.table), *found.account_partitions):
        for verb, transition_tables in TRANSITION_TABLES.items():
            yield _trigger(
                env,
                trigger=Sql(f"rollup_after_{verb}"),
                table=table,
                event=Sql(verb.upper()),
                transition_tables=Sql(transition_tables),
                function=functions[verb],
                comment=literal(f"Follows the time zones of accounts over every {verb} of them."),
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
    return Sql(f"rollup.{ident(triggers.function_name(table, suffix))}")


def _accounts_function(registry: Registry, verb: str) -> Sql:
    """Name a trigger function of accounts, not as that of events in a table of the same name."""
    accounts = registry.accounts
    assert accounts is not None
    is_taken = accounts.table == registry.source.table
    return _trigger_function(accounts.table, f"zones_after_{verb}" if is_taken else f"after_{verb}")


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_") + ".sql"


def _tidy(text: str) -> str:
    """Take out the lines that template tags leave blank; literals and names hold no line breaks."""
    text = re.sub(r"\n(?:[ \t]+\n)+", "\n", text.lstrip("\n"))
    return re.sub(r"\n{3,}", "\n\n", text)
