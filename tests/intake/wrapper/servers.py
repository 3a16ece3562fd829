"""Servers for the wrapper to report to: the real one, and ones that do not do what they should."""

import asyncio
import contextlib
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from faultbook.base.clock import Clock, system_clock
from faultbook.base.settings import Settings
from faultbook.intake.http.app import build_app
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.model.token import Scope, Token
from faultbook.operations.tokens import create_token, digest, new_secret
from faultbook.store.engine import open_store, sqlite_url
from tests.approving import everybody_is_there


class Server:
    """The real server over a store of its own, in a thread."""

    def __init__(
        self,
        home: Path,
        settings: Settings | None = None,
        port: int = 0,
        routes: Routes | None = None,
        clock: Clock = system_clock,
        policies: ApprovalPolicies | None = None,
    ) -> None:
        self.store = open_store(sqlite_url(home), clock)
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        app = build_app(
            self.store,
            Policy(),
            settings or Settings(),
            routes or Routes(),
            policies or ApprovalPolicies(),
            everybody_is_there,
        )
        self._stop_waiting: Callable[[], None] = app.state.stop_waiting
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listener]))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *scopes: Scope) -> str:
        secret = new_secret()
        token = Token(
            secrets.token_hex(4), "cron", "ana", frozenset(scopes), frozenset(), system_clock()
        )
        self.store.write(create_token, token, digest(secret))
        return secret

    def environ(self, *scopes: Scope) -> dict[str, str]:
        token = self.token(*(scopes or (Scope.RUNS_WRITE,)))
        return {"FAULTBOOK_URL": self.url, "FAULTBOOK_TOKEN": token}

    def stop(self) -> None:
        self._stop_waiting()
        self._server.should_exit = True
        self._thread.join(10)
        self.store.close()


@contextlib.contextmanager
def running(home: Path, settings: Settings | None = None, port: int = 0) -> Iterator[Server]:
    server = Server(home, settings, port)
    try:
        yield server
    finally:
        server.stop()


class Bystander:
    """Takes connections and answers each with the same bytes, or with nothing at all."""

    def __init__(self, answer: bytes | None, port: int = 0) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[bytes] = []
        self.held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._answer is None:
                self.held.append(connection)
                continue
            with connection, contextlib.suppress(OSError):
                self.asked.append(_request(connection))
                connection.sendall(self._answer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for connection in self.held:
            connection.close()


def _request(connection: socket.socket) -> bytes:
    """Read a whole request: what is left unread would cut the answer short."""
    data = b""
    while not _is_whole(data):
        chunk = connection.recv(1 << 16)
        if not chunk:
            break
        data += chunk
    return data


def _is_whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    if length is not None:
        return bool(found) and len(body) >= int(length[1])
    return bool(found) and (b"chunked" not in head.lower() or body.endswith(b"0\r\n\r\n"))


def answer(status: int, body: bytes, media_type: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
