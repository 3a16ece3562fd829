"""Changes pushed to open pages, as server-sent events."""

import asyncio
import json

from faultbook.sandbox.kinds import Json

_FULL = 2000


class Live:
    """The open pages; each has a queue of frames."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    def open(self) -> "asyncio.Queue[bytes | None]":
        """Adds a page."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_FULL)
        self._queues.add(queue)
        return queue

    def close(self, queue: "asyncio.Queue[bytes | None]") -> None:
        """Forgets a page."""
        self._queues.discard(queue)

    def close_all(self) -> None:
        """Ends every page's stream."""
        for queue in list(self._queues):
            self._end(queue)

    def push(self, kind: str, body: Json) -> None:
        """Sends a change to every open page; one that reads too slowly must reload."""
        if not self._queues:
            return
        text = json.dumps({"kind": kind, **body}, ensure_ascii=False, separators=(",", ":"))
        frame = f"data: {text}\n\n".encode()
        for queue in list(self._queues):
            try:
                queue.put_nowait(frame)
            except asyncio.QueueFull:
                self._end(queue)

    def _end(self, queue: "asyncio.Queue[bytes | None]") -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
