"""The courier against a Slack that refuses, stalls and forgets; its answers are scripted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.delivery.claimer import claimers_that_are_gone, name_claimer
from faultbook.delivery.slack.courier import Courier, CourierLimits
from faultbook.delivery.slack.pace import POSTING, Pace
from faultbook.delivery.slack.post import Post
from faultbook.delivery.slack.rendering import Renderer
from faultbook.model.answer import FailingQuery
from faultbook.model.notice import NewNotice
from faultbook.model.policy import Policy
from faultbook.operations.questions import Owed, ReplyTo, accept, owed_answer
from faultbook.store import notices as queue
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from faultbook.view.message import Message

Json = dict[str, Any]
Answer = Callable[[Json], Awaitable[web.StreamResponse]]


@dataclass
class ScriptedSlack:
    """Takes posts; each is answered by the next of a script, then kept."""

    script: list[Answer | Json] = field(default_factory=list)
    posts: list[Json] = field(default_factory=list)
    kept: list[Json] = field(default_factory=list)
    looks: int = 0
    url: str = ""

    async def post(self, request: web.Request) -> web.StreamResponse:
        body: Json = await request.json()
        self.posts.append(body)
        answer: Answer | Json = self.script.pop(0) if self.script else {"ok": True}
        if callable(answer):
            return await answer(body)
        if answer["ok"]:
            return web.json_response(self.keep(body))
        return web.json_response(answer)

    def keep(self, body: Json) -> Json:
        ts = f"{len(self.kept) + 1}.000000"
        self.kept.append({**body, "user": "UBOT", "ts": ts})
        return {"ok": True, "channel": body["channel"], "ts": ts}

    async def look(self, request: web.Request) -> web.Response:
        del request
        self.looks += 1
        return web.json_response({"ok": True, "messages": self.kept})


@pytest.fixture
async def slack() -> AsyncIterator[ScriptedSlack]:
    scripted = ScriptedSlack()
    app = web.Application()
    app.router.add_post("/chat.postMessage", scripted.post)
    app.router.add_get("/conversations.replies", scripted.look)
    app.router.add_get("/conversations.history", scripted.look)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield scripted
    await runner.cleanup()


@dataclass
class Office:
    """A courier at work."""

    store: Store
    courier: Courier
    slack: ScriptedSlack
    pace: Pace
    count: int = 0

    async def owe(self, channel: str = "C1", *, asked_here: bool = False) -> None:
        self.count += 1
        to = ReplyTo(channel, "U1", "1.1", "1.1", asked_here=asked_here)
        owed = owed_answer(to, FailingQuery())
        await self.store.write_async(accept, [f"{channel}:{self.count}"], owed)
        self.courier.wake(channel)

    async def rows(self) -> list[Any]:
        def read(tx: Transaction) -> list[Any]:
            return list(tx.execute(notices.select().order_by(notices.c.sequence)))

        return await self.store.read_async(read)

    async def until(self, holds: Callable[[list[Any]], bool], seconds: float = 20) -> list[Any]:
        end = time.monotonic() + seconds
        while not holds(rows := await self.rows()):
            assert time.monotonic() < end, [(row.state, row.attempts, row.error) for row in rows]
            await asyncio.sleep(0.01)
        return rows

    async def until_done(self) -> list[Any]:
        return await self.until(lambda rows: all(row.state != "owed" for row in rows))


@pytest.fixture
async def office(tmp_path: Path, slack: ScriptedSlack) -> AsyncIterator[Office]:
    store = open_store(sqlite_url(tmp_path))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        client = AsyncWebClient("xoxb-x", base_url=slack.url, session=session, retry_handlers=[])
        client.proxy = None
        pace = Pace(channel_seconds=0.0)
        limits = CourierLimits(attempts=3, attempt_seconds=2.0, lease_seconds=3.0)
        post = Post(client, pace, "UBOT")
        courier = Courier(store, Renderer(store, Policy()), post, pace, limits)
        await courier.start()
        yield Office(store, courier, slack, pace)
        await courier.stop(1.0)
    store.close()


async def test_a_message_goes_out_inert_and_with_its_notice(office: Office) -> None:
    await office.owe()
    row = (await office.until_done())[0]
    sent = office.slack.posts[0]
    assert sent["metadata"]["event_payload"] == {"notice_id": row.id}
    assert (sent["thread_ts"], sent["parse"]) == ("1.1", "none")
    assert not any(sent[name] for name in ("link_names", "unfurl_links", "unfurl_media"))
    assert row.receipt == {"channel": "C1", "ts": "1.000000"}
    assert office.slack.looks == 0  # a first attempt is not looked for


async def test_a_lost_answer_is_looked_for_and_not_repeated(office: Office) -> None:
    async def keep_then_stall(body: Json) -> web.StreamResponse:
        office.slack.keep(body)
        await asyncio.sleep(1)
        return web.json_response({})

    office.slack.script.append(keep_then_stall)
    await office.owe()
    row = (await office.until_done())[0]
    assert row.receipt == {"channel": "C1", "ts": "1.000000", "found": True}
    assert len(office.slack.kept) == 1


async def test_a_post_that_was_never_kept_is_made_again(office: Office) -> None:
    office.slack.script += [{"ok": False, "error": "internal_error"}]
    await office.owe()
    row = (await office.until_done())[0]
    assert (row.state, row.attempts, office.slack.looks) == ("settled", 2, 1)
    assert len(office.slack.kept) == 1


@pytest.mark.parametrize("code", ["channel_not_found", "is_archived", "not_in_channel"])
async def test_what_will_never_be_taken_is_given_up_at_once(office: Office, code: str) -> None:
    office.slack.script.append({"ok": False, "error": code})
    await office.owe()
    rows = await office.until_done()
    assert [(row.state, row.error) for row in rows] == [("dead", code)]
    assert len(office.slack.posts) == 1


async def test_who_asked_for_a_refused_post_is_told_directly(office: Office) -> None:
    office.slack.script.append({"ok": False, "error": "not_in_channel"})
    await office.owe(asked_here=True)
    rows = await office.until(lambda rows: len(rows) == 2 and rows[1].state == "settled")
    assert [row.kind for row in rows] == [Owed.FAILING, Owed.NOT_POSTED]
    assert office.slack.kept[0]["channel"] == "U1"
    assert "not_in_channel" in office.slack.kept[0]["text"]


async def test_blocks_that_are_refused_go_out_as_text(office: Office) -> None:
    office.slack.script.append({"ok": False, "error": "invalid_blocks"})
    await office.owe()
    row = (await office.until_done())[0]
    assert row.receipt["text_only"] is True
    assert "blocks" not in office.slack.kept[0]
    assert office.slack.kept[0]["text"]


async def test_after_its_attempts_a_message_is_given_up(office: Office) -> None:
    office.slack.script += [{"ok": False, "error": "fatal_error"}] * 3
    await office.owe()
    row = (await office.until_done())[0]
    assert (row.state, row.error, row.attempts) == ("dead", "fatal_error", 3)


async def test_a_refused_token_waits_and_loses_nothing(office: Office) -> None:
    office.slack.script.append({"ok": False, "error": "token_revoked"})
    await office.owe()
    row = (await office.until(lambda rows: rows[0].error is not None))[0]
    assert (row.state, row.attempts) == ("owed", 0)
    assert row.not_before - office.store.clock() > 50_000_000


async def test_too_many_requests_hold_the_channel_for_as_long_as_slack_says(
    office: Office,
) -> None:
    async def limited(_: Json) -> web.StreamResponse:
        return web.json_response(
            {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"}
        )

    office.slack.script.append(limited)
    await office.owe()
    began = time.monotonic()
    await office.until(lambda _: bool(office.slack.posts))
    await office.owe("C2")
    rows = await office.until_done()
    assert time.monotonic() - began >= 0.9
    assert [row.state for row in rows] == ["settled", "settled"]
    assert [post["channel"] for post in office.slack.posts] == ["C1", "C2", "C1"]


async def test_a_channels_messages_keep_their_order(office: Office) -> None:
    for _ in range(10):
        await office.owe()
    rows = await office.until_done()
    sent = [post["metadata"]["event_payload"]["notice_id"] for post in office.slack.posts]
    assert sent == [row.id for row in rows]


async def test_a_notice_that_can_not_be_read_holds_up_nothing(office: Office) -> None:
    to = {"channel": "C1", "user": "U1", "after": "1.1"}
    await office.store.write_async(queue.append, NewNotice("failing", "C1", {"no": "to"}))
    await office.store.write_async(queue.append, NewNotice("strange", "C2", {"to": to}))
    await office.owe("C3")
    rows = await office.until_done()
    assert [row.state for row in rows] == ["dead", "settled", "settled"]
    assert "Faultbook failed" in office.slack.kept[0]["text"] + office.slack.kept[1]["text"]


async def test_what_another_process_owes_is_found_within_a_second(office: Office) -> None:
    to = ReplyTo("C9", "U1", "1.1")
    await asyncio.sleep(0.1)
    await office.store.write_async(accept, ["other"], to.notice(Owed.HELP))  # nobody wakes it
    await office.until_done()
    assert office.slack.kept[0]["channel"] == "C9"


async def test_after_an_answer_it_looks_about_once_a_second_and_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.owe()
    await office.until_done()
    looks = 0
    next_due = queue.next_due

    def counted(tx: Transaction) -> Any:  # noqa: ANN401 - whatever the operation gives
        nonlocal looks
        looks += 1
        return next_due(tx)

    monkeypatch.setattr(queue, "next_due", counted)
    await asyncio.sleep(1.5)
    assert 1 <= looks <= 4


async def test_what_is_owed_to_a_channel_that_rests_costs_no_claim(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.owe()
    await office.until_done()
    office.pace.hold("C1", 60)
    claims = 0
    claim = queue.claim

    def counted(*asked: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the operation takes
        nonlocal claims
        claims += 1
        return claim(*asked, **more)

    monkeypatch.setattr(queue, "claim", counted)
    for _ in range(30):
        await office.owe()
        await asyncio.sleep(0.01)
    assert claims <= 2  # by the clock, at most
    office.pace.release("C1")


def test_a_bug_in_a_rendering_is_told_by_its_number(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Message:
        raise ZeroDivisionError

    monkeypatch.setattr("faultbook.delivery.slack.rendering.ask_failing", broken)
    owed = owed_answer(ReplyTo("C1", "U1", "1.1"), FailingQuery())
    message = Renderer(sqlite_store, Policy())(owed.kind, owed.payload)
    assert "Faultbook failed (E-" in message.text


def test_the_pace_is_a_message_a_second_and_a_tier_a_minute() -> None:
    now = [100.0]
    pace = Pace(1.0, {POSTING: 2}, clock=lambda: now[0])
    pace.posted("C1")
    assert pace.resting() == ["C1"]
    assert pace.next_ready() == pytest.approx(1.0)
    now[0] += 1.0
    assert pace.next_ready() is None  # what is over is nothing to wait for
    assert pace.resting() == []
    assert (pace.take(POSTING), pace.take(POSTING)) == (0.0, 0.0)
    assert pace.take(POSTING) == pytest.approx(30.0, abs=1.1)
    assert pace.next_ready() == pytest.approx(30.0, abs=1.1)
    now[0] += 30
    assert pace.take(POSTING) == 0.0


def test_only_claimers_of_this_machine_that_are_no_more_are_gone() -> None:
    mine = name_claimer()
    machine = mine.split("/", maxsplit=1)[0]
    dead = f"{machine}/999999999/aaaaaaaa"
    alive = f"{machine}/1/aaaaaaaa"
    names = [
        dead,
        alive,
        "another-host/999999999/aa",
        "odd",
        f"{machine}/x/aa",
        f"{machine}/{10**30}/a",
    ]
    assert claimers_that_are_gone(names) == [dead]
