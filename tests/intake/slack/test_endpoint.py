"""Requests as strangers and as Slack send them; nothing a stranger sends makes a 500."""

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.clock import SECOND
from faultbook.base.errors import InvalidError
from faultbook.intake.slack.endpoint import Endpoint
from faultbook.intake.slack.payloads import Json
from faultbook.intake.slack.signature import Signatures
from tests.conftest import FrozenClock

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
EVENT = b'{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}'
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Door:
    """An endpoint with Bolt's place taken by a list."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    taken: list[tuple[Json, dict[str, str]]] = field(default_factory=list)
    status: int = 200

    def __post_init__(self) -> None:
        self.endpoint = Endpoint(Signatures(SECRET, self.clock), largest=1_000_000)
        self.endpoint.open(self._take)

    async def _take(self, body: Json, headers: dict[str, str]) -> tuple[int, str, str]:
        self.taken.append((body, headers))
        return self.status, JSON, '{"text":"ok"}'

    @property
    def now(self) -> str:
        return str(self.clock() // SECOND)

    async def post(
        self,
        body: bytes,
        *,
        at: str | None = None,
        signature: str | None = None,
        kind: str = JSON,
        more: Iterable[tuple[bytes, bytes]] = (),
        method: str = "POST",
    ) -> tuple[int, bytes]:
        """Send a request that is signed unless something else is said."""
        at = self.now if at is None else at
        signature = sign(at, body) if signature is None else signature
        headers = [
            (b"content-type", kind.encode()),
            (b"x-slack-request-timestamp", at.encode("utf-8", "surrogateescape")),
            (b"x-slack-signature", signature.encode("utf-8", "surrogateescape")),
            *more,
        ]
        return await self.send(body, headers, method=method)

    async def send(
        self, body: bytes, headers: list[tuple[bytes, bytes]], *, method: str = "POST"
    ) -> tuple[int, bytes]:
        chunks = [body[at : at + 65_536] for at in range(0, max(len(body), 1), 65_536)]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await self.endpoint({"type": "http", "method": method, "headers": headers}, receive, send)
        return sent[0]["status"], sent[1]["body"]


def sign(at: str, body: bytes, secret: str = SECRET) -> str:
    base = b"v0:" + at.encode("utf-8", "surrogateescape") + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


@pytest.fixture
def door() -> Door:
    return Door()


def test_slacks_worked_example_is_signed_as_slack_signs_it() -> None:
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015."
        b"47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    signatures = Signatures(SECRET, FrozenClock(1_531_420_618 * SECOND))
    assert signatures.fits(b"1531420618", signature, body)


async def test_a_signed_event_comes_through(door: Door) -> None:
    status, body = await door.post(EVENT, more=[(b"x-slack-retry-num", b"2")])
    assert (status, json.loads(body)) == (200, {"text": "ok"})
    assert door.taken == [(json.loads(EVENT), {"x-slack-retry-num": "2"})]


async def test_forms_come_through(door: Door) -> None:
    payload = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()
    command = urlencode({"command": "/failing", "text": ""}).encode()
    assert (await door.post(payload, kind=FORM))[0] == 200
    assert (await door.post(command, kind=f"{FORM}; charset=utf-8"))[0] == 200
    bodies = [body for body, _ in door.taken]
    assert bodies == [{"type": "block_actions"}, {"command": "/failing", "text": ""}]


@pytest.mark.parametrize(
    "at",
    [
        *("", "abc", "1795000000.5", "9" * 5000, "-1795000000", "+1795000000", " 1795000000"),
        *("1795000000 ", "1_795_000_000", "0x6afd", "1795000000\n", "\u0661\u0667\u0669\u0665"),
        *("1794999699", "1795000301", "0", "\udcff"),
    ],
)
async def test_a_timestamp_that_is_none_or_too_far_away_is_refused(door: Door, at: str) -> None:
    assert (await door.post(EVENT, at=at))[0] == 401
    assert door.taken == []


@pytest.mark.parametrize("at", ["1794999700", "1795000300"])
async def test_a_timestamp_at_the_edge_is_taken(door: Door, at: str) -> None:
    assert (await door.post(EVENT, at=at))[0] == 200


@pytest.mark.parametrize(
    "signature",
    [
        *("", "v0=", "v0=\u00e9", "v0=" + "a" * 64, "v0=" + "a" * 63, "v0=" + "a" * 100_000),
        *("v1=" + "a" * 64, "a" * 64, "v0=" + "g" * 64, "\udcff\udcfe", "v0 = " + "a" * 64),
    ],
)
async def test_a_signature_that_is_none_is_refused(door: Door, signature: str) -> None:
    assert (await door.post(EVENT, signature=signature))[0] == 401
    assert door.taken == []


async def test_a_right_signature_in_another_dress_is_refused(door: Door) -> None:
    right = sign(door.now, EVENT)
    for dressed in (right.upper(), "v0=" + right[3:].upper(), right.replace("v0=", "v1=")):
        assert (await door.post(EVENT, signature=dressed))[0] == 401
    assert (await door.post(EVENT, signature=sign(door.now, EVENT, "another")))[0] == 401


async def test_a_changed_body_is_refused(door: Door) -> None:
    signature = sign(door.now, EVENT)
    respaced = json.dumps(json.loads(EVENT)).encode()
    for body in (EVENT + b" ", respaced, b"\xff", b""):
        assert (await door.post(body, signature=signature))[0] == 401
    assert door.taken == []


@pytest.mark.parametrize("missing", [b"x-slack-request-timestamp", b"x-slack-signature"])
async def test_missing_and_doubled_headers_are_refused(door: Door, missing: bytes) -> None:
    at = door.now.encode()
    whole = [
        (b"x-slack-request-timestamp", at),
        (b"x-slack-signature", sign(door.now, EVENT).encode()),
    ]
    without = [header for header in whole if header[0] != missing]
    doubled = [*whole, next(header for header in whole if header[0] == missing)]
    assert (await door.send(EVENT, without))[0] == 401
    assert (await door.send(EVENT, doubled))[0] == 401
    assert (await door.send(EVENT, []))[0] == 401


async def test_an_exact_replay_is_answered_and_does_nothing(door: Door) -> None:
    assert (await door.post(EVENT))[0] == 200
    assert await door.post(EVENT) == (200, b"")
    assert len(door.taken) == 1


async def test_a_request_that_failed_may_come_again_as_it_was(door: Door) -> None:
    door.status = 500
    assert (await door.post(EVENT))[0] == 500
    door.status = 200
    assert (await door.post(EVENT))[0] == 200
    assert len(door.taken) == 2


async def test_a_signature_is_remembered_for_ten_minutes_only(door: Door) -> None:
    for _ in range(3):
        await door.post(EVENT)
        door.clock.advance(601)
    assert len(door.endpoint._signatures._answered) == 1


async def test_ssl_check_needs_a_signature_and_does_nothing(door: Door) -> None:
    body = b"ssl_check=1&token=x"
    assert (await door.post(body, kind=FORM, signature="v0=" + "0" * 64))[0] == 401
    assert await door.post(body, kind=FORM) == (200, b"")
    assert door.taken == []


async def test_the_url_is_verified_by_its_challenge(door: Door) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw"}).encode()
    status, answer = await door.post(body)
    assert (status, json.loads(answer)) == (200, {"challenge": "3eZbrw"})


async def test_twenty_megabytes_are_refused_unread_or_read(door: Door) -> None:
    huge = b" " * 20_000_000
    at, signature = door.now, "v0=" + "0" * 64
    told = [(b"content-length", b"20000000")]
    assert (await door.post(b"", at=at, signature=signature, more=told))[0] == 413
    assert (await door.post(huge, at=at, signature=signature))[0] == 413
    absurd = [(b"content-length", b"9" * 5000)]
    assert (await door.post(b"", at=at, signature=signature, more=absurd))[0] == 413


async def test_what_is_compressed_is_refused(door: Door) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    for encoding in (b"gzip", b"deflate", b"br", b"GZIP"):
        assert (await door.post(bomb, more=[(b"content-encoding", encoding)]))[0] == 415


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff\xfe", b"[]", b"null", b"{", b'"text"', b"[" * 100_000),
        b'{"n":' + b"1" * 5000 + b"}",
    ],
)
async def test_what_is_signed_and_still_no_payload_is_refused(door: Door, body: bytes) -> None:
    assert (await door.post(body))[0] == 400
    form = b"payload=" + body.hex().encode()
    assert (await door.post(form, kind=FORM))[0] in {200, 400}
    assert all(isinstance(taken, dict) for taken, _ in door.taken)


async def test_other_methods_are_refused(door: Door) -> None:
    assert (await door.post(EVENT, method="GET"))[0] == 405


async def test_before_the_bot_knows_itself_slack_is_asked_to_come_again(door: Door) -> None:
    door.endpoint.open(None)
    assert (await door.post(EVENT))[0] == 503
    assert (await door.post(b"{}", signature="v0=" + "0" * 64))[0] == 401


def test_an_empty_secret_is_refused_by_name() -> None:
    with pytest.raises(InvalidError) as refused:
        Signatures("  ", FrozenClock())
    assert refused.value.where == "SLACK_SIGNING_SECRET"


@given(at=st.binary(max_size=40), signature=st.binary(max_size=80), body=st.binary(max_size=80))
async def test_no_stranger_whatever_is_let_in(at: bytes, signature: bytes, body: bytes) -> None:
    door = Door()
    headers = [(b"x-slack-request-timestamp", at), (b"x-slack-signature", signature)]
    assert (await door.send(body, headers))[0] == 401
    assert door.taken == []
