"""A bot that records what it is sent, and blocks and views to send it."""

import re
from typing import Any

from slack_bolt.async_app import AsyncApp
from tests.sandbox.driver import Json, Workspace

ANY = re.compile(".*", re.DOTALL)
USER = {"id", "username", "name", "team_id"}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str, **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


def actions(*elements: Json, block_id: str = "acts") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def entry(name: str, element: str = "plain_text_input", **more: object) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name),
        "element": {"type": element, "action_id": f"{name}_field", **more},
    }


def modal(callback_id: str, *blocks: Json, **more: object) -> Json:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("Title"),
        "submit": plain("Submit"),
        "private_metadata": "kept",
        "blocks": list(blocks),
        **more,
    }


OPTIONS = [{"text": plain("High"), "value": "high"}, {"text": plain("Low"), "value": "low"}]
SELECT = {"type": "static_select", "action_id": "severity", "options": OPTIONS}
RULE = modal("rule", entry("rule"), entry("note", multiline=True) | {"optional": True})


class Recorder:
    """A bot that records every payload and does what a test tells it to."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.ack: Json = {}
        self.open: Json | None = None
        self.push: Json | None = None
        self.respond: list[Json] = []
        self.error = ""

    def setup(self, app: AsyncApp) -> None:
        @app.middleware
        async def record(body: Json, next_: Any) -> None:  # noqa: ANN401 - Bolt passes a function
            if "event" not in body:
                self.bodies.append(body)
            await next_()

        async def act(ack: Any, body: Json, client: Any, respond: Any) -> None:  # noqa: ANN401 - Bolt's helpers
            view = {"trigger_id": body.get("trigger_id")}
            try:
                if self.open is not None:
                    await client.views_open(view=self.open, **view)
                if self.push is not None:
                    await client.views_push(view=self.push, **view)
            except Exception as error:  # noqa: BLE001 - a test looks at it
                self.error = str(error)
            await ack(**self.ack)
            for one in self.respond:
                await respond(**one)

        app.action(ANY)(act)
        app.view(ANY)(act)
        app.view_closed(ANY)(act)
        app.command(ANY)(act)
        app.shortcut(ANY)(act)
        app.event("app_home_opened")(_quiet)
        app.event("app_mention")(_quiet)
        app.event("message")(_quiet)

    def last(self, kind: str = "") -> Json:
        found = [one for one in self.bodies if not kind or one.get("type") == kind]
        return found[-1]


async def _quiet(event: Json) -> None:
    del event


def post(slack: Workspace, *blocks: Json, channel: str = "general", **more: Any) -> str:  # noqa: ANN401 - JSON of any kind
    answer = slack.api("chat.postMessage", channel=channel, text="x", blocks=list(blocks), **more)
    assert answer["ok"], answer
    return str(answer["ts"])
