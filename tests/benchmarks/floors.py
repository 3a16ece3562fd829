"""Bare floors: the least that could serve the same request, measured in the same run.

Started as a process: `python -m tests.benchmarks.floors KIND PORT`.
"""

import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "bench-secret"


def bolt(*, before_response: bool) -> Starlette:
    """Make a Bolt app with one listener a kind that does nothing but acknowledge."""

    async def authorize(**_: Any) -> AuthorizeResult:  # noqa: ANN401 - Bolt's own arguments
        return AuthorizeResult(
            enterprise_id=None, team_id="T1", bot_user_id="UBOT", bot_id="B1", bot_token="xoxb-x"
        )

    app = AsyncApp(
        signing_secret=SECRET, authorize=authorize, process_before_response=before_response
    )

    @app.event("app_mention")
    async def mention() -> None:
        return

    @app.action(re.compile(".*"))
    async def click(ack: Callable[[], Awaitable[None]]) -> None:
        await ack()

    handler = AsyncSlackRequestHandler(app)

    async def endpoint(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])


def starlette() -> Starlette:
    """Make a server that reads a body and answers."""

    async def endpoint(request: Request) -> Response:
        await request.body()
        return JSONResponse({"ok": True})

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])


def commits(seconds: float = 1.0) -> float:
    """Tell how many one-row transactions a second bare sqlite3 makes durable here."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (body TEXT)")
        done, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows VALUES (?)", ("x" * 500,))
            connection.execute("COMMIT")
            done += 1
        connection.close()
    return done / took


_KINDS: dict[str, Callable[[], Starlette]] = {
    "bolt": lambda: bolt(before_response=True),
    "bolt-default": lambda: bolt(before_response=False),
    "starlette": starlette,
}

if __name__ == "__main__":
    uvicorn.run(_KINDS[sys.argv[1]](), port=int(sys.argv[2]), log_level="error", access_log=False)
