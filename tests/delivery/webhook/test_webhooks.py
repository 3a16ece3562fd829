"""Outcomes over HTTP: signed, tried again, and never sent to a private address."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from faultbook.base.clock import SECOND
from faultbook.delivery.webhook.post import NotTakenError, post
from faultbook.delivery.webhook.worker import WebhookLimits, WebhookWorker
from faultbook.model.approval import Approval, Decision, NewApproval
from faultbook.model.approval_policy import ApprovalPolicies, Membership
from faultbook.model.ballot import Ballot
from faultbook.model.notice import NoticeState
from faultbook.model.webhook import WebhookAddress
from faultbook.operations.approval_requests import check_action, request_approval
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.voting import vote
from faultbook.store import notices as queue
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.approving import AGENT, BEN, approve, ask, policies, policy, read
from tests.conftest import FrozenClock
from tests.delivery.receiver import Receiver, cut_off, receiving

SECRET = "0123456789abcdef-webhooks"
QUICK = WebhookLimits(attempts=3, attempt_seconds=2.0, backoff_seconds=(0.0,))


def owed(store: Store) -> list[tuple[str, str | None]]:
    """Give the state and the error of each outcome that was owed, in their order."""

    def found(tx: Transaction) -> list[tuple[str, str | None]]:
        ours = notices.c.target.like("webhooks/%")
        statement = select(notices.c.state, notices.c.error).where(ours)
        rows = tx.execute(statement.order_by(notices.c.sequence))
        return [(row.state, row.error) for row in rows]

    return store.read(found)


async def settled(store: Store, count: int = 1) -> list[tuple[str, str | None]]:
    async with asyncio.timeout(20):
        while True:
            found = owed(store)
            if len(found) >= count and all(state != NoticeState.OWED for state, _ in found):
                return found
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def delivering(
    store: Store, receiver: Receiver | None = None, limits: WebhookLimits = QUICK
) -> AsyncIterator[WebhookWorker]:
    rules = rules_for(receiver) if receiver else policies(policy())
    worker = WebhookWorker(store, rules, SECRET, limits)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def rules_for(receiver: Receiver) -> ApprovalPolicies:
    return policies(policy(), allow={receiver.place})


def denied(store: Store, rules: ApprovalPolicies, url: str) -> Approval:
    asked = ask(store, rules, webhook=url)
    known = Membership(BEN.id)
    ballot = Ballot(asked.number, BEN, Decision.DENY, known, reason="wrong customer")
    store.write(vote, ballot, rules)
    return read(store, asked.number)


async def test_a_denial_is_posted_typed_and_signed(store: Store, clock: FrozenClock) -> None:
    async with receiving() as receiver, delivering(store, receiver):
        asked = denied(store, rules_for(receiver), receiver.url)
        await receiver.wait_for(1)
        assert await settled(store) == [(NoticeState.SETTLED, None)]
    (got,) = receiver.received
    told: dict[str, Any] = json.loads(got.body)
    assert (told["id"], told["state"], told["decision"]) == (asked.id, "denied", "denied")
    assert (told["executed"], told["reason"]) == (False, "wrong customer")
    assert (told["decided_by"], told["digest"]) == ("Ben", asked.digest)
    at = clock() // SECOND
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert got.headers["Faultbook-Signature"] == f"t={at},v1={digest}"
    assert got.headers["Content-Type"] == "application/json"
    assert got.path == "/hook?x=1"


async def test_what_fails_is_tried_again_under_the_same_delivery_id(store: Store) -> None:
    async with receiving(500, cut_off, 204) as receiver, delivering(store, receiver):
        denied(store, rules_for(receiver), receiver.url)
        assert (await settled(store))[0][0] == NoticeState.SETTLED
    assert len(receiver.received) == 3
    assert len({got.headers["Faultbook-Delivery"] for got in receiver.received}) == 1


async def test_after_its_attempts_an_outcome_is_dead_and_kept(store: Store) -> None:
    async with receiving(500, 500, 302, 200) as receiver, delivering(store, receiver):
        denied(store, rules_for(receiver), receiver.url)
        assert await settled(store) == [(NoticeState.DEAD, "answered 302")]
    assert len(receiver.received) == 3


async def test_a_receiver_that_is_gone_for_good_is_not_asked_again(store: Store) -> None:
    async with receiving(410, 200) as receiver, delivering(store, receiver):
        denied(store, rules_for(receiver), receiver.url)
        assert await settled(store) == [(NoticeState.DEAD, "answered 410")]
    assert len(receiver.received) == 1


async def test_failed_attempts_are_further_and_further_apart(
    sqlite_store: Store, clock: FrozenClock
) -> None:
    limits = WebhookLimits(attempts=3, backoff_seconds=(10.0, 100.0))
    async with (
        receiving(500, 500, 200) as receiver,
        delivering(sqlite_store, receiver, limits),
    ):
        denied(sqlite_store, rules_for(receiver), receiver.url)
        for count, wait in ((1, 10), (2, 100)):
            await receiver.wait_for(count)
            due = clock() + wait * SECOND
            async with asyncio.timeout(20):
                while sqlite_store.read(queue.next_due, webhooks=True) != due:  # noqa: ASYNC110 - it ends with a write
                    await asyncio.sleep(0.02)
            clock.advance(wait)
        assert (await settled(sqlite_store))[0][0] == NoticeState.SETTLED


async def test_the_courier_is_not_given_what_goes_to_webhooks(store: Store) -> None:
    """And the other way round: the card that is owed too is none of the deliverer's."""
    denied(store, policies(policy()), "https://hooks.example.com/x")
    until = store.clock() + SECOND
    slacks = store.write(queue.claim, "courier", until, 10)
    ours = store.write(queue.claim, "deliverer", until, 10, webhooks=True)
    assert {notice.target for notice in slacks} == {"CAPPROVALS"}
    assert {notice.target for notice in ours} == {"webhooks/A-1"}


async def test_a_claim_of_a_process_that_died_is_delivered_when_it_runs_out(
    store: Store, clock: FrozenClock
) -> None:
    async with receiving() as receiver:
        denied(store, rules_for(receiver), receiver.url)
        until = clock() + 20 * SECOND
        assert store.write(queue.claim, "elsewhere/1/abc", until, 1, webhooks=True)
        clock.advance(21)
        async with delivering(store, receiver):
            await receiver.wait_for(1)
            assert (await settled(store))[0][0] == NoticeState.SETTLED


async def test_a_name_that_leads_to_a_private_address_is_never_connected_to(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rebound(*_args: object) -> list[tuple[Any, ...]]:
        found = [("93.184.216.34", 443), ("169.254.169.254", 443)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in found]

    monkeypatch.setattr("faultbook.delivery.webhook.post._lookup", rebound)
    async with delivering(sqlite_store):
        denied(sqlite_store, policies(policy()), "https://hooks.example.com/x")
        found = await settled(sqlite_store)
    assert found == [(NoticeState.DEAD, "its host is not on the public internet")]


async def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name is asked for once; what it says afterwards leads nowhere."""
    asked: list[object] = []
    async with receiving() as receiver:
        port = int(receiver.place.rpartition(":")[2])

        async def resolve(host: object, *_args: object) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr("faultbook.delivery.webhook.post._lookup", resolve)
        address = WebhookAddress("http", "hooks.example.com", port, "/x", is_allowed=True)
        assert await post(address, b"{}", {}) == 200
    assert asked == ["hooks.example.com"]
    assert receiver.received[0].headers["Host"] == f"hooks.example.com:{port}"


async def test_over_tls_the_name_is_told_and_checked_not_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hello: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.append(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def resolve(*_args: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("faultbook.delivery.webhook.post._lookup", resolve)
    address = WebhookAddress("https", "hooks.example.com", port, "/x", is_allowed=True)
    with pytest.raises(NotTakenError):
        await post(address, b"secret-of-ours", {})
    server.close()
    assert b"hooks.example.com" in hello[0]
    assert b"secret-of-ours" not in hello[0]


async def test_a_host_that_nobody_knows_is_a_failed_attempt() -> None:
    address = WebhookAddress("https", "nowhere.invalid", 443, "/", is_allowed=False)
    with pytest.raises(NotTakenError) as failed:
        await post(address, b"{}", {})
    assert not failed.value.permanent


@pytest.mark.parametrize(
    ("url", "code"),
    [("https://169.254.169.254/x", "bad_webhook"), ("http://a.example/", "bad_webhook")],
)
def test_an_address_that_is_plainly_private_is_refused_when_it_is_asked_for(
    store: Store, url: str, code: str
) -> None:
    assert refusal(store, policies(policy()), url).error.code == code


def test_without_a_secret_no_webhook_is_taken(store: Store) -> None:
    rules = ApprovalPolicies((policy(),), webhooks=None)
    found = refusal(store, rules, "https://hooks.example.com/x")
    assert found.error.code == "no_webhooks"
    assert "FAULTBOOK_WEBHOOK_SECRET" in found.error.next_step


def refusal(store: Store, rules: ApprovalPolicies, url: str) -> Refusal:
    action = check_action("refund", "order 17", "production", {"amount": "1"})
    new = NewApproval(action, "why", "1", AGENT, "UANA", webhook=url)
    found = store.write(request_approval, new, rules)
    assert isinstance(found, Refusal)
    return found


async def test_an_approval_is_told_too_and_a_restart_loses_nothing(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "home")
    async with receiving(500, 200) as receiver:
        store = open_store(url)
        rules = rules_for(receiver)
        limits = WebhookLimits(backoff_seconds=(0.2,))
        async with delivering(store, receiver, limits):
            asked = ask(store, rules, webhook=receiver.url)
            approve(store, rules, asked.number)
            await receiver.wait_for(1)
        store.close()
        store = open_store(url)
        async with delivering(store, receiver, limits):
            await receiver.wait_for(2)
            assert (await settled(store))[0][0] == NoticeState.SETTLED
        store.close()
    told = json.loads(receiver.received[1].body)
    assert (told["state"], told["decision"], told["executed"]) == ("approved", "approved", False)
