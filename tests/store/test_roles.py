"""The app's own role on PostgreSQL: it can do its work, and can't rewrite what was recorded."""

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.task import TaskState
from faultbook.operations.auditing import read_head, verify_audit
from faultbook.store import migrate as migrate_module
from faultbook.store.engine import Store, open_store
from faultbook.store.roles import role_that_may_rewrite, roles_sql
from faultbook.store.transaction import Transaction
from tests.approval_desk import ApprovalDesk
from tests.conftest import FrozenClock, PostgresServer
from tests.task_desk import TaskDesk

ROLE = 'app "one"'


def as_role(url: str, role: str) -> str:
    """Name the same database for another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    quoted = role.replace(" ", "%20").replace('"', "%22")
    return urlunsplit(parts._replace(netloc=f"{quoted}@{host}"))


def run_sql(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


@pytest.fixture
def owners_url(postgres: PostgresServer, clock: FrozenClock) -> str:
    """Make a database with its tables and with the app's role."""
    url = postgres.new_database()
    open_store(url, clock).close()
    run_sql(url, roles_sql(ROLE))
    run_sql(url, roles_sql(ROLE))  # again, as after each migration
    return url


@pytest.fixture
def app_store(owners_url: str, clock: FrozenClock) -> Iterator[Store]:
    opened = open_store(as_role(owners_url, ROLE), clock)
    yield opened
    opened.close()


def test_the_apps_role_takes_tasks_and_votes_and_all_of_it_is_audited(app_store: Store) -> None:
    assert app_store.read(role_that_may_rewrite) is None
    tasks = TaskDesk(app_store)
    tasks.give()
    tasks.close(tasks.claimed())
    asked = ApprovalDesk(app_store).ask()
    counted = ApprovalDesk(app_store).counted(asked)
    assert counted.approval.state is ApprovalState.APPROVED
    bypassed = ApprovalDesk(app_store).bypass(ApprovalDesk(app_store).ask("c_2"))
    assert isinstance(bypassed, Approval)
    assert bypassed.is_bypass
    assert tasks.claim() is None
    assert {TaskState.DONE} == {
        TaskState(row) for row in app_store.read(lambda tx: tx.execute(_STATES).scalars().all())
    }
    found = app_store.read(verify_audit)
    assert (found.broken_at, found.head.size >= 2) == (None, True)


_STATES = text("SELECT state FROM tasks")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TABLE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "ALTER TABLE audit ADD COLUMN more text",
        "DROP TRIGGER audit_never_changed ON audit",
        "CREATE TRIGGER audit_mine BEFORE INSERT ON audit EXECUTE FUNCTION audit_refuse()",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS ''",
        "SET session_replication_role = replica",
        "SET ROLE postgres",
        "DROP SCHEMA public CASCADE",
    ],
)
def test_the_apps_role_can_rewrite_nothing(app_store: Store, statement: str) -> None:
    desk = ApprovalDesk(app_store)
    desk.counted(desk.ask())
    before = app_store.read(read_head)

    def change(tx: Transaction) -> None:
        tx.execute(text(statement))

    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        app_store.write(change)
    assert app_store.read(read_head) == before
    assert app_store.read(verify_audit).broken_at is None


def test_the_owner_and_whoever_may_become_it_are_told_apart(
    owners_url: str, clock: FrozenClock
) -> None:
    owner = open_store(owners_url, clock)
    assert owner.read(role_that_may_rewrite) == urlsplit(owners_url).username
    run_sql(owners_url, "DROP ROLE IF EXISTS deputy; CREATE ROLE deputy LOGIN")
    run_sql(owners_url, f"GRANT {urlsplit(owners_url).username} TO deputy")
    deputy = open_store(as_role(owners_url, "deputy"), clock)
    assert deputy.read(role_that_may_rewrite) == "deputy"
    run_sql(owners_url, f"REVOKE {urlsplit(owners_url).username} FROM deputy")
    run_sql(owners_url, "GRANT SELECT, UPDATE ON audit TO deputy")
    assert deputy.read(role_that_may_rewrite) == "deputy"
    run_sql(owners_url, "REVOKE UPDATE ON audit FROM deputy")
    assert deputy.read(role_that_may_rewrite) is None
    deputy.close()
    run_sql(owners_url, "REVOKE ALL ON audit FROM deputy; DROP ROLE deputy")
    owner.close()


def test_sqlite_knows_no_roles(sqlite_store: Store) -> None:
    assert sqlite_store.read(role_that_may_rewrite) is None


def test_a_role_that_does_not_own_the_tables_is_told_who_migrates(
    owners_url: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(owners_url, "UPDATE alembic_version SET version_num = '0004'")
    run_sql(owners_url, "ALTER TABLE tokens DROP COLUMN person")
    with pytest.raises(UnavailableError, match="may not change its tables") as refused:
        open_store(as_role(owners_url, ROLE), clock)
    assert "faultbook store migrate" in (refused.value.next_step or "")
    told = {"FAULTBOOK_DATABASE_URL": owners_url}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", "faultbook", "store", "migrate"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, f"schema {migrate_module.HEAD}" in done.stdout) == (0, True), done
    open_store(as_role(owners_url, ROLE), clock).close()


@pytest.mark.parametrize("role", ["", "a\nb", "r" * 64, "ä" * 32])
def test_a_name_that_no_role_can_have_is_refused(role: str) -> None:
    with pytest.raises(InvalidError, match="no name of a role"):
        roles_sql(role)
