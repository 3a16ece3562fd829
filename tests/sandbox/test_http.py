"""HTTP mode: signed events, interactivity and commands, with retries as Slack makes them."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Self

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from tests.sandbox.bots import Bot
from tests.sandbox.driver import Json, Workspace

from faultbook.sandbox.httpdoor import sign


def test_the_signature_is_slacks_own_worked_example() -> None:
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
        b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signature = sign(secret, "1531420618", body)
    assert signature == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


class Door:
    """A bare request URL that answers with the statuses it is given, then 200."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.statuses = list(statuses)
        self.headers = headers or {}
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _main(self) -> None:
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        app = web.Application()
        app.router.add_post("/slack/events", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append(({key.lower(): one for key, one in request.headers.items()}, body))
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers=self.headers)


@pytest.fixture
def door() -> Iterator[Door]:
    with Door(500, 404) as made:
        yield made


def test_events_are_signed_and_retried_with_reasons(slack: Workspace, door: Door) -> None:
    slack.options(bot_url=door.url, retry_delays=[0.02, 0.02, 0.02])
    slack.say("ana", "general", "@faultbook hi")
    slack.wait_for(lambda: len(door.requests) == 3)
    verifier = SignatureVerifier(slack.signing_secret)
    for headers, body in door.requests:
        assert verifier.is_valid_request(body, headers)
        assert headers["content-type"] == "application/json"
    tries = [
        (headers.get("x-slack-retry-num"), headers.get("x-slack-retry-reason"))
        for headers, _ in door.requests
    ]
    assert tries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({body for _, body in door.requests}) == 1
    slack.wait_for(lambda: not slack.deliveries()["unsettled"])


def test_no_retry_means_no_retry(slack: Workspace) -> None:
    with Door(500, headers={"x-slack-no-retry": "1"}) as door:
        slack.options(bot_url=door.url, retry_delays=[0.01])
        slack.say("ana", "general", "@faultbook hi")
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        assert len(door.requests) == 1


def test_a_bot_that_is_away_is_tried_again(slack: Workspace) -> None:
    with Door() as door:
        url = door.url
    slack.options(bot_url=url, retry_delays=[60])
    slack.say("ana", "general", "@faultbook hi")
    slack.wait_for(lambda: slack.wire("events_api")[-1].get("outcome") == "connection_failed")
    with Door() as door:
        slack.options(bot_url=door.url)
        assert slack.retry_now() == 1
        headers, _ = slack.wait_for(lambda: door.requests)[0]
        assert headers["x-slack-retry-reason"] == "connection_failed"


def test_bolt_in_http_mode_gets_events_clicks_commands_and_submissions(slack: Workspace) -> None:
    heard: list[str] = []
    view = {
        "type": "modal",
        "callback_id": "m",
        "title": {"type": "plain_text", "text": "T"},
        "submit": {"type": "plain_text", "text": "S"},
        "blocks": [
            {
                "type": "input",
                "block_id": "b",
                "label": {"type": "plain_text", "text": "L"},
                "element": {"type": "plain_text_input", "action_id": "a"},
            }
        ],
    }

    def setup(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def mention(event: Json, say: AsyncSay) -> None:
            await say(text="heard", thread_ts=event["ts"])

        @app.command("/failing")
        async def command(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
            await client.views_open(trigger_id=body["trigger_id"], view=view)
            await ack("here you are")

        @app.view("m")
        async def submitted(ack: AsyncAck) -> None:
            heard.append("submitted")
            await ack(response_action="errors", errors={"b": "no"})

        @app.action("go")
        async def clicked(ack: AsyncAck) -> None:
            heard.append("clicked")
            await ack()

    with Bot(slack, setup, http=True) as bot:
        slack.options(bot_url=bot.url)
        assert slack.post("verify_url")["verified"] is True
        ts = slack.say("ana", "general", "@faultbook hi")
        slack.wait_for(lambda: slack.from_bot("general", thread=ts))
        slack.slash("ana", "general", "/failing")
        assert slack.ephemerals("ana")[-1]["text"] == "here you are"
        assert slack.submit("ana", {"b": "x"})["errors"] == {"b": "no"}
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        blocks = [{"type": "actions", "elements": [button]}]
        posted = slack.api("chat.postMessage", channel="general", text="x", blocks=blocks)
        assert slack.click("ana", "general", posted["ts"], "go")["acked"]
        assert heard == ["submitted", "clicked"]
        slack.close_modal("ana")
