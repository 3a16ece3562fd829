"""Events on their way to the bot: at least once, retried as Slack does, kept until settled.

An event that lost its socket, or found none, waits on disk until the bot is back; one that a
living bot did not acknowledge follows Slack's schedule and is then given up.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

from faultbook.sandbox.faults import Faults
from faultbook.sandbox.httpdoor import HttpDoor
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.options import Options
from faultbook.sandbox.sockets import Ack, SocketHub
from faultbook.sandbox.store import Store
from faultbook.sandbox.wire import Wire


@dataclass(eq=False, slots=True)
class Delivery:
    """One event and how far it came.

    Attributes:
        body: The outer event.
        attempts: How often it was sent.
        reason: Why the last attempt failed.
        parked: Whether it waits for a connection.
        first_frame: Its first envelope, for the fault that sends it again.
        timer: The pending redelivery.
    """

    body: Json
    attempts: int = 0
    reason: str = ""
    parked: bool = False
    first_frame: str = ""
    timer: asyncio.TimerHandle | None = None

    @property
    def event_id(self) -> str:
        """Names the event."""
        return str(self.body["event_id"])

    def as_json(self) -> Json:
        """Shows what is kept on disk."""
        return {"body": self.body, "attempts": self.attempts, "reason": self.reason}


class Deliverer:
    """Sends events and sees them through."""

    def __init__(
        self,
        options: Options,
        store: Store,
        wire: Wire,
        faults: Faults,
        hub: SocketHub,
        http: HttpDoor,
    ) -> None:
        self._options = options
        self._store = store
        self._wire = wire
        self._faults = faults
        self._hub = hub
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()
        self.unsettled: dict[str, Delivery] = {}
        self.given_up: list[str] = []
        self._closed = False
        hub.opened = self.resume

    def start(self) -> None:
        """Takes up what an earlier process left unsettled."""
        left = [Delivery(**body) for _, body in self._store.all("delivery")]
        for delivery in sorted(left, key=lambda one: str(one.body.get("event_time", 0))):
            delivery.parked = True
            self.unsettled[delivery.event_id] = delivery
        self.resume()

    async def close(self) -> None:
        """Stops sending; what is unsettled stays on disk."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def offer(self, body: Json) -> None:
        """Sends a new event, now or when the bot is there."""
        delivery = Delivery(body)
        self.unsettled[delivery.event_id] = delivery
        held = self._faults.take("delay_events", str(body["event"]["type"]))
        if held is not None:
            self._save(delivery)
            self._later(held.ms / 1000, delivery)
            return
        self._attempt(delivery)
        if self._faults.take("duplicate_events", str(body["event"]["type"])):
            self._copy(delivery)

    def resume(self) -> None:
        """Sends everything that waits for a connection, if there is one."""
        if not self._reachable():
            return
        for delivery in list(self.unsettled.values()):
            if delivery.parked:
                self._attempt(delivery)

    def hurry(self) -> int:
        """Makes every pending redelivery due now, and tells how many there were."""
        due = [one for one in self.unsettled.values() if one.timer is not None]
        for delivery in due:
            self._attempt(delivery)
        return len(due)

    def forget(self) -> int:
        """Drops every unsettled event, and tells how many there were."""
        dropped = list(self.unsettled.values())
        for delivery in dropped:
            self._settle(delivery)
        return len(dropped)

    def _reachable(self) -> bool:
        return bool(self._hub.sockets or self._options.bot_url)

    def _attempt(self, delivery: Delivery) -> None:
        if delivery.timer is not None:
            delivery.timer.cancel()
            delivery.timer = None
        if self._closed or delivery.event_id not in self.unsettled:
            return
        delivery.parked = not self._reachable()
        if delivery.parked:
            self._save(delivery)
            return
        delivery.attempts += 1
        self._save(delivery)
        if self._hub.sockets:
            self._by_socket(delivery)
        else:
            self._run(self._by_http(delivery))

    def _by_socket(self, delivery: Delivery) -> None:
        frame = self._hub.send(
            "events_api",
            delivery.body,
            lambda ack: self._took(delivery, ack),
            accepts_response_payload=False,
            retry_attempt=delivery.attempts - 1,
            retry_reason="timeout" if delivery.attempts > 1 else "",
        )
        if not delivery.first_frame:
            delivery.first_frame = frame or ""
        elif self._faults.take("first_attempt_copy"):
            self._hub.send_again(delivery.first_frame)

    async def _by_http(self, delivery: Delivery) -> None:
        ack = await self._http.event(
            delivery.body, attempt=delivery.attempts - 1, reason=delivery.reason
        )
        self._took(delivery, ack)

    def _copy(self, delivery: Delivery) -> None:
        if self._hub.sockets:
            self._hub.send(
                "events_api",
                delivery.body,
                lambda _: None,
                accepts_response_payload=False,
                retry_attempt=0,
                retry_reason="",
            )
        elif self._options.bot_url:
            self._run(self._copy_by_http(delivery))

    async def _copy_by_http(self, delivery: Delivery) -> None:
        await self._http.event(delivery.body)

    def _took(self, delivery: Delivery, ack: Ack) -> None:
        if self._closed or delivery.event_id not in self.unsettled:
            return
        if ack.good:
            self._settle(delivery)
            return
        delivery.reason = "timeout" if ack.outcome == "closed" else ack.outcome
        retries = self._options.retry_delays
        if delivery.attempts > len(retries) or not ack.retry:
            self._wire.note("note", "event", "given up", event_id=delivery.event_id)
            self.given_up.append(delivery.event_id)
            self._settle(delivery)
            return
        self._save(delivery)
        lost = ack.outcome == "closed"
        if lost and not self._reachable():
            delivery.parked = True
            return
        self._later(retries[0 if lost else delivery.attempts - 1], delivery)

    def _later(self, seconds: float, delivery: Delivery) -> None:
        loop = asyncio.get_running_loop()
        delivery.timer = loop.call_later(seconds, self._attempt, delivery)

    def _settle(self, delivery: Delivery) -> None:
        self.unsettled.pop(delivery.event_id, None)
        self._store.drop("delivery", delivery.event_id)

    def _save(self, delivery: Delivery) -> None:
        self._store.put("delivery", delivery.event_id, delivery.as_json())

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
