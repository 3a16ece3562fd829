"""The HTTP server: routes, start, ready line, stop."""

import asyncio
import json
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from faultbook.sandbox import control, responses
from faultbook.sandbox.api import files
from faultbook.sandbox.api.dispatch import Api
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.guard import guard
from faultbook.sandbox.home import write_private
from faultbook.sandbox.kinds import Json

_PAGE = Path(__file__).parent / "page"
_HOST = "127.0.0.1"
_UPLOAD_MOST = 110_000_000


def build(sandbox: Sandbox) -> web.Application:
    """Puts the routes together."""
    app = web.Application(middlewares=[guard], client_max_size=_UPLOAD_MOST)
    api = Api(sandbox)

    async def respond(request: web.Request) -> web.StreamResponse:
        return await responses.handle(sandbox, request)

    async def upload(request: web.Request) -> web.StreamResponse:
        content = await request.read()
        if request.content_type.startswith("multipart/"):
            return web.Response(status=415, text="send the file's bytes as the body")
        good = files.take_upload(sandbox, request.match_info["key"], content)
        return web.Response(text=f"OK - {len(content)}") if good else web.Response(status=404)

    async def download(request: web.Request) -> web.StreamResponse:
        return _download(sandbox, request)

    app.add_routes(
        [
            web.get("/", _index),
            web.get("/archives/{channel}/{message}", _archive),
            web.get("/page/{name}", _asset),
            web.route("*", "/api/{method}", api.handle),
            web.get("/link/", sandbox.hub.serve),
            web.post("/{kind:actions|commands|app}/{team}/{key}", respond),
            web.post("/upload/v1/{key}", upload),
            web.get("/files-pri/{file}", download),
            web.get("/files-pri/{file}/download/{name}", download),
            web.get("/files/{user}/{file}/{name}", download),
            *control.routes(sandbox),
        ]
    )
    return app


async def _index(request: web.Request) -> web.StreamResponse:
    del request
    return web.FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})


async def _asset(request: web.Request) -> web.StreamResponse:
    path = _PAGE / request.match_info["name"]
    if path.parent != _PAGE or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


async def _archive(request: web.Request) -> web.StreamResponse:
    channel, message = request.match_info["channel"], request.match_info["message"]
    return web.HTTPFound(f"/#{quote(channel)}/{quote(message)}")


def _download(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    """Gives a file's bytes to a browser, which is signed in, or to the bot's token."""
    if "Sec-Fetch-Mode" not in request.headers and not _may_read_files(sandbox, request):
        return web.HTTPFound("/?redir=files")  # as Slack leads to its page to sign in
    try:
        file = files.find_file(sandbox, request.match_info["file"])
    except SlackError as error:
        raise web.HTTPNotFound from error
    name = quote(file["name"])
    return web.FileResponse(
        files.path_of(sandbox, file["id"]),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        },
    )


def _may_read_files(sandbox: Sandbox, request: web.Request) -> bool:
    given = request.headers.get("Authorization", "")
    token = f"Bearer {sandbox.identity.bot_token}"
    is_bot = secrets.compare_digest(given.encode(), token.encode())
    return is_bot and "files:read" in sandbox.manifest.scopes


async def run(
    sandbox: Sandbox,
    port: int,
    say: Callable[[str], None] = lambda line: print(line, flush=True),  # noqa: T201 - the ready line is this program's output
) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        sandbox: The workspace.
        port: The port; 0 picks a free one.
        say: Takes the ready line.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    runner = web.AppRunner(build(sandbox), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, _HOST, port)
    try:
        await site.start()
        sandbox.base_url = f"http://{_HOST}:{runner.addresses[0][1]}/"
        sandbox.deliverer.start()
        ready = _ready(sandbox)
        write_private(sandbox.home / "sandbox.json", json.dumps(ready))
        say(json.dumps(ready))
        await stopping.wait()
    finally:
        await sandbox.close()
        await runner.cleanup()


def _ready(sandbox: Sandbox) -> Json:
    identity = sandbox.identity
    return {
        "page": sandbox.base_url,
        "api_url": f"{sandbox.base_url}api/",
        "bot_token": identity.bot_token,
        "app_token": identity.app_token,
        "signing_secret": identity.signing_secret,
        "team_id": identity.team_id,
        "app_id": identity.app_id,
        "bot_id": identity.bot_id,
        "bot_user_id": identity.bot_user_id,
        "pid": os.getpid(),
    }
