"""Socket Mode: ticketed one-use sockets, envelopes to exactly one of them, acknowledgements."""

import asyncio
import contextlib
import json
import random
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMessage, WSMsgType, web

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.faults import Faults
from faultbook.sandbox.kinds import Json, as_dict
from faultbook.sandbox.options import Options
from faultbook.sandbox.wire import Wire

MOST_SOCKETS = 10
_TICKET_SECONDS = 30
_LIFE_SECONDS = 18060
_GRACE = {"warning": 10.0}


@dataclass(frozen=True, slots=True)
class Ack:
    """What became of an envelope or HTTP request.

    Attributes:
        outcome: `acked`, `timeout`, `closed` (its connection went away), or an HTTP retry reason.
        payload: What came with the acknowledgement.
        retry: Whether the bot wants further attempts.
    """

    outcome: str
    payload: Json | None = None
    retry: bool = True

    @property
    def good(self) -> bool:
        """Tells whether the bot took it."""
        return self.outcome == "acked"


@dataclass(eq=False, slots=True)
class Socket:
    """One open connection of the bot."""

    number: int
    ws: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    deaf: bool
    queue: "asyncio.Queue[str | None]" = field(default_factory=asyncio.Queue)


@dataclass(slots=True)
class _Flight:
    socket: Socket
    kind: str
    done: Callable[[Ack], None]
    timer: asyncio.TimerHandle


class SocketHub:
    """The bot's open sockets and the envelopes they have not acknowledged yet.

    Attributes:
        opened: Called when a socket has said hello.
        changed: Called when a socket came or went.
        sockets: The open sockets.
    """

    def __init__(self, options: Options, clock: Clock, wire: Wire, faults: Faults) -> None:
        self._options = options
        self._clock = clock
        self._wire = wire
        self._faults = faults
        self._tickets: dict[str, float] = {}
        self._flights: dict[str, _Flight] = {}
        self._dice = random.Random(0)  # noqa: S311 - picks a socket, guards nothing
        self._count = 0
        self._closers: set[asyncio.Task[None]] = set()
        self.app_id = ""
        self.sockets: list[Socket] = []
        self.opened: Callable[[], None] = lambda: None
        self.changed: Callable[[], None] = lambda: None

    def ticket(self) -> str:
        """Makes a ticket for one connection."""
        now = self._clock.now()
        self._tickets = {key: until for key, until in self._tickets.items() if until > now}
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now + _TICKET_SECONDS
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Handles one WebSocket connection from handshake to end."""
        valid = self._tickets.pop(request.query.get("ticket", ""), 0.0) > self._clock.now()
        if self._faults.take("refuse_handshake"):
            return web.Response(status=503, text="try again later")
        if not valid:
            self._wire.note("in", "socket", "handshake", status=403)
            return web.Response(status=403, text="this ticket is used or unknown")
        ws = web.WebSocketResponse(autoping=False, compress=False)
        await ws.prepare(request)
        self._count += 1
        deaf = self._faults.take("deaf") is not None
        socket = Socket(self._count, ws, request.transport, deaf)
        writer = asyncio.create_task(self._write(socket))
        try:
            self._admit(socket)
            async for frame in ws:
                await self._read(socket, frame)
        finally:
            self._forget(socket)
            writer.cancel()
        return ws

    def send(
        self, kind: str, payload: Json, done: Callable[[Ack], None], **fields: object
    ) -> str | None:
        """Sends an envelope to one socket.

        Args:
            kind: The envelope's type.
            payload: Its payload.
            done: Called exactly once with what became of it.
            **fields: Further fields of the envelope.

        Returns:
            The frame that was sent, or None if no socket is open.
        """
        if not self.sockets:
            return None
        socket = self._dice.choice(self.sockets)
        envelope_id = str(uuid.uuid4())
        frame = json.dumps(
            {"envelope_id": envelope_id, "payload": payload, "type": kind, **fields},
            ensure_ascii=False,
        )
        timer = asyncio.get_running_loop().call_later(
            self._options.ack_seconds, self._settle, envelope_id, Ack("timeout")
        )
        self._flights[envelope_id] = _Flight(socket, kind, done, timer)
        self._put(socket, kind, frame)
        return frame

    def send_again(self, frame: str) -> None:
        """Sends a frame as it is; nobody waits for its acknowledgement."""
        if self.sockets:
            self._put(self._dice.choice(self.sockets), "copy", frame)

    def disconnect(self, reason: str, grace: float | None = None) -> int:
        """Tells every socket to go away, then closes it.

        Args:
            reason: As in Slack's `disconnect` frame; empty for cutting the line silently.
            grace: Seconds between the frame and the close.

        Returns:
            How many sockets were told.
        """
        told = list(self.sockets)
        for socket in told:
            self._dismiss(socket, reason, _GRACE.get(reason, 1.0) if grace is None else grace)
        return len(told)

    def deafen(self) -> int:
        """Makes every open socket deaf, and tells how many there are."""
        for socket in self.sockets:
            socket.deaf = True
        return len(self.sockets)

    async def close(self) -> None:
        """Closes every socket."""
        for socket in list(self.sockets):
            with contextlib.suppress(Exception):
                await socket.ws.close()
        for task in self._closers:
            task.cancel()

    def _admit(self, socket: Socket) -> None:
        crowded = len(self.sockets) >= MOST_SOCKETS
        hello: Json = {
            "type": "hello",
            "num_connections": len(self.sockets) + 1,
            "debug_info": {
                "host": "applink-local",
                "build_number": 1,
                "approximate_connection_time": _LIFE_SECONDS,
            },
            "connection_info": {"app_id": self.app_id},
        }
        self._put(socket, "hello", json.dumps(hello), always=True)
        if crowded:
            self._dismiss(socket, "too_many_websockets", 1.0)
            return
        self.sockets.append(socket)
        self.changed()
        self.opened()

    def _dismiss(self, socket: Socket, reason: str, grace: float) -> None:
        if reason:
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}}
            self._put(socket, "disconnect", json.dumps(frame), always=True)
        else:
            if isinstance(socket.transport, asyncio.WriteTransport):
                socket.transport.abort()
            return

        async def close() -> None:
            await asyncio.sleep(grace)
            await socket.ws.close()

        task = asyncio.create_task(close())
        self._closers.add(task)
        task.add_done_callback(self._closers.discard)

    def _put(self, socket: Socket, kind: str, frame: str, *, always: bool = False) -> None:
        lost = socket.deaf and not always
        self._wire.note("out", "socket", kind, body=frame, socket=socket.number, lost=lost)
        if not lost:
            socket.queue.put_nowait(frame)

    async def _write(self, socket: Socket) -> None:
        with contextlib.suppress(ConnectionError):
            while (frame := await socket.queue.get()) is not None:
                await socket.ws.send_str(frame)

    async def _read(self, socket: Socket, frame: WSMessage) -> None:
        if frame.type is WSMsgType.PING:
            if not socket.deaf:
                await socket.ws.pong(frame.data)
        elif frame.type is WSMsgType.TEXT:
            self._take_ack(socket, frame.data)

    def _take_ack(self, socket: Socket, text: str) -> None:
        try:
            answer = as_dict(json.loads(text))
        except ValueError:
            answer = {}
        envelope_id = str(answer.get("envelope_id", ""))
        flight = self._flights.get(envelope_id)
        name = flight.kind if flight else "unknown or settled"
        self._wire.note("in", "ack", name, body=text, socket=socket.number)
        if flight is None or self._faults.take("no_ack", flight.kind):
            return
        payload = answer.get("payload")
        ack = Ack("acked", payload if isinstance(payload, dict) else None)
        late = self._faults.take("late_ack", flight.kind)
        if late is None:
            self._settle(envelope_id, ack)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(late.ms / 1000, self._settle, envelope_id, ack)

    def _settle(self, envelope_id: str, ack: Ack) -> None:
        flight = self._flights.pop(envelope_id, None)
        if flight is not None:
            flight.timer.cancel()
            flight.done(ack)

    def _forget(self, socket: Socket) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
            self.changed()
        self._wire.note("note", "socket", "closed", socket=socket.number)
        for envelope_id, flight in list(self._flights.items()):
            if flight.socket is socket:
                self._settle(envelope_id, Ack("closed"))
