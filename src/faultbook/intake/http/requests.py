"""What comes with a request: its body within a limit, its key, its declared digest."""

import base64
import binascii
import re
from collections.abc import AsyncIterator

from fastapi import Request

from faultbook.base.errors import InvalidError, TooLargeError
from faultbook.intake.http.problems import UnsupportedBodyError

# draft-ietf-httpapi-idempotency-key-header: a quoted string; the bare form is common.
_KEY = re.compile(r'"([\x20\x21\x23-\x7e]{1,200})"|([\x21\x23-\x7e]{1,200})')
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]{44}):")
_DIGITS = re.compile(r"[0-9]{1,18}")


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body whole.

    Raises:
        TooLargeError: it is over `limit` bytes; no more than that is kept.
        UnsupportedBodyError: it is compressed.
    """
    pieces = [chunk async for chunk in stream_body(request, limit)]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def stream_body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Read a body piece by piece.

    Raises:
        TooLargeError: it is over `limit` bytes; by its declared length, or once it gets there.
        UnsupportedBodyError: it is compressed, and could unfold to any size.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedBodyError(
            "A compressed body is not read.",
            next_step="Send it without Content-Encoding.",
            where="Content-Encoding",
        )
    declared = request.headers.get("content-length")
    if declared is not None and _DIGITS.fullmatch(declared) and int(declared) > limit:
        raise _too_large(limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            yield chunk


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(
        f"The body is over {limit} bytes.",
        next_step="Send less at once, or raise the limit in the settings (`limits`).",
        where="body",
    )


def idempotency_key(request: Request) -> str | None:
    """Read the request's Idempotency-Key.

    Raises:
        InvalidError: there are several, or it is no key.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    match = _KEY.fullmatch(given[0].strip())
    if len(given) > 1 or match is None:
        raise InvalidError(
            "The Idempotency-Key can't be read.",
            code="bad_idempotency_key",
            next_step="Send one key of 1 to 200 visible ASCII characters.",
            where="Idempotency-Key",
        )
    return match[1] or match[2]


def announced_sha256(request: Request) -> str | None:
    """Read the digest that a request announces for its body (RFC 9530, `Content-Digest`).

    Other algorithms than sha-256 are passed over, as the RFC allows.

    Raises:
        InvalidError: its sha-256 is none.
    """
    for member in ",".join(request.headers.getlist("content-digest")).split(","):
        if not member.strip().lower().startswith("sha-256="):
            continue
        match = _DIGEST.fullmatch(member.strip())
        try:
            if match is not None:
                return base64.b64decode(match[1], validate=True).hex()
        except binascii.Error:
            pass
        raise InvalidError(
            "The Content-Digest can't be read.",
            code="bad_digest",
            next_step="Write sha-256=:<base64 of the digest>:.",
            where="Content-Digest",
        )
    return None
