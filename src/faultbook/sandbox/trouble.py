"""The control API's acts that cause trouble: faults, disconnects, options, the clock."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import bad_arguments
from faultbook.sandbox.kinds import Json, as_text


class HasSandbox(Protocol):
    """Whatever acts on a workspace."""

    @property
    def sandbox(self) -> Sandbox:
        """The workspace."""


async def _fault(control: HasSandbox, body: Json) -> Json:
    return control.sandbox.faults.add(body).as_json()


async def _clear_faults(control: HasSandbox, body: Json) -> Json:
    control.sandbox.faults.clear(as_text(body.get("kind")))
    return {}


async def _disconnect(control: HasSandbox, body: Json) -> Json:
    grace = body.get("grace")
    seconds = float(grace) if isinstance(grace, int | float) else None
    told = control.sandbox.hub.disconnect(as_text(body.get("reason")), seconds)
    return {"told": told}


async def _deafen(control: HasSandbox, body: Json) -> Json:
    if body:
        raise bad_arguments("deafen takes no arguments")
    return {"deaf": control.sandbox.hub.deafen()}


async def _options(control: HasSandbox, body: Json) -> Json:
    control.sandbox.options.change(body)
    control.sandbox.deliverer.resume()
    return {"options": control.sandbox.options.as_json()}


async def _advance(control: HasSandbox, body: Json) -> Json:
    seconds = body.get("seconds")
    if not isinstance(seconds, int | float) or seconds < 0:
        raise bad_arguments("seconds must be a positive number")
    control.sandbox.clock.offset += seconds
    return {"now": control.sandbox.clock.now()}


async def _retry_now(control: HasSandbox, body: Json) -> Json:
    if body:
        raise bad_arguments("retry_now takes no arguments")
    return {"hurried": control.sandbox.deliverer.hurry()}


async def _forget_events(control: HasSandbox, body: Json) -> Json:
    if body:
        raise bad_arguments("forget_events takes no arguments")
    return {"dropped": control.sandbox.deliverer.forget()}


async def _verify_url(control: HasSandbox, body: Json) -> Json:
    if not control.sandbox.options.bot_url or body:
        raise bad_arguments("set the option bot_url first; verify_url takes no arguments")
    verified = await control.sandbox.http.verify_url(control.sandbox.identity.verification_token)
    return {"verified": verified}


ACTS: dict[str, Callable[[HasSandbox, Json], Awaitable[Json]]] = {
    "fault": _fault,
    "clear_faults": _clear_faults,
    "disconnect": _disconnect,
    "deafen": _deafen,
    "options": _options,
    "advance": _advance,
    "retry_now": _retry_now,
    "forget_events": _forget_events,
    "verify_url": _verify_url,
}
