"""Everything that Slack may send is acknowledged, whether we know it or not."""

import json
from dataclasses import dataclass, field

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.intake.slack.bolt import Dispatcher, Handlers
from faultbook.intake.slack.payloads import Identity, Json

ME = Identity("T1", "UBOT", "B1")


@dataclass
class Heard:
    """Handlers that keep what they are handed."""

    taken: list[tuple[str, Json, int]] = field(default_factory=list)
    answer: Json | None = None
    error: Exception | None = None

    def dispatcher(self) -> Dispatcher:
        async def event(body: Json, redelivery: int) -> None:
            self._take("event", body, redelivery)

        def taking(kind: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a handler
            async def handle(body: Json) -> Json | None:
                self._take(kind, body, 0)
                return self.answer

            return handle

        kinds = ("command", "click", "submission", "closing", "shortcut", "options")
        handlers = Handlers(event, *(taking(kind) for kind in kinds))
        return Dispatcher(AsyncWebClient("xoxb-x"), ME, handlers)

    def _take(self, kind: str, body: Json, redelivery: int) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append((kind, body, redelivery))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def event(kind: str, **fields: object) -> Json:
    inner = {"type": kind, "user": "U1", "channel": "C1", **fields}
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": inner}


def _view(callback_id: str) -> Json:
    return {"type": "modal", "callback_id": callback_id}


PAYLOADS: list[tuple[str, Json]] = [
    ("event", event("app_mention", text="hi")),
    ("event", event("message", subtype="message_changed")),
    ("event", event("message", channel_type="im", bot_id="B9")),
    ("event", event("something_new")),
    ("event", event("member_joined_channel", user="UBOT")),
    ("command", {"command": "/failing", "text": "", "user_id": "U1", "team_id": "T1"}),
    ("command", {"command": "/never heard\nof", "user_id": "U1", "team_id": "T1"}),
    ("click", {"type": "block_actions", "actions": [{"action_id": "x\ny"}], "user": {"id": "U1"}}),
    ("click", {"type": "block_actions", "actions": [{"action_id": ""}], "user": {"id": "U1"}}),
    ("click", {"type": "interactive_message", "callback_id": "old", "actions": [{"name": "a"}]}),
    ("submission", {"type": "view_submission", "view": _view(""), "user": {"id": "U1"}}),
    ("closing", {"type": "view_closed", "view": _view("x"), "user": {"id": "U1"}}),
    ("shortcut", {"type": "shortcut", "callback_id": "gone", "user": {"id": "U1"}}),
    ("shortcut", {"type": "message_action", "callback_id": "gone", "user": {"id": "U1"}}),
    ("options", {"type": "block_suggestion", "action_id": "x", "user": {"id": "U1"}}),
]


@pytest.mark.parametrize(("kind", "body"), PAYLOADS)
async def test_each_kind_finds_its_handler_and_is_acknowledged(
    heard: Heard, kind: str, body: Json
) -> None:
    status, _, answer = await heard.dispatcher()(body, {})
    assert (status, answer) == (200, "")
    assert heard.taken == [(kind, body, 0)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "app_rate_limited", "team_id": "T1"},
        {"type": "never_heard_of", "payload": []},
        {"type": "event_callback"},
    ],
)
async def test_what_no_listener_takes_is_acknowledged_too(heard: Heard, body: Json) -> None:
    assert (await heard.dispatcher()(body, {}))[0] == 200
    assert heard.taken == []


@pytest.mark.parametrize(
    "body",
    [
        {"type": "view_submission", "view": {}},
        {"type": "block_actions", "actions": [], "user": {"id": "U1"}},
        {"type": "block_actions", "actions": "x", "user": 7},
        {"type": "event_callback", "event": "text"},
        {"type": "event_callback", "event": {}, "team_id": 3, "authorizations": "x"},
    ],
)
async def test_what_has_an_odd_shape_breaks_nothing(heard: Heard, body: Json) -> None:
    status, _, _ = await heard.dispatcher()(body, {})
    assert status in {200, 400, 500}


async def test_a_redelivery_is_taken_like_a_first_delivery(heard: Heard) -> None:
    body = event("app_mention")
    for given, read in (("0", 0), ("3", 3), ("x", 0)):
        assert (await heard.dispatcher()(body, {"x-slack-retry-num": given}))[0] == 200
        assert heard.taken[-1] == ("event", body, read)


async def test_an_event_that_was_not_recorded_is_not_acknowledged(heard: Heard) -> None:
    heard.error = OSError("disk full")
    status, _, answer = await heard.dispatcher()(event("app_mention"), {})
    assert (status, answer) == (500, "")


async def test_an_answer_is_the_acknowledgements_body(heard: Heard) -> None:
    heard.answer = {"text": "1 failing", "response_type": "ephemeral"}
    command = {"command": "/failing", "user_id": "U1", "team_id": "T1"}
    status, kind, answer = await heard.dispatcher()(command, {})
    assert (status, json.loads(answer)) == (200, heard.answer)
    assert kind.startswith("application/json")
