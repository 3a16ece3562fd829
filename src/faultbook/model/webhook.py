"""Addresses of webhooks: read strictly, since agents name them, and what they may resolve to."""

import ipaddress
import re
from dataclasses import dataclass, field

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact

LONGEST_URL = 2000
_HTTPS, _HTTP = 443, 80
_LAST_PORT = 65_535
# Nothing that programs read differently: no user names, no backslash, no escapes in the host, no
# fragment, and no host that ends in a number but is no plain address (127.1, 2130706433, 0x7f.1).
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)|\[(?P<v6>[0-9a-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[!$-;=?-\[\]_a-z~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]*")
# Global unicast, and of it not what leads to another family or to private addresses: Teredo, 6to4.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_HOLES = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))
_RELAYS = ipaddress.IPv4Network("192.88.99.0/24")


@dataclass(frozen=True, slots=True)
class WebhookRules:
    """Which webhooks a team takes.

    Attributes:
        allow: `host:port` of those that may be private, and without TLS.
    """

    allow: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """Where a webhook is.

    Attributes:
        host: a name, or an address without brackets, in small letters.
        path: with its query; at least `/`.
        is_allowed: the settings name it, so that it may be anywhere.
    """

    scheme: str
    host: str
    port: int
    path: str
    is_allowed: bool


def read_webhook(url: str, rules: WebhookRules) -> WebhookAddress:
    """Read a webhook's URL as far as it can be told without asking for its name.

    Raises:
        InvalidError: it is none, holds a secret, or leads to where agents may not send us.
    """
    found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
    if found is None:
        raise _refused("is no URL that every program reads alike", "Give https://host/path.")
    if redact(url) != url:
        raise _refused("holds a secret", "Outcomes are signed; no secret is needed in the URL.")
    scheme = found["scheme"].lower()
    host = (found["name"] or found["v6"]).lower()
    port = int(found["port"] or (_HTTPS if scheme == "https" else _HTTP))
    if not 0 < port <= _LAST_PORT:
        raise _refused("has a port that is none", "Give https://host/path.")
    is_allowed = f"{host}:{port}" in rules.allow
    if not is_allowed:
        _check_public(scheme, host, is_name=found["name"] is not None)
    return WebhookAddress(scheme, host, port, found["path"] or "/", is_allowed)


def is_public(address: str) -> bool:
    """Tell whether an address is one machine's on the internet, whoever looks at it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and found not in _RELAYS
    is_unicast = found.is_global and not found.is_multicast and found in _GLOBAL_UNICAST
    return is_unicast and not any(found in hole for hole in _HOLES)


def _check_public(scheme: str, host: str, *, is_name: bool) -> None:
    if scheme != "https":
        raise _refused("is not HTTPS", "Give an https:// URL.")
    if is_name and _NAME.fullmatch(host):
        if host == "localhost" or host.endswith(".localhost") or "." not in host:
            raise _refused("names no public host", _ALLOW)
        return
    if not is_public(host):
        raise _refused("names no public host", _ALLOW)


_ALLOW = 'Name a public host; your team may add webhooks.allow = ["host:port"] to faultbook.toml.'


def _refused(what: str, advice: str) -> InvalidError:
    # The URL itself is not repeated: it may hold anything.
    return InvalidError(
        f"The webhook {what}.", code="bad_webhook", next_step=advice, where="webhook"
    )
