"""An executor that is an HTTP endpoint: posted to once, with the digest as its Idempotency-Key."""

import asyncio
import ssl

import httpx

from faultbook.delivery.executor.order import HEARD_BYTES, Order
from faultbook.delivery.executor.outcome import Ended, Outcome

_CONNECT_SECONDS = 5.0
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_OURS = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError)
# Answers after which it may have happened: a conflict with a request that is under way, a gateway
# that passed the request on, a server that failed while it was at it, "see what came of it".
_DOUBTFUL = frozenset({302, 303, 409})
_NOT_TAKEN = frozenset({421, 425, 429})
_SERVER_ERRORS = 500
_OK = range(200, 300)
_NEVER_DONE = frozenset({501, 505, 511})


async def post(order: Order, seconds: float) -> Outcome:
    """Post an order and tell what came of it, within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await _post(order, seconds)
    except TimeoutError:
        return Outcome(
            Ended.UNKNOWN,
            f"No answer within {order.plan.timeout_seconds:g} s; it may have happened.",
        )


async def _post(order: Order, seconds: float) -> Outcome:
    assert order.plan.url is not None  # noqa: S101 - who calls has looked
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": f'"{order.approval.digest}"',
        "Faultbook-Approval": order.approval.id,
    }
    timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
    url = order.plan.url
    # Reading the list of authorities takes longer than a request that needs none.
    trusted = True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        async with (
            httpx.AsyncClient(timeout=timeout, verify=trusted, trust_env=False) as client,
            client.stream("POST", url, content=order.told, headers=headers) as answer,
        ):
            said = order.say_first(await _beginning(answer))
            return _outcome(answer, said)
    except _NOTHING_SENT as error:
        why = order.say(str(error)) or type(error).__name__
        if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in why:
            return Outcome(Ended.FAILED, f"TLS failed ({why}); nothing was sent.")
        return Outcome(Ended.NOT_SENT, f"Can't be reached ({why}); nothing was sent.")
    except _OURS as error:
        why = order.say(str(error))
        return Outcome(Ended.FAILED, f"The executor's URL can't be used: {why}.")
    except httpx.HTTPError as error:
        words = f"The connection broke ({type(error).__name__}); it may have happened."
        return Outcome(Ended.UNKNOWN, words)


async def _beginning(answer: httpx.Response) -> bytes:
    """Read as much of an answer as is shown; its status has said what matters."""
    found = b""
    try:
        async for piece in answer.aiter_bytes():
            found += piece
            if len(found) >= HEARD_BYTES:
                break
    except httpx.HTTPError:
        pass  # cut off, or in an encoding that is none
    return found[:HEARD_BYTES]


def _outcome(answer: httpx.Response, said: str) -> Outcome:
    status = answer.status_code
    then = f": {said}" if said else "."
    if status in _OK:
        return Outcome(Ended.EXECUTED, f"HTTP {status}{then}")
    if status in _NOT_TAKEN or (
        status == httpx.codes.FORBIDDEN and "retry-after" in answer.headers
    ):
        return Outcome(Ended.NOT_SENT, f"HTTP {status}, not taken{then}")
    if status in _DOUBTFUL or (status >= _SERVER_ERRORS and status not in _NEVER_DONE):
        return Outcome(Ended.UNKNOWN, f"HTTP {status}; it may have happened{then}")
    return Outcome(Ended.FAILED, f"HTTP {status}{then}")
