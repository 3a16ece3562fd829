"""Migrations: applied by whichever command opens the store first, under a lock."""

import contextlib
from collections.abc import Iterator

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import ProgrammingError

from faultbook.base.errors import InvalidError, UnavailableError

HEAD = "0006"
"""The newest migration; a test holds it equal to the newest file in `migrations/versions`."""

_LOCK_NAME = 0x6661756C74  # "fault", the advisory lock's number on PostgreSQL
_WAIT_SECONDS = 60
_NOT_PRIVILEGED = "42501"  # PostgreSQL, appendix A


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema, unless it is there.

    Raises:
        InvalidError: the database was written by a newer Faultbook.
        UnavailableError: another process has been migrating for a minute.
    """
    if current_revision(engine) == HEAD:
        return
    with _locked(engine) as connection:
        current = _revision_of(connection)
        if current == HEAD:
            return
        if current is not None and current > HEAD:
            raise InvalidError(
                f"The database has schema {current}; this Faultbook knows {HEAD} at most.",
                code="newer_schema",
                next_step="Install the newer Faultbook again.",
            )
        _upgrade(connection)


def current_revision(engine: Engine) -> str | None:
    """Tell the schema's revision, or None for an empty database."""
    with engine.connect() as connection:
        return _revision_of(connection)


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


@contextlib.contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": _LOCK_NAME})
            yield connection
        return
    with migration_lock(str(engine.url.database)), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def migration_lock(path: str) -> Iterator[None]:
    """Hold the lock under which a SQLite file is prepared, against every other process.

    Raises:
        UnavailableError: another process has held it for a minute.
    """
    try:
        with FileLock(f"{path}.migrate", timeout=_WAIT_SECONDS):
            yield
    except Timeout as error:
        raise UnavailableError(
            f"Another process has been migrating {path} for a minute.",
            next_step="Wait for it, or end it and try again.",
        ) from error


def _upgrade(connection: Connection) -> None:
    # Imported here: most commands find the schema up to date and need none of alembic.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "faultbook.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_PRIVILEGED:
            raise
        raise UnavailableError(
            f"The database is not at schema {HEAD}, and this role may not change its tables.",
            code="not_the_owner",
            next_step="As their owner: faultbook store migrate, then faultbook store roles.",
            where="FAULTBOOK_DATABASE_URL",
        ) from error
