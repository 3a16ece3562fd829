"""Fault switches: seeded, counted misbehaviour that tests turn on.

Each switch is used up after `count` hits (null means until cleared); with `rate` below 1 it hits
at random, the same way each time for the same `seed`.
"""

import random
from dataclasses import dataclass, field

from faultbook.sandbox.clock import new_id
from faultbook.sandbox.errors import bad_arguments
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.wire import Wire

KINDS = {
    "duplicate_events": "deliver an event twice, with the same event_id",
    "delay_events": "hold an event back for `ms`, so that others overtake it",
    "no_ack": "overlook an acknowledgement, as if it were lost; `method` names an envelope type",
    "late_ack": "take notice of an acknowledgement only after `ms`",
    "first_attempt_copy": "send the first attempt again after a retry",
    "refuse_handshake": "answer a WebSocket handshake with 503; the ticket is used up",
    "deaf": "accept a socket and say hello, but send no events and drop its pings",
    "rate_limit": "answer a method with 429 and Retry-After `retry_after`",
    "slow": "answer a method after `ms`",
    "error": "answer a method with the code `error` instead of doing it",
    "http_status": "answer a method with the HTTP status `status` instead of doing it",
    "drop_response": "do what a method asks, then reset the connection without an answer",
}


@dataclass(slots=True)
class Fault:
    """One switch that is on."""

    kind: str
    method: str = ""
    count: int | None = 1
    rate: float = 1.0
    seed: int = 0
    ms: int = 0
    status: int = 500
    error: str = "internal_error"
    retry_after: int = 1
    hits: int = 0
    id: str = field(default_factory=lambda: new_id("X", 6))
    dice: random.Random = field(default_factory=random.Random, repr=False)

    def fits(self, kind: str, method: str) -> bool:
        """Tells whether this switch concerns such an occasion."""
        return self.kind == kind and (not self.method or self.method == method)

    def as_json(self) -> Json:
        """Shows the switch."""
        return {name: getattr(self, name) for name in _SHOWN}


_SHOWN = (
    "id",
    "kind",
    "method",
    "count",
    "rate",
    "seed",
    "ms",
    "status",
    "error",
    "retry_after",
    "hits",
)


_NUMBERS = {"count", "rate", "seed", "ms", "status", "retry_after"}


class Faults:
    """The switches that are on."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.on: list[Fault] = []

    def add(self, wanted: Json) -> Fault:
        """Turns a switch on.

        Raises:
            SlackError: `invalid_arguments` for an unknown kind or field.
        """
        if wanted.get("kind") not in KINDS:
            raise bad_arguments(f"no such fault: {wanted.get('kind')}; known: {', '.join(KINDS)}")
        unknown = set(wanted) - set(_SHOWN) | {"hits", "id"} & set(wanted)
        if unknown:
            raise bad_arguments(f"a fault has no field {', '.join(sorted(unknown))}")
        for name, value in wanted.items():
            if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
                if name == "count" and value is None:
                    continue
                raise bad_arguments(f"{name} must be a number: {value!r}")
        fault = Fault(**wanted)
        fault.dice.seed(fault.seed)
        self.on.append(fault)
        self._wire.note("note", "fault", f"{fault.kind} on", method=fault.method)
        return fault

    def take(self, kind: str, method: str = "") -> Fault | None:
        """Asks whether a fault strikes now, and uses it up by one."""
        if not self.on:
            return None
        for fault in self.on:
            if not fault.fits(kind, method):
                continue
            if fault.rate < 1 and fault.dice.random() >= fault.rate:
                continue
            fault.hits += 1
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self.on.remove(fault)
            self._wire.note("note", "fault", kind, method=method)
            return fault
        return None

    def clear(self, kind: str = "") -> None:
        """Turns switches off: all, or those of a kind."""
        self.on = [one for one in self.on if kind and one.kind != kind]
