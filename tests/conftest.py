"""Fixtures: a server for the session, template databases in it, and fresh copies for each test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql import factories

from generator import registry
from generator.deploy.deploy import deploy
from generator.errors import RollupError
from tests.support import databases, reference
from tests.support.write_modes import APPENDING, FOLD_OFTEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_postgresql.executors import NoopExecutor

SERVER = pytest.StashKey[str]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server or, in a worker of xdist, use that of the process that controls it."""
    config = session.config
    if config.option.collectonly:
        return
    if hasattr(config, "workerinput"):
        config.stash[SERVER] = config.workerinput["server"]
    else:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        try:
            config.stash[SERVER] = stack.enter_context(databases.server())
        except RollupError as error:
            raise pytest.UsageError(str(error), f"hint: {error.hint}") from error
    databases.configure(config, config.stash[SERVER])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist, before it starts, which server to use."""
    node.workerinput["server"] = node.config.stash[SERVER]


def _install_reference(*, autocommit: bool, **whereabouts: Any) -> None:
    reference.install(make_conninfo(**whereabouts))


def _deploy(*, autocommit: bool, **whereabouts: Any) -> None:
    """Deploy the product beside Chatwoot's tables, which are there already."""
    deploy(make_conninfo(**whereabouts), registry.load(None))


def _deploy_appending(*, autocommit: bool, **whereabouts: Any) -> None:
    """Deploy it in the write mode that queues events, and where one event in 16 lets fold."""
    deploy(make_conninfo(**whereabouts), APPENDING)
    with psycopg.connect(make_conninfo(**whereabouts)) as session:
        session.execute(FOLD_OFTEN)


empty_template = factories.postgresql_noproc(dbname="rollups_test_empty")
reference_template = factories.postgresql_noproc(
    dbname="rollups_test_reference", load=[_install_reference]
)
deployed_template = factories.postgresql_noproc(
    dbname="rollups_test_deployed", load=[_deploy], depends_on="reference_template"
)
appending_template = factories.postgresql_noproc(
    dbname="rollups_test_appending", load=[_deploy_appending], depends_on="reference_template"
)


@pytest.fixture
def empty_database(empty_template: NoopExecutor) -> Iterator[str]:
    """Give the connection string of a new database with nothing in it."""
    with databases.clone(empty_template) as dsn:
        yield dsn


@pytest.fixture
def reference_database(reference_template: NoopExecutor) -> Iterator[str]:
    """Give the connection string of a new database with Chatwoot's empty tables."""
    with databases.clone(reference_template) as dsn:
        yield dsn


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the connection string of a new database with Chatwoot's tables and the product.

    A module whose tests hold in both write modes asks for it twice: see tests.support.write_modes.
    """
    template = getattr(request, "param", "deployed_template")
    with databases.clone(request.getfixturevalue(template)) as dsn:
        yield dsn


@pytest.fixture
def connect() -> Iterator[databases.Connect]:
    """Give a function that connects; whatever it has opened is closed after the test."""
    with ExitStack() as connections:

        def open_one(dsn: str, autocommit: bool = True, **options: Any) -> psycopg.Connection[Any]:
            connection = psycopg.connect(dsn, autocommit=autocommit, **options)
            connections.callback(connection.close)
            return connection

        yield open_one
