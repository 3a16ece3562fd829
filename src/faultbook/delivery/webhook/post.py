"""One POST to an address that an agent named: resolved once, and only where it is public.

The name is asked for here, every address that it has is looked at, and the connection goes to one
of those: what the name says a moment later leads nowhere. Redirects are not followed, proxies of
the environment are not used, and of the answer only the status is read.
"""

import asyncio
import ipaddress
import socket
import ssl
from typing import Any

import httpx

from faultbook.base.redaction import redact
from faultbook.model.webhook import WebhookAddress, is_public

_CONNECT_SECONDS = 5.0
_OK = range(200, 300)
_GONE = 410
_DEFAULT_PORTS = {"https": 443, "http": 80}


class NotTakenError(Exception):
    """The other side did not take it.

    Attributes:
        permanent: no other attempt can come out differently.
    """

    def __init__(self, words: str, *, permanent: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.permanent = permanent


async def post(address: WebhookAddress, body: bytes, headers: dict[str, str]) -> int:
    """Post a body, and give the status that took it.

    Raises:
        NotTakenError: it was not taken, or the address is not public.
    """
    tried: NotTakenError | None = None
    for found in await _resolve(address):
        try:
            return await _send(address, found, body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            tried = NotTakenError(f"can't be reached: {redact(str(error))}")
        except httpx.HTTPError as error:
            raise NotTakenError(f"the connection broke ({type(error).__name__})") from error
    raise tried or NotTakenError("has no address")


async def _resolve(address: WebhookAddress) -> list[str]:
    try:
        found = await _lookup(address.host, address.port)
    except OSError as error:
        raise NotTakenError(f"its host is not found ({error.strerror})") from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    # One that is not public among others that are: somebody tries what happens.
    if not address.is_allowed and not all(is_public(one) for one in addresses):
        raise NotTakenError("its host is not on the public internet", permanent=True)
    return addresses


async def _lookup(host: str, port: int) -> list[Any]:
    """Ask for a name's addresses, once a post."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


async def _send(address: WebhookAddress, found: str, body: bytes, headers: dict[str, str]) -> int:
    host = f"[{address.host}]" if ":" in address.host else address.host
    is_usual = _DEFAULT_PORTS[address.scheme] == address.port
    headers = headers | {"Host": host if is_usual else f"{host}:{address.port}"}
    target = f"[{found}]" if ipaddress.ip_address(found).version == 6 else found  # noqa: PLR2004 - the protocol's name
    # Reading the list of authorities takes longer than a request that needs none.
    is_tls = address.scheme == "https"
    trusted = True if is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with (
        httpx.AsyncClient(
            verify=trusted, trust_env=False, follow_redirects=False, timeout=_CONNECT_SECONDS
        ) as client,
        client.stream(
            "POST",
            f"{address.scheme}://{target}:{address.port}{address.path}",
            content=body,
            headers=headers,
            # The certificate has to be the name's, not the address's.
            extensions={"sni_hostname": address.host} if is_tls else {},
        ) as answer,
    ):
        status = answer.status_code
    if status in _OK:
        return status
    raise NotTakenError(f"answered {status}", permanent=status == _GONE)
