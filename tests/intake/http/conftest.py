"""The real server on a real socket, over each of the two stores."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from faultbook.base.settings import LimitSettings, Settings
from faultbook.intake.http.app import build_app
from faultbook.model.policy import Policy
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.token import Token
from faultbook.operations import tokens
from faultbook.store.engine import Store, open_store, sqlite_url
from tests.conftest import FrozenClock

LIMITS = LimitSettings(artifact_bytes=50_000, body_bytes=100_000, junit_bytes=40_000)
SETTINGS = Settings(limits=LIMITS)
POLICY = Policy(heartbeat=frozenset({"ping"}))
ROUTES = Routes(
    (
        Route(
            "invoices",
            "invoice-export",
            match=("export*",),
            agent="invoice-bot",
            timeout_seconds=600,
            retry=RetryPolicy(attempts=2, backoff_seconds=5),
        ),
        Route("prices", "price-check", match=("price*",), agent="price-bot", limit=1),
        Route("letters", "letter-run", match=("write*",), agent="invoice-bot", priority=2),
    )
)
ALL_SCOPES = ("runs:write", "runs:read")


def make_token(
    store: Store,
    *scopes: str,
    agent: str = "invoice-bot",
    workflows: tuple[str, ...] = (),
    owner: str = "ana",
    person: str | None = None,
) -> str:
    """Make a token, of an agent or a person, and give its secret."""
    secret = tokens.new_secret()
    token = Token(
        f"tok-{secret[-8:]}",
        "" if person else agent,
        person or owner,
        frozenset(scopes or ALL_SCOPES),
        frozenset(workflows),
        store.clock(),
        person=person,
    )
    store.write(tokens.create_token, token, tokens.digest(secret))
    return secret


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app on a socket of its own, as `faultbook up` does; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", ws="none", loop="uvloop"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.002)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Api:
    """A server, and clients of it."""

    url: str
    store: Store
    clock: FrozenClock
    _clients: list[httpx.Client] = field(default_factory=list)

    def client(self, *scopes: str, **options: Any) -> httpx.Client:  # noqa: ANN401 - make_token's own
        """Make a client with a new token."""
        return self.bearer(make_token(self.store, *scopes, **options))

    def bearer(self, secret: str | None) -> httpx.Client:
        """Make a client with this secret, or with none."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=20)
        self._clients.append(client)
        return client

    def same_client(self) -> httpx.Client:
        """Give the same client each time."""
        return self._clients[0] if self._clients else self.client()

    def close(self) -> None:
        """Let go of every connection."""
        for client in self._clients:
            client.close()


@pytest.fixture
def api(store: Store, clock: FrozenClock) -> Iterator[Api]:
    """Serve each of the two stores."""
    yield from _api(store, clock)


@pytest.fixture
def sqlite_api(sqlite_store: Store, clock: FrozenClock) -> Iterator[Api]:
    """Serve a SQLite store, for tests that are not about the store."""
    yield from _api(sqlite_store, clock)


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Serve one SQLite store for a module's tests, which leave it as it was or don't mind."""
    clock = FrozenClock()
    store = open_store(sqlite_url(tmp_path_factory.mktemp("shared")), clock)
    try:
        yield from _api(store, clock)
    finally:
        store.close()


def _api(store: Store, clock: FrozenClock) -> Iterator[Api]:
    with serving(build_app(store, POLICY, SETTINGS, ROUTES)) as url:
        api = Api(url, store, clock)
        try:
            yield api
        finally:
            api.close()


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Hold that an answer is a whole problem of this kind, and give it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["code"] == code, document
    assert document["status"] == status
    assert document["type"] == f"urn:faultbook:problem:{code}"
    for name in ("title", "detail", "instance", "failure_class", "next_step"):
        assert isinstance(document[name], str), name
    assert isinstance(document["retryable"], bool)
    assert "Traceback" not in response.text
    return document
