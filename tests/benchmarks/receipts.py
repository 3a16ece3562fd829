"""A task's receipt: from the message that the bot is sent to the reaction that it sets.

Both times are the workspace's own, out of its wire log, so that nobody's polling is in them. The
floor is slack_sdk as anybody uses it, posting one message to the same server.
"""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from tests.benchmarks.servers import ROOT, up
from tests.sandbox.driver import Workspace

_TASKS = 40  # Slack takes 50 reactions a minute
_PAUSE = 0.25
_MUST = 2.0


def receipts(home: Path) -> list[str]:
    """Measure tasks one after the other, as people give them."""
    workspace = Workspace.start(home / "slack", manifest=ROOT / "templates/slack-manifest.yaml")
    try:
        (home / "bot").mkdir()
        with up(home / "bot", workspace) as server:
            workspace.options(bot_url=f"http://127.0.0.1:{server.port}/slack/events")
            bare = asyncio.run(_bare(workspace))
            taken = _given(workspace)
    finally:
        workspace.stop()
    ours, floor = statistics.median(taken), statistics.median(bare)
    return [
        (
            f"message to reaction p50 {ours:.2f} ms; a bare slack_sdk post {floor:.2f} ms:"
            f" {ours / floor:.2f} times that (must {_MUST:g})"
        )
    ]


async def _bare(workspace: Workspace) -> list[float]:
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    client.proxy = None
    channel = workspace.channel_id("ops")
    taken = []
    for number in range(_TASKS + 3):
        began = time.perf_counter()
        await client.chat_postMessage(channel=channel, text=f"message {number}")
        taken.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_PAUSE)
    return taken[3:]  # the first ones warm up


def _given(workspace: Workspace) -> list[float]:
    taken = []
    for number in range(_TASKS + 3):
        after = max((entry["n"] for entry in workspace.wire()), default=0)
        text = f"@faultbook export the invoices of run {number}"
        workspace.say("ana", "general", text)
        time.sleep(_PAUSE)
        entries = workspace.wire(after=after)
        sent = next(one for one in entries if _is_mention(one))
        reacted = next(one for one in entries if one["name"] == "reactions.add")
        # An event is noted before it is sent, a call once it is answered.
        taken.append((reacted["at"] - sent["at"]) * 1000)
    return taken[3:]


def _is_mention(entry: dict[str, Any]) -> bool:
    return entry["dir"] == "out" and "app_mention" in entry["body"]
