"""An analyst who sees some accounts only: the recipe of docs/operations.md, and ways around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from generator.registry import load
from tests.support.events import desk, mix
from tests.support.roles import Role, advised, new_roles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

RANGE = "'2026-03-07 13:00+00', '2026-03-11 02:00+00'"
QUESTIONS = (
    "timeseries({}, 'reply_time', NULL, NULL, " + RANGE + ", 'day')",
    "timeseries({}, 'bot_handoffs_count', 'agent', 2, " + RANGE + ", 'week')",
    "timeseries({}, 'resolutions_count', 'account', 1, " + RANGE + ")",
    "aggregate({}, 'resolutions_count', NULL, NULL, " + RANGE + ")",
    "aggregate({}, 'avg_first_response_time', 'inbox', 1, " + RANGE + ", true)",
    "summary({}, 'agent', " + RANGE + ")",
    "explain_report({}, 'reply_time', NULL, NULL, " + RANGE + ")",
)

LEAK = """
CREATE FUNCTION pg_temp.leak(seen bigint) RETURNS boolean
LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    INSERT INTO pg_temp.seen VALUES (seen);
    RETURN true;
END $$
"""

TRAP = """
CREATE FUNCTION public.unnest(account_ids bigint[]) RETURNS SETOF bigint
LANGUAGE sql AS 'VALUES (1::bigint), (2), (3)'
"""
"""What others have put there before the door was made: it suits better than the server's own."""

ELSEWHERE = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'rollup', 'desk')
AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
AND (n.nspname, c.relname) NOT IN (('desk', 'current_rollups'), ('desk', 'coverage'))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A database with a door for analysts: `acme` has account 1, `globex` 2, `initech` 1 and 2."""

    root: Session
    owner: Role
    acme: Role
    globex: Role
    initech: Role


@pytest.fixture
def company(reference_database: str, connect: Connect) -> Iterator[Company]:
    root = connect(reference_database)
    with new_roles(root, reference_database, 5) as [owner, analysts, acme, globex, initech]:
        names = {"app_owner": owner.name, "app_analysts": analysts.name, "acme": acme.name}
        root.execute(advised("Roles", root, **names)[0])
        deploy(owner.dsn, load())
        owning = connect(owner.dsn)
        mix(desk(owning), 200)
        owning.execute("UPDATE rollup.accounts SET reads_enabled = true WHERE account_id < 3")
        root.execute(TRAP)
        door, membership = advised("Some accounts only", root, **names)
        owning.execute(door)
        root.execute(membership)
        root.execute(f"GRANT {analysts.name} TO {globex.name}, {initech.name}")
        owning.execute(f"INSERT INTO desk.permissions VALUES ('{globex.name}', 2)")
        owning.execute(
            f"INSERT INTO desk.permissions VALUES ('{initech.name}', 1), ('{initech.name}', 2)"
        )
        yield Company(root=root, owner=owner, acme=acme, globex=globex, initech=initech)
        owning.close()


def accounts(session: Session) -> list[int]:
    """List the accounts whose totals can be seen."""
    query = "SELECT DISTINCT r.account_id FROM desk.current_rollups r ORDER BY 1"
    return [account for (account,) in session.execute(query)]


def refused(session: Session, *statements: str) -> None:
    """Fail unless the rights of the session forbid each statement."""
    for statement in statements:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)


@pytest.mark.parametrize("reads", ["account", "off"])
def test_an_analyst_reads_of_an_account_what_the_owner_reads(
    reads: str, company: Company, connect: Connect
) -> None:
    owner, acme = connect(company.owner.dsn), connect(company.acme.dsn)
    for session in (owner, acme):
        session.execute(f"SET rollup.reads = '{reads}'")
    for question in QUESTIONS:
        asked = question.format(1)
        found = acme.execute(f"SELECT * FROM desk.{asked}").fetchall()
        assert found
        assert found == owner.execute(f"SELECT * FROM rollup.{asked}").fetchall()
    for view in ("current_rollups", "coverage"):
        query = f"SELECT * FROM {{}}.{view} v WHERE v.account_id = 1 ORDER BY v::text"
        found = acme.execute(query.format("desk")).fetchall()
        assert found
        assert found == owner.execute(query.format("rollup")).fetchall()
        assert acme.execute(f"SELECT * FROM desk.{view} v ORDER BY v::text").fetchall() == found


def test_another_account_is_refused_whether_there_is_one_or_not(
    company: Company, connect: Connect
) -> None:
    acme = connect(company.acme.dsn)
    for account in ("2", "3", "999", "-1", "NULL", "9223372036854775807"):
        for question in QUESTIONS:
            with pytest.raises(
                psycopg.errors.InsufficientPrivilege, match="no right to read account"
            ) as raised:
                acme.execute(f"SELECT * FROM desk.{question.format(account)}")
            assert raised.value.diag.message_hint is None


def test_every_analyst_sees_their_own_accounts(company: Company, connect: Connect) -> None:
    seen = {
        role.name: accounts(connect(role.dsn))
        for role in (company.acme, company.globex, company.initech)
    }
    assert list(seen.values()) == [[1], [2], [1, 2]]
    owner = connect(company.owner.dsn)
    owner.execute("DELETE FROM desk.permissions WHERE account_id = 2")
    assert accounts(connect(company.globex.dsn)) == []
    refused(connect(company.globex.dsn), f"SELECT desk.{QUESTIONS[0].format(2)}")
    assert accounts(connect(company.initech.dsn)) == [1]


def test_an_analyst_reaches_nothing_but_the_door(company: Company, connect: Connect) -> None:
    acme = connect(company.acme.dsn)
    relations = [name for (name,) in company.root.execute(ELSEWHERE)]
    assert {"desk.permissions", "rollup.current_rollups", "public.reporting_events"} <= {*relations}
    refused(acme, *(f"SELECT * FROM {name}" for name in relations))
    refused(
        acme,
        f"SELECT * FROM rollup.{QUESTIONS[0].format(1)}",
        "SELECT rollup.drift()",
        "INSERT INTO desk.permissions SELECT user::regrole, 2",
        "CREATE TABLE desk.mine ()",
        "ALTER VIEW desk.current_rollups RESET (security_barrier)",
        "CREATE OR REPLACE FUNCTION desk.account_ids() RETURNS bigint[] LANGUAGE sql"
        " AS 'SELECT ARRAY [2::bigint]'",
        "CREATE TRIGGER t BEFORE INSERT ON public.reporting_events"
        " FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )
    for view in ("desk.current_rollups", "desk.coverage"):
        writes = "SELECT has_table_privilege(%s, 'INSERT, UPDATE, DELETE, TRIGGER')"
        assert acme.execute(writes, (view,)).fetchone() == (False,)
    refused(
        acme,
        f"SET ROLE {company.globex.name}",
        f"SELECT set_config('role', '{company.globex.name}', false)",
        f"SET SESSION AUTHORIZATION {company.globex.name}",
        "CREATE FUNCTION pg_temp.f() RETURNS bigint[] LANGUAGE sql"
        f" SET role = '{company.globex.name}' AS 'SELECT desk.account_ids()'; SELECT pg_temp.f()",
    )
    assert accounts(acme) == [1]


def test_a_condition_that_tells_what_it_is_given_is_given_nothing_of_others(
    company: Company, connect: Connect
) -> None:
    """Without the barrier a cheap condition is asked first, of every row."""
    acme = connect(company.acme.dsn)
    acme.execute("CREATE TEMP TABLE seen (account_id bigint)")
    acme.execute(LEAK)
    told = "SELECT array_agg(DISTINCT s.account_id ORDER BY s.account_id) FROM pg_temp.seen s"
    for view in ("current_rollups", "coverage"):
        acme.execute(f"SELECT * FROM desk.{view} v WHERE pg_temp.leak(v.account_id)")
        assert acme.execute(told).fetchone() == ([1],)
        acme.execute(f"SELECT * FROM desk.{view} v WHERE 1 / (v.account_id - 2) < 5")
    owner = connect(company.owner.dsn)
    owner.execute("ALTER VIEW desk.coverage RESET (security_barrier)")
    acme.execute("SELECT * FROM desk.coverage v WHERE pg_temp.leak(v.account_id)")
    assert acme.execute(told).fetchone() == ([1, 2, 3],)


def test_what_an_analyst_puts_first_in_the_search_path_is_not_found(
    company: Company, connect: Connect
) -> None:
    company.root.execute(f"CREATE SCHEMA mine AUTHORIZATION {company.acme.name}")
    acme = connect(company.acme.dsn)
    acme.execute(
        "CREATE FUNCTION mine.pg_has_role(name, oid, text) RETURNS boolean"
        " LANGUAGE sql AS 'SELECT true';"
        "CREATE FUNCTION mine.current_setting(text) RETURNS text"
        f" LANGUAGE sql AS $$ SELECT '{company.globex.name}' $$;"
        "CREATE FUNCTION mine.unnest(bigint[]) RETURNS SETOF bigint"
        " LANGUAGE sql AS 'VALUES (1), (2)'"
    )
    acme.execute("CREATE TEMP TABLE permissions AS SELECT user::regrole AS reader, 2 AS account_id")
    acme.execute("SET search_path = pg_temp, mine, desk, pg_catalog")
    assert accounts(acme) == [1]
    refused(acme, f"SELECT * FROM desk.{QUESTIONS[0].format(2)}")
    acme.execute("DROP SCHEMA mine CASCADE")


def test_permissions_follow_set_role_within_functions_too(
    company: Company, connect: Connect
) -> None:
    """As with a pool, where many share a login; and a prepared plan serves the next role."""
    company.root.execute(f"GRANT {company.acme.name} TO {company.globex.name}")
    globex = connect(company.globex.dsn)
    globex.prepare_threshold = 0
    assert accounts(globex) == [1, 2]
    globex.execute(f"SET ROLE {company.acme.name}")
    assert accounts(globex) == [1]
    refused(globex, f"SELECT * FROM desk.{QUESTIONS[0].format(2)}")
    globex.execute("RESET ROLE")
    assert accounts(globex) == [1, 2]
    assert globex.execute(f"SELECT * FROM desk.{QUESTIONS[0].format(2)}").fetchall()


def test_a_role_without_permission_sees_nothing(company: Company, connect: Connect) -> None:
    with new_roles(company.root, company.owner.dsn) as [stranger]:
        refused(connect(stranger.dsn), "TABLE desk.current_rollups", "SELECT desk.account_ids()")
        [group] = company.root.execute(
            "SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = %s::regrole",
            (company.acme.name,),
        ).fetchone() or ("",)
        company.root.execute(f"GRANT {group} TO {stranger.name}")
        assert accounts(connect(stranger.dsn)) == []


def test_the_views_use_the_index_of_the_totals(company: Company, connect: Connect) -> None:
    """The accounts that are permitted are asked for once, not for every row."""
    owner = connect(company.owner.dsn)
    mix(owner, 3000)
    owner.execute("SELECT rollup.rebuild(); SET enable_seqscan = off; SET enable_bitmapscan = off")
    plan = "\n".join(
        line for (line,) in owner.execute("EXPLAIN SELECT * FROM desk.current_rollups")
    )
    [index] = [line for line in plan.splitlines() if "reporting_events_rollups_pkey" in line]
    assert "Index Cond: (account_id = ANY" in plan
    assert plan.count("desk.account_ids()") <= 1, index
