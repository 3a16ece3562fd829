"""PostgreSQL's roles: what the app's own may do, and whether the one that is used may do more.

The triggers of the audit log hold against everybody but the owner of its table, who can put them
away. So the tables belong to one role, and the app works as another.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Table, text

from faultbook.base.errors import InvalidError
from faultbook.store.schema_approvals import metadata
from faultbook.store.transaction import Transaction

APP_ROLE = "faultbook_app"
_APPENDED = frozenset({"audit"})
"""Nothing that is in these is ever changed."""
_LONGEST_NAME = 63  # PostgreSQL, 4.1.1

# Whoever is, or may become, the owner of the table or of its schema can put the triggers away.
_MAY_REWRITE = text(
    """
    SELECT current_user AS name,
        has_table_privilege(pg_class.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
        OR pg_has_role(pg_class.relowner, 'MEMBER')
        OR pg_has_role(pg_namespace.nspowner, 'MEMBER') AS may
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
    WHERE pg_class.oid = CAST('audit' AS regclass)
    """
)


def role_that_may_rewrite(tx: Transaction) -> str | None:
    """Name the role that is used, if it may do more to the audit log than append; else None.

    SQLite knows no roles: whoever can write to the file can rewrite it.
    """
    if not tx.is_postgresql:
        return None
    row = tx.execute(_MAY_REWRITE).one()
    return str(row.name) if row.may else None


def roles_sql(role: str = APP_ROLE) -> str:
    """Write the SQL that makes the app's role and says what it may do.

    Raises:
        InvalidError: the name is none that a role can have.
    """
    if not 0 < len(role.encode("utf-8", "replace")) <= _LONGEST_NAME or not role.isprintable():
        raise InvalidError(
            "This is no name of a role.",
            code="bad_role",
            next_step=f"Write 1 to {_LONGEST_NAME} printable characters.",
            where="--role",
        )
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    app = _quoted(role)
    changed = _named([table.name for table in tables if table.name not in _APPENDED])
    appended = _named(sorted(_APPENDED))
    sequences = _named([name for table in tables for name in _sequences(table)])
    # A role can't be bound as a value; its name stands quoted in what a person reads and runs.
    return _SQL.format(
        app=app,
        known="'" + role.replace("'", "''") + "'",
        changed=changed,
        appended=appended,
        sequences=sequences,
    )


_SQL = """\
-- What Faultbook's own role may do: everything but change what was recorded.
-- Run it as the owner of the tables, and again after each `faultbook store migrate`:
--     faultbook store roles | psql --set ON_ERROR_STOP=1 "$OWNER_URL"
-- Then give the role a password (\\password in psql), and let FAULTBOOK_DATABASE_URL name it.
BEGIN;
DO $faultbook$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {known}) THEN
        CREATE ROLE {app} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
END $faultbook$;
GRANT USAGE ON SCHEMA public TO {app};
REVOKE ALL ON {changed}, {appended} FROM {app};
GRANT SELECT ON alembic_version TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON {changed} TO {app};
GRANT SELECT, INSERT ON {appended} TO {app};
GRANT USAGE ON SEQUENCE {sequences} TO {app};
COMMIT;
"""


def _sequences(table: Table) -> list[str]:
    """Name the sequences that PostgreSQL made for a table: after it and its counted column."""
    return [f"{table.name}_{column.name}_seq" for column in table.columns if _is_counted(column)]


def _is_counted(column: Column[Any]) -> bool:
    return column.autoincrement is True and isinstance(column.type, BigInteger)


def _named(names: list[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
