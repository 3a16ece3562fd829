"""Slack's request signature, checked over the raw bytes before anything is parsed.

`v0=` + HMAC-SHA256(signing secret, `v0:{timestamp}:{body}`), at most 300 s old
(https://docs.slack.dev/authentication/verifying-requests-from-slack). The SDK's own verifier raises
on malformed headers and non-UTF-8 bodies, which Bolt turns into a 500; here whatever does not fit
is one answer: no.
"""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable

from faultbook.base.clock import MINUTE, SECOND, Clock, Instant
from faultbook.base.errors import InvalidError

_TIMESTAMP_HEADER = b"x-slack-request-timestamp"
_SIGNATURE_HEADER = b"x-slack-signature"
# [0-9], since \d takes any script's digits; ten of them last until the year 2286.
_TIMESTAMP = re.compile(rb"[0-9]{1,10}")
_SIGNATURE = re.compile(rb"v0=[0-9a-f]{64}")
_OLDEST: Instant = 300 * SECOND
_REMEMBERED: Instant = 10 * MINUTE


class Signatures:
    """Checks signatures, and knows those that were answered well within ten minutes."""

    def __init__(self, secret: str, clock: Clock) -> None:
        if not secret.strip():
            raise InvalidError(
                "The signing secret is empty, so anybody could speak as Slack.",
                next_step="Set SLACK_SIGNING_SECRET to the value under Basic Information.",
                where="SLACK_SIGNING_SECRET",
            )
        self._secret = secret.strip().encode()
        self._clock = clock
        self._answered: OrderedDict[bytes, Instant] = OrderedDict()

    def read(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | None:
        """Take timestamp and signature from the headers; None unless each is there once and fits.

        Cheap, and done before the body is read: a stranger's body is not waited for.
        """
        timestamps: list[bytes] = []
        signatures: list[bytes] = []
        for name, value in headers:
            if name == _TIMESTAMP_HEADER:
                timestamps.append(value)
            elif name == _SIGNATURE_HEADER:
                signatures.append(value)
        if len(timestamps) != 1 or len(signatures) != 1:
            return None
        timestamp, signature = timestamps[0], signatures[0]
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return None
        if abs(self._clock() - int(timestamp) * SECOND) > _OLDEST:
            return None
        return timestamp, signature

    def fits(self, timestamp: bytes, signature: bytes, body: bytes) -> bool:
        """Tell whether the signature is this body's."""
        digest = hmac.new(self._secret, b"v0:" + timestamp + b":" + body, hashlib.sha256)
        return hmac.compare_digest(b"v0=" + digest.hexdigest().encode(), signature)

    def is_repeat(self, signature: bytes) -> bool:
        """Tell whether this very request was answered well before."""
        return signature in self._answered

    def remember(self, signature: bytes) -> None:
        """Note that a request was answered well; one that failed may be sent again."""
        now = self._clock()
        self._answered[signature] = now
        while self._answered:
            oldest, at = next(iter(self._answered.items()))
            if now - at <= _REMEMBERED:
                break
            del self._answered[oldest]
