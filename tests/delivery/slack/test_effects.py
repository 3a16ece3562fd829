"""Cards and reactions against a Slack that forgets, refuses and loses answers; it is scripted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.clock import MINUTE
from faultbook.delivery.slack.courier import Courier, CourierLimits
from faultbook.delivery.slack.effects import task_effects
from faultbook.delivery.slack.pace import REACTING, UNREACTING, UPDATING, Pace
from faultbook.delivery.slack.post import Post
from faultbook.delivery.slack.reactions import Reactions
from faultbook.delivery.slack.rendering import Renderer
from faultbook.delivery.slack.rendering_tasks import TaskRenderer
from faultbook.model.notice import NewNotice, Priority
from faultbook.model.policy import Policy
from faultbook.model.task import Task
from faultbook.model.verdict import Verdict
from faultbook.operations.tasks import cancel_task, find_task, retry_task
from faultbook.operations.work import report_progress
from faultbook.store import notices as queue
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.task_desk import AGENT, ANA, TaskDesk

Json = dict[str, Any]
MESSAGE = "1795000000.000001"


@dataclass
class ReactingSlack:
    """Keeps messages and reactions; a script answers the calls of a method first.

    Attributes:
        script: for each method, errors to answer with; an empty one stands for an answer that is
            lost after the call took effect.
    """

    script: dict[str, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, Json]] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    reactions: set[str] = field(default_factory=set)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        method = request.path.strip("/")
        is_json = request.content_type == "application/json"
        body: Json = dict(await request.json()) if is_json else dict(await request.post())
        body |= dict(request.query)
        self.calls.append((method, body))
        scripted = self.script.get(method)
        error = scripted.pop(0) if scripted else None
        if error:
            return web.json_response({"ok": False, "error": error})
        answer = self.act(method, body)
        if error == "":
            await asyncio.sleep(1)  # the client gives up before
        return web.json_response(answer)

    def act(self, method: str, body: Json) -> Json:
        if method == "chat.postMessage":
            ts = f"{len(self.messages) + 1}.000000"
            self.messages[ts] = {**body, "user": "UBOT", "ts": ts}
            return {"ok": True, "channel": body["channel"], "ts": ts}
        if method == "chat.update":
            if body["ts"] not in self.messages:
                return {"ok": False, "error": "message_not_found"}
            self.messages[body["ts"]] |= body
            return {"ok": True, "channel": body["channel"], "ts": body["ts"]}
        if method == "conversations.replies":
            return {"ok": True, "messages": list(self.messages.values())}
        return self.react(method, str(body["name"]))

    def react(self, method: str, name: str) -> Json:
        if (method == "reactions.add") == (name in self.reactions):
            wrong = "already_reacted" if name in self.reactions else "no_reaction"
            return {"ok": False, "error": wrong}
        self.reactions ^= {name}
        return {"ok": True}

    def made(self, method: str) -> list[Json]:
        return [body for name, body in self.calls if name == method]


@pytest.fixture
async def slack() -> AsyncIterator[ReactingSlack]:
    scripted = ReactingSlack()
    app = web.Application()
    app.router.add_route("*", "/{method:.*}", scripted.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    scripted.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield scripted
    await runner.cleanup()


@dataclass
class Office:
    """A courier at work on the tasks of a desk."""

    desk: TaskDesk
    slack: ReactingSlack
    courier: Courier
    pace: Pace

    @property
    def store(self) -> Store:
        return self.desk.store

    def task(self) -> Task:
        return self.store.read(find_task, 1)

    def rows(self) -> list[Any]:
        def read(tx: Transaction) -> list[Any]:
            return list(tx.execute(notices.select().order_by(notices.c.sequence)))

        return self.store.read(read)

    async def until(self, holds: Callable[[], bool], limit: float = 15) -> None:
        end = time.monotonic() + limit
        while not await asyncio.to_thread(holds):
            owed = [(row.kind, row.state, row.attempts, row.error) for row in self.rows()]
            assert time.monotonic() < end, (owed, self.slack.calls)
            await asyncio.sleep(0.02)

    async def shown(self) -> Task:
        """Wait until Slack shows the task as it is."""
        await self.until(lambda: all(row.state != "owed" for row in self.rows()))
        task = self.task()
        assert task.painted == task.revision
        return task

    def card(self) -> Json:
        [card] = self.slack.messages.values()
        return card


@pytest.fixture
async def office(tmp_path: Path, slack: ReactingSlack) -> AsyncIterator[Office]:
    store = open_store(sqlite_url(tmp_path))
    desk = TaskDesk(store)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:
        client = AsyncWebClient("xoxb-x", base_url=slack.url, session=session, retry_handlers=[])
        client.proxy = None
        pace = Pace(channel_seconds=0.0)
        post = Post(client, pace, "UBOT")
        paint = TaskRenderer(store, desk.routes).card
        courier = Courier(
            store,
            Renderer(store, Policy(), routes=desk.routes),
            post,
            pace,
            CourierLimits(attempts=4, attempt_seconds=2.0, lease_seconds=3.0),
            effects=task_effects(store, paint, post, Reactions(client, pace)),
        )
        await courier.start()
        yield Office(desk, slack, courier, pace)
        await courier.stop(1.0)
    store.close()


def give(office: Office, text: str = "export November") -> Task:
    return office.desk.give(text)


async def test_a_task_has_its_reaction_and_its_card_at_once(
    monkeypatch: pytest.MonkeyPatch, office: Office
) -> None:
    monkeypatch.setattr("faultbook.delivery.slack.courier._POLL_SECONDS", 3600.0)
    await asyncio.sleep(1.1)  # its last look of its own is over
    give(office)
    task = await office.shown()
    assert (task.reaction, office.slack.reactions) == ("eyes", {"eyes"})
    assert task.card is not None
    card = office.card()
    assert (card["ts"], card["thread_ts"]) == (task.card.ts, task.origin.thread_ts)
    assert "Got it: T-1" in card["text"]
    [reacted] = office.slack.made("reactions.add")
    assert (reacted["channel"], reacted["timestamp"]) == (task.origin.channel, task.origin.ts)


async def test_a_receipt_is_claimed_by_the_commit_that_owes_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a claim of its own")

    monkeypatch.setattr(queue, "claim", never)
    give(office)
    await office.until(lambda: bool(office.slack.reactions and office.slack.messages))


async def test_receipts_that_can_not_go_at_once_are_let_go_and_go_in_their_turn(
    office: Office,
) -> None:
    tasks = await asyncio.gather(*(asyncio.to_thread(give, office) for _ in range(12)))
    await office.until(lambda: all(row.state == "settled" for row in office.rows()))
    assert len(office.slack.messages) == len(tasks)
    assert {row.attempts for row in office.rows()} == {1}


async def test_the_card_is_painted_in_place_inert_and_keeps_its_metadata(office: Office) -> None:
    give(office)
    await office.shown()
    posted = office.card()["metadata"]
    office.store.write(cancel_task, 1, ANA)
    task = await office.shown()
    [update] = office.slack.made("chat.update")
    assert (update["parse"], update["link_names"]) in {("none", False), ("none", 0)}
    assert "metadata" not in update
    assert update["blocks"]
    assert office.card()["metadata"] == posted
    assert "T-1 cancelled by Ana Ruiz" in office.card()["text"]
    assert (task.reaction, office.slack.reactions) == ("", set())


async def test_a_lost_answer_to_the_first_card_makes_no_second(office: Office) -> None:
    office.slack.script["chat.postMessage"] = [""]
    give(office)
    task = await office.shown()
    assert len(office.slack.messages) == 1
    assert task.card is not None
    assert task.card.ts == office.card()["ts"]


async def test_what_was_found_is_painted_as_the_task_is_now(office: Office) -> None:
    office.slack.script["chat.postMessage"] = [""]
    give(office)
    await office.until(lambda: bool(office.slack.messages))
    office.store.write(cancel_task, 1, ANA)
    await office.shown()
    assert "T-1 cancelled" in office.card()["text"]


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message"])
async def test_a_card_that_was_deleted_is_posted_anew(office: Office, error: str) -> None:
    give(office)
    first = await office.shown()
    office.slack.script["chat.update"] = [error]
    office.store.write(cancel_task, 1, ANA)
    task = await office.shown()
    assert len(office.slack.messages) == 2
    assert task.card is not None
    assert task.card != first.card
    assert "T-1 cancelled" in office.slack.messages[task.card.ts]["text"]


async def test_a_new_card_whose_answer_was_lost_is_found(office: Office) -> None:
    give(office)
    await office.shown()
    office.slack.messages.clear()
    office.slack.messages["0.1"] = {"ts": "0.1", "user": "U1"}
    office.slack.script["chat.postMessage"] = [""]
    office.store.write(cancel_task, 1, ANA)
    task = await office.shown()
    assert len(office.slack.messages) == 2
    assert task.card is not None
    assert "T-1 cancelled" in office.slack.messages[task.card.ts]["text"]


async def test_blocks_that_are_refused_are_painted_as_text(office: Office) -> None:
    give(office)
    await office.shown()
    office.slack.script["chat.update"] = ["invalid_blocks"]
    office.store.write(cancel_task, 1, ANA)
    await office.shown()
    assert "T-1 cancelled" in office.card()["text"]
    assert not office.card().get("blocks")


async def test_a_card_that_keeps_changing_is_painted_every_three_seconds_and_ends_at_once(
    office: Office,
) -> None:
    give(office)
    await office.shown()
    claimed = office.desk.claimed()
    assert claimed.lease is not None
    for page in range(20):
        office.store.write(report_progress, 1, claimed.lease.id, AGENT, f"page {page} of 20", 30.0)
        await asyncio.sleep(0.01)
    assert len(office.slack.made("chat.update")) == 0
    office.store.write(cancel_task, 1, ANA)
    await office.shown()
    [update] = office.slack.made("chat.update")
    assert "T-1 cancelled" in update["text"]


async def test_one_reaction_is_left_whatever_answers_are_lost(office: Office) -> None:
    office.slack.script["reactions.add"] = [""]
    give(office)
    await office.until(lambda: bool(office.slack.reactions))
    office.store.write(cancel_task, 1, ANA)  # the eyes are on the message, and nobody knows
    await office.shown()
    assert office.slack.reactions == set()
    office.store.write(retry_task, 1, ANA)
    await office.until(lambda: office.task().reaction == "eyes")
    assert office.slack.reactions == {"eyes"}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("reactions.add", "already_reacted"),
        ("reactions.add", "message_not_found"),
        ("reactions.remove", "no_reaction"),
    ],
)
async def test_a_reaction_that_is_as_it_shall_be_is_fine(
    office: Office, method: str, error: str
) -> None:
    office.slack.script[method] = [error]
    give(office)
    office.store.write(cancel_task, 1, ANA)
    await office.shown()
    assert all(row.state == "settled" for row in office.rows())


async def test_a_reaction_that_is_refused_for_good_is_a_dead_letter_until_one_is_set(
    office: Office,
) -> None:
    # Twice: where the card is posted after the first refusal, the reaction is owed once more.
    office.slack.script["reactions.add"] = ["no_access"] * 2
    give(office)
    await office.until(lambda: all(row.state != "owed" for row in office.rows()))
    assert office.store.read(queue.count_dead) >= 1
    office.desk.close(office.desk.claimed(), Verdict.FAILED)
    await office.until(lambda: office.slack.reactions == {"x"})
    await office.shown()
    assert office.store.read(queue.count_dead) == 0


async def test_reactions_and_repaints_do_not_wait_for_the_rest_of_a_channel(
    office: Office,
) -> None:
    task = give(office)
    await office.shown()
    office.pace.hold(task.origin.channel, 60)
    office.store.write(cancel_task, 1, ANA)
    await office.shown()
    assert office.slack.reactions == set()
    assert "T-1 cancelled" in office.card()["text"]


async def test_a_lane_whose_tier_is_used_up_waits_alone(office: Office) -> None:
    while not office.pace.take(UPDATING):
        pass
    assert office.pace.closed_lanes() == ["cards"]
    give(office)
    await office.until(lambda: bool(office.slack.messages and office.slack.reactions))
    office.store.write(cancel_task, 1, ANA)
    await office.until(lambda: not office.slack.reactions)
    await office.until(lambda: "cancelled" in office.card()["text"])


async def test_what_is_owed_elsewhere_is_left_to_who_delivers_it(office: Office) -> None:
    owed = NewNotice("approval.webhook", "webhooks/A-1", {"to": {}}, Priority.RECEIPT)
    await office.store.write_async(queue.append, owed)
    give(office)
    await office.until(lambda: bool(office.slack.messages))
    [left] = [row for row in office.rows() if row.target == "webhooks/A-1"]
    assert (left.state, left.attempts, left.claimed_by) == ("owed", 0, None)


def test_each_lane_has_a_tier_of_its_own() -> None:
    now = [100.0]
    pace = Pace(1.0, {REACTING: 2, UNREACTING: 1}, clock=lambda: now[0])
    assert (pace.room(), pace.closed_lanes(), pace.next_ready()) == (2, [], None)
    assert (pace.take(REACTING), pace.take(REACTING)) == (0.0, 0.0)
    assert (pace.closed_lanes(), pace.is_open("C1/reactions")) == (["reactions"], False)
    assert pace.is_open("C1")
    assert pace.is_open("C1/cards")
    assert pace.room() == 50  # what is closed limits no other lane
    assert pace.next_ready() == pytest.approx(30.0, abs=0.1)
    assert pace.take(UNREACTING) == 0.0
    assert pace.take(UNREACTING) == pytest.approx(60.0, abs=0.1)
    assert (pace.is_ours("C1"), pace.is_ours("C1/cards"), pace.is_ours("webhooks/A-1")) == (
        True,
        True,
        False,
    )


def test_claims_pass_over_the_lanes_that_are_closed(sqlite_store: Store) -> None:
    for target in ("C1", "C1/cards", "C1/reactions", "C2"):
        sqlite_store.write(queue.append, NewNotice("task.card", target, {"to": {}}))
    until = sqlite_store.clock() + MINUTE

    def claim(*closed: str) -> list[str]:
        found = sqlite_store.write(queue.claim, "me", until, 9, [], closed)
        return [notice.target for notice in found]

    assert claim("", "cards") == ["C1/reactions"]
    assert claim("cards") == ["C1", "C2"]
    assert claim() == ["C1/cards"]
