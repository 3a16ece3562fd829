"""An HTTP endpoint that tests post to; each request is answered by the next of a script."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    request: web.Request


@dataclass
class Receiver:
    """What came, and what is answered."""

    script: list[int | Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    place: str = ""

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook?x=1"

    async def take(self, request: web.Request) -> web.StreamResponse:
        got = Received(request.path_qs, dict(request.headers), await request.read(), request)
        self.received.append(got)
        answer = self.script.pop(0) if self.script else 200
        if callable(answer):
            return await answer(got)
        return web.Response(status=answer, text=f"answer {answer}")

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.received) < count:  # noqa: ASYNC110 - others send
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def receiving(*script: int | Answer) -> AsyncIterator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver(list(script))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.place = f"{host}:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def cut_off(got: Received) -> web.StreamResponse:
    """Take the request, and break the connection before any answer."""
    assert got.request.transport is not None
    got.request.transport.abort()
    return web.Response()


async def never(got: Received) -> web.StreamResponse:
    """Take the request, and never answer."""
    del got
    await asyncio.sleep(60)
    return web.Response()
