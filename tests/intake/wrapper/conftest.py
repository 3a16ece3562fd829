"""The wrapper's own fixtures."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.store.engine import open_store, sqlite_url
from tests.intake.wrapper.bench import Bench, hurried, server_source, store_source
from tests.intake.wrapper.harness import Wrapper
from tests.intake.wrapper.servers import Server, running


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home with an empty store, to be copied: migrating takes longer than most jobs."""
    home = tmp_path_factory.mktemp("home")
    open_store(sqlite_url(home)).close()
    return home


@pytest.fixture
def wrapper(tmp_path: Path, empty_home: Path) -> Wrapper:
    """Give a wrapper whose store is there already."""
    shutil.copytree(empty_home, tmp_path / "home")
    return Wrapper(tmp_path)


@pytest.fixture
def new_wrapper(tmp_path: Path) -> Wrapper:
    """Give a wrapper that has no home yet."""
    return Wrapper(tmp_path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Start the real server over a store of its own."""
    with running(tmp_path / "server") as started:
        yield started


@pytest.fixture(params=["store", "server"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Give a bench whose worker claims from the store itself, and one over HTTP."""
    folder = tmp_path / "work"
    folder.mkdir()
    store = open_store(sqlite_url(tmp_path / "home"))
    if request.param == "store":
        yield Bench(store, hurried(store_source(store)), folder)
    else:
        with server_source(store) as source:
            yield Bench(store, hurried(source), folder)
    store.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Bench]:
    """Give a bench for what does not depend on where tasks come from."""
    folder = tmp_path / "work"
    folder.mkdir()
    store = open_store(sqlite_url(tmp_path / "home"))
    yield Bench(store, hurried(store_source(store)), folder)
    store.close()
