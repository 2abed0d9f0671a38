"""What deployment refuses, and that it has changed nothing then."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from generator.cli import cli
from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.embedded import EmbeddedServer
from generator.errors import DatabaseError, RollupError
from generator.operate.status import inspect
from generator.registry import DEFAULT, load, parse
from tests.support import reference
from tests.support.roles import Role, new_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
TIMESTAMPTZ = parse(
    DEFAULT.read_text().replace('time_type = "timestamp" ', 'time_type = "timestamptz" '), "test"
)

CATALOG = """
SELECT n.nspname, c.relname, p.proname, t.tgname
FROM pg_namespace n
LEFT JOIN pg_class c ON c.relnamespace = n.oid
LEFT JOIN pg_proc p ON p.pronamespace = n.oid
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid
WHERE n.nspname !~ '^pg_'
AND n.nspname <> 'information_schema'
ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def session(reference_database: str, connect: Connect) -> Session:
    return connect(reference_database)


@pytest.fixture
def role(session: Session, reference_database: str) -> Iterator[Role]:
    with new_roles(session, reference_database) as [role]:
        yield role


WRONG_TABLES = {
    "no events": ("DROP TABLE public.reporting_events", "no table public.reporting_events"),
    "no accounts": ("DROP TABLE public.accounts", r"no table public.accounts: \[accounts\]"),
    "events are a view": (
        "ALTER TABLE public.reporting_events RENAME TO events;"
        "CREATE VIEW public.reporting_events AS SELECT * FROM public.events",
        "public.reporting_events is not a table",
    ),
    "accounts are a view": (
        "ALTER TABLE public.accounts RENAME TO a;"
        "CREATE VIEW public.accounts AS SELECT * FROM public.a",
        "public.accounts is not a table",
    ),
    # Of ICU, which the server need not have.
    "names are equal that differ": (
        'CREATE COLLATION public.loose FROM "C";'
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'loose';"
        "ALTER TABLE public.reporting_events ALTER name TYPE text COLLATE public.loose",
        "public.reporting_events.name has a nondeterministic collation",
    ),
    "events are a foreign table": (
        "DROP TABLE public.reporting_events; CREATE FOREIGN DATA WRAPPER none;"
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER none;"
        "CREATE FOREIGN TABLE public.reporting_events (account_id bigint) SERVER nowhere",
        "public.reporting_events is not a table",
    ),
}
WRONG_EVENTS = {
    "no measure": ("DROP COLUMN value", "public.reporting_events has no column value"),
    "no time": ("DROP COLUMN created_at", "has no column created_at"),
    "no account": ("DROP COLUMN account_id", "has no column account_id"),
    "no id": ("DROP COLUMN user_id", "has no column user_id"),
    "a column in other spelling": (
        'RENAME COLUMN user_id TO "User_Id"',
        "has no column user_id",
    ),
    "the name is a number": (
        "ALTER COLUMN name TYPE integer USING 1",
        "name is integer; it must be text or",
    ),
    "the account is text": (
        "ALTER COLUMN account_id TYPE text",
        "account_id is text; it must be smallint or integer or bigint",
    ),
    "an id is a uuid": (
        "ALTER COLUMN conversation_id TYPE uuid USING NULL",
        "conversation_id is uuid; it must be smallint or integer or bigint",
    ),
    "a measure is an interval": (
        "ALTER COLUMN value TYPE interval USING NULL",
        "value is interval; it must be smallint or",
    ),
    "the time is a date": (
        "ALTER COLUMN created_at TYPE date",
        "created_at is date; it must be timestamp without time zone",
    ),
    "the time has a zone": (
        "ALTER COLUMN created_at TYPE timestamptz",
        "created_at is timestamp with time zone; it must be timestamp without time zone",
    ),
}
WRONG_ACCOUNTS = {
    "no id": ("DROP COLUMN id", "public.accounts has no column id"),
    "no settings": ("DROP COLUMN settings", "public.accounts has no column settings"),
    "settings are text": (
        "ALTER COLUMN settings TYPE text",
        "settings is text; it must be jsonb",
    ),
    "settings are json, which may hold what cannot be read": (
        "ALTER COLUMN settings TYPE json",
        "settings is json; it must be jsonb",
    ),
    "the id is text": ("ALTER COLUMN id TYPE text", "id is text; it must be smallint or integer"),
}
WRONG = {
    **WRONG_TABLES,
    **{
        name: (f"ALTER TABLE public.reporting_events {change}", message)
        for name, (change, message) in WRONG_EVENTS.items()
    },
    **{
        f"accounts: {name}": (f"ALTER TABLE public.accounts {change}", message)
        for name, (change, message) in WRONG_ACCOUNTS.items()
    },
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_tables_that_cannot_be_read_are_refused_and_nothing_has_changed(
    change: str, message: str, session: Session, reference_database: str
) -> None:
    session.execute(change)
    before = session.execute(CATALOG).fetchall()
    with pytest.raises(DatabaseError, match=message) as error:
        deploy(reference_database, REGISTRY)
    assert error.value.hint
    assert session.execute(CATALOG).fetchall() == before


def test_a_column_that_no_trigger_can_read_is_refused(
    session: Session, reference_database: str
) -> None:
    if session.info.server_version < 180000:
        pytest.skip("generated columns are stored before PostgreSQL 18")
    session.execute(
        "ALTER TABLE public.reporting_events DROP COLUMN user_id, ADD COLUMN owner integer,"
        " ADD COLUMN user_id integer GENERATED ALWAYS AS (owner) VIRTUAL"
    )
    with pytest.raises(DatabaseError, match="user_id is a virtual generated column"):
        deploy(reference_database, REGISTRY)
    assert session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)


def test_naive_timestamps_are_refused_where_the_registry_says_timestamptz(
    session: Session, reference_database: str
) -> None:
    message = "created_at is timestamp without time zone; it must be timestamp with time zone"
    with pytest.raises(DatabaseError, match=message):
        deploy(reference_database, TIMESTAMPTZ)
    assert session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)


def test_all_that_is_wrong_is_said_at_once(session: Session, reference_database: str) -> None:
    for name in ("no measure", "an id is a uuid", "accounts: no settings"):
        session.execute(WRONG[name][0])
    with pytest.raises(DatabaseError) as error:
        deploy(reference_database, REGISTRY)
    said = str(error.value)
    assert all(what in said for what in ("no column value", "is uuid", "no column settings"))


def test_an_empty_database_is_refused_for_each_table_that_it_lacks(
    empty_database: str, connect: Connect
) -> None:
    with pytest.raises(DatabaseError) as error:
        deploy(empty_database, REGISTRY)
    assert "no table public.reporting_events" in str(error.value)
    assert "no table public.accounts" in str(error.value)
    created = connect(empty_database).execute("SELECT to_regnamespace('rollup')")
    assert created.fetchone() == (None,)


def test_a_schema_for_the_rollups_that_does_not_exist_is_refused(
    session: Session, reference_database: str
) -> None:
    text = DEFAULT.read_text().replace(
        '[rollups]\nschema = "public"', '[rollups]\nschema = "nowhere"'
    )
    with pytest.raises(DatabaseError, match="nowhere"):
        deploy(reference_database, parse(text, "test"))
    assert session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)


def test_a_schema_of_our_name_that_we_did_not_make_is_left_alone(
    session: Session, reference_database: str
) -> None:
    session.execute("CREATE SCHEMA rollup")
    session.execute("CREATE FUNCTION rollup.theirs() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    before = session.execute(CATALOG).fetchall()
    with pytest.raises(DatabaseError, match="rollup"):
        deploy(reference_database, REGISTRY)
    assert session.execute(CATALOG).fetchall() == before


@pytest.mark.parametrize(
    "rights",
    [
        "",
        "GRANT CREATE ON DATABASE {database} TO {role}",
        "GRANT CREATE ON DATABASE {database} TO {role}; GRANT CREATE ON SCHEMA public TO {role};"
        " GRANT SELECT, INSERT, TRIGGER ON public.reporting_events, public.accounts TO {role}",
        "GRANT CREATE ON DATABASE {database} TO {role}; GRANT CREATE ON SCHEMA public TO {role};"
        " ALTER TABLE public.reporting_events OWNER TO {role}",
        "GRANT CREATE ON SCHEMA public TO {role};"
        " ALTER TABLE public.reporting_events OWNER TO {role};"
        " ALTER TABLE public.accounts OWNER TO {role}",
    ],
    ids=["no rights", "only schemas", "all but ownership", "only events", "no schemas"],
)
def test_a_role_with_too_few_rights_is_told_so_and_nothing_has_changed(
    rights: str, role: Role, session: Session
) -> None:
    if rights:
        session.execute(rights.format(database=session.info.dbname, role=role.name))
    before = session.execute(CATALOG).fetchall()
    done = CliRunner().invoke(cli, ["deploy", "--database-url", role.dsn])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr
    assert session.execute(CATALOG).fetchall() == before


@pytest.fixture
def owner(role: Role, session: Session) -> Role:
    """Give a role that owns the tables of the application and may create schemas."""
    session.execute(
        f"GRANT CREATE ON DATABASE {session.info.dbname} TO {role.name};"
        f"GRANT CREATE ON SCHEMA public TO {role.name};"
        f"ALTER TABLE public.reporting_events OWNER TO {role.name};"
        f"ALTER TABLE public.accounts OWNER TO {role.name}"
    )
    return role


def test_the_owner_of_the_tables_needs_no_more_than_to_create_schemas(
    owner: Role, reference_database: str
) -> None:
    assert deploy(owner.dsn, REGISTRY).changes
    with psycopg.connect(owner.dsn) as session:
        assert inspect(session, REGISTRY).is_current
    assert deploy(reference_database, REGISTRY).changes == ()


def test_an_owner_that_may_not_see_what_others_do_is_told_which_session_is_in_the_way(
    owner: Role, reference_database: str, connect: Connect
) -> None:
    writer = connect(reference_database, autocommit=False)
    writer.execute("LOCK TABLE public.reporting_events IN ROW EXCLUSIVE MODE")
    with pytest.raises(DatabaseError) as error:
        deploy(owner.dsn, REGISTRY, patience=Patience(lock_timeout=0.05, attempts=1))
    writer.rollback()
    assert f"process {writer.info.backend_pid} of {writer.info.user}" in (error.value.hint or "")
    assert "None" not in (error.value.hint or "")


@pytest.fixture
def standby() -> Iterator[str]:
    """Give a server that has the product, and then became a standby without a primary."""
    folder = Path(tempfile.mkdtemp(prefix="rollups-test-"))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    programs = os.environ.get("TEST_PG_BIN")
    binaries = Path(programs) if programs else None
    try:
        with EmbeddedServer(folder, binaries=binaries) as server:
            reference.install(server.dsn())
            deploy(server.dsn(), REGISTRY)
        (server.base / "data" / "standby.signal").touch()
        with EmbeddedServer(folder, binaries=binaries) as server:
            yield server.dsn()
    finally:
        shutil.rmtree(folder)


def test_a_standby_is_not_deployed_to_but_can_be_looked_at_and_verified(standby: str) -> None:
    with pytest.raises(RollupError, match="standby") as error:
        deploy(standby, REGISTRY)
    assert "primary" in (error.value.hint or "")
    outcomes = {}
    for command in ("status", "verify"):
        done = CliRunner().invoke(cli, [command, "--database-url", standby])
        outcomes[command] = (done.exit_code, done.stderr)
    assert outcomes == {"status": (0, ""), "verify": (0, "")}
