"""Drives a local workspace from tests: starts it, acts as people, reads what they see.

    with Workspace.start(tmp_path / "slack") as slack:
        ts = slack.say("ana", "general", "@faultbook what's failing?")
        slack.wait_for(lambda: slack.messages("general", thread=ts)[1:])

People are named by `ana`, `ben`, `chris`, `gil` (a guest); channels by `general`, `ops`, `agents`,
or `dm` for the person's own conversation with the bot.
"""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

Json = dict[str, Any]
T = TypeVar("T")


class ControlError(Exception):
    """The workspace refused an act; `code` is its error code."""

    def __init__(self, answer: Json) -> None:
        super().__init__(json.dumps(answer))
        self.code = str(answer.get("error"))


class Workspace:
    """A running workspace process."""

    def __init__(self, home: Path, process: "subprocess.Popen[str]", ready: Json) -> None:
        self.home = home
        self.process = process
        self.ready = ready
        self.page: str = ready["page"]
        self.api_url: str = ready["api_url"]
        self.bot_token: str = ready["bot_token"]
        self.app_token: str = ready["app_token"]
        self.signing_secret: str = ready["signing_secret"]
        self.team_id: str = ready["team_id"]
        self.bot_user_id: str = ready["bot_user_id"]
        self._http = httpx.Client(base_url=self.page, timeout=30, trust_env=False)

    @classmethod
    def start(
        cls,
        home: Path,
        *,
        port: int = 0,
        bot_url: str = "",
        manifest: Path | None = None,
        rate_limits: bool = False,
    ) -> Self:
        """Starts a workspace and waits until it is ready; rate limits are off unless asked for."""
        command = [sys.executable, "-m", "faultbook.sandbox", "--home", str(home)]
        command += ["--port", str(port), "--bot-url", bot_url]
        command += ["--rate-limits" if rate_limits else "--no-rate-limits"]
        if manifest is not None:
            command += ["--manifest", str(manifest)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            process.stdout.close()
            raise RuntimeError(f"the workspace did not start: exit code {process.returncode}")
        return cls(home, process, json.loads(line))

    def restart(self, *, rate_limits: bool = False) -> "Workspace":
        """Starts the workspace again on the same home and port; use the returned one."""
        port = httpx.URL(self.page).port or 0
        return Workspace.start(self.home, port=port, rate_limits=rate_limits)

    def stop(self) -> int:
        """Stops it cleanly and gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kills it on the spot."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        self._http.close()
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        code = self.process.wait(timeout=30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The bot's Slack settings for Socket Mode."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_APP_TOKEN": self.app_token,
        }

    def post(self, act: str, **body: Any) -> Json:  # noqa: ANN401 - JSON of any kind
        """Calls any act of the control API; arguments that are None are left out."""
        given = {key: value for key, value in body.items() if value is not None}
        return self._read(self._http.post(f"_control/{act}", json=given))

    def get(self, look: str, **query: str) -> Json:
        """Calls any look of the control API."""
        return self._read(self._http.get(f"_control/{look}", params=query))

    @staticmethod
    def _read(response: httpx.Response) -> Json:
        answer: Json = response.json()
        if not answer.get("ok"):
            raise ControlError(answer)
        return answer

    def api(self, method: str, *, token: str | None = None, **args: Any) -> Json:  # noqa: ANN401 - JSON of any kind
        """Calls a Web API method as the bot would, and gives the answer as it is."""
        used = self.bot_token if token is None else token
        bearer = {"Authorization": f"Bearer {used}"} if used else {}
        response = self._http.post(f"api/{method}", json=args, headers=bearer)
        answer: Json = response.json()
        return answer

    def upload(self, user: str, name: str, content: bytes) -> str:
        """Uploads a file as a person and gives its id, for `say` and for a modal's file input."""
        encoded = base64.b64encode(content).decode()
        return str(self.post("upload", user=user, name=name, content=encoded)["file"]["id"])

    def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread: str | None = None,
        files: list[str] | None = None,
    ) -> str:
        """Posts as a person and gives the message's ts."""
        answer = self.post(
            "say", user=user, channel=channel, text=text, thread_ts=thread, files=files
        )
        return str(answer["ts"])

    def say_all(self, messages: list[Json]) -> list[str]:
        """Posts many messages in one go: dicts of user, channel, text and thread_ts."""
        return list(self.post("say_all", messages=messages)["ts"])

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Edits a person's own message."""
        self.post("edit", user=user, channel=channel, ts=ts, text=text)

    def delete(self, user: str, channel: str, ts: str) -> None:
        """Deletes a person's own message."""
        self.post("delete", user=user, channel=channel, ts=ts)

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Adds a person's reaction."""
        self.post("react", user=user, channel=channel, ts=ts, name=name)

    def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: object = None,
        values: Json | None = None,
        block_id: str | None = None,
    ) -> Json:
        """Uses an element of a message; `acked` tells whether the bot took it.

        For selects, pickers and inputs `value` is what was chosen: an option's value, an id, a
        date, a text, or a list of those.
        """
        return self.post(
            "click",
            user=user,
            channel=channel,
            ts=ts,
            action_id=action_id,
            value=value,
            values=values,
            block_id=block_id,
        )

    def click_view(
        self,
        user: str,
        action_id: str,
        *,
        view_id: str = "home",
        value: object = None,
        values: Json | None = None,
        block_id: str | None = None,
    ) -> Json:
        """Uses an element of App Home, or of the modal with that id."""
        return self.post(
            "click",
            user=user,
            view_id=view_id,
            action_id=action_id,
            value=value,
            values=values,
            block_id=block_id,
        )

    def submit(self, user: str, values: Json | None = None, view_id: str | None = None) -> Json:
        """Submits a person's top modal.

        Values are keyed by block id or action id. The answer's `outcome` is `closed`, `errors`,
        `updated`, `pushed`, `cleared` or `failed`.
        """
        return self.post("submit", user=user, values=values or {}, view_id=view_id)

    def close_modal(self, user: str, *, everything: bool = False) -> Json:
        """Closes a person's top modal, or all of them."""
        return self.post("close", user=user, all=everything)

    def slash(self, user: str, channel: str, command: str, text: str = "") -> Json:
        """Runs a slash command."""
        return self.post("slash", user=user, channel=channel, command=command, text=text)

    def shortcut(
        self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None
    ) -> Json:
        """Uses a shortcut, on a message if one is named."""
        return self.post("shortcut", user=user, callback_id=callback_id, channel=channel, ts=ts)

    def open_home(self, user: str, tab: str = "home") -> None:
        """Opens the app's Home (or its messages tab)."""
        self.post("open_home", user=user, tab=tab)

    def home_view(self, user: str) -> Json | None:
        """Gives the Home view the bot published for a person."""
        view: Json | None = self.get("views", user=user)["home"]
        return view

    def modals(self, user: str) -> list[Json]:
        """Lists a person's open modals, the top one last."""
        return list(self.get("views", user=user)["stack"])

    def modal_errors(self, user: str) -> Json:
        """Gives the field errors of a person's top modal, by block id."""
        seen = self.get("views", user=user)
        errors: Json = seen["errors"][seen["stack"][-1]["id"]] if seen["stack"] else {}
        return errors

    def messages(
        self, channel: str, thread: str | None = None, user: str | None = None
    ) -> list[Json]:
        """Lists a channel's messages (or a thread's, parent first), oldest first, with metadata.

        `user` is needed for `dm`.
        """
        query = {"channel": channel, "thread": thread, "user": user}
        found = self.get("messages", **{key: one for key, one in query.items() if one})
        return list(found["messages"])

    def from_bot(
        self, channel: str, thread: str | None = None, user: str | None = None
    ) -> list[Json]:
        """Lists only what the bot said."""
        said = self.messages(channel, thread, user)
        return [one for one in said if one.get("user") == self.bot_user_id]

    def ephemerals(self, user: str) -> list[Json]:
        """Lists what only this person sees, oldest first."""
        return list(self.get("ephemerals", user=user)["messages"])

    def wire(self, name: str = "", after: int = 0) -> list[Json]:
        """Reads the wire log: entries of one name (a method, an envelope type) or all."""
        return list(self.get("wire", name=name, after=str(after))["entries"])

    def deliveries(self) -> Json:
        """Tells which events are unsettled, and which were given up."""
        return self.get("deliveries")

    def new_channel(self, name: str, *, bot: bool = True, members: list[str] | None = None) -> str:
        """Makes a channel with everybody in it, and gives its id."""
        return str(self.post("new_channel", name=name, bot=bot, members=members)["id"])

    def new_user(self, name: str, *, guest: bool = False) -> str:
        """Makes a person with a conversation with the bot, and gives their id."""
        return str(self.post("new_user", name=name, guest=guest)["id"])

    def change_user(self, user: str, *, deleted: bool = False, guest: bool = False) -> None:
        """Deactivates a person, or makes them a guest; or neither."""
        self.post("change_user", user=user, deleted=deleted, guest=guest)

    def new_group(self, handle: str, users: list[str]) -> str:
        """Makes or changes a user group, and gives its id."""
        return str(self.post("new_group", handle=handle, users=users)["id"])

    def user_id(self, name: str) -> str:
        """Looks a person's id up."""
        users: dict[str, Json] = self.get("state")["users"]
        return next(key for key, one in users.items() if one["name"] == name)

    def channel_id(self, name: str, user: str = "") -> str:
        """Looks a channel's id up; with `dm`, the person's conversation with the bot."""
        state = self.get("state", user=user)
        if name == "dm":
            mine = self.user_id(user)
            return str(next(one["id"] for one in state["channels"] if one["user"] == mine))
        return str(next(one["id"] for one in state["channels"] if one["name"] == name))

    def fault(self, kind: str, **fields: Any) -> Json:  # noqa: ANN401 - JSON of any kind
        """Turns a fault switch on; see `faultbook.sandbox.faults`. `count=0` is until cleared."""
        if fields.get("count") == 0:
            fields["count"] = None
        return self._read(self._http.post("_control/fault", json={"kind": kind, **fields}))

    def clear_faults(self) -> None:
        """Turns all fault switches off."""
        self.post("clear_faults")

    def disconnect(self, reason: str = "refresh_requested", grace: float | None = None) -> int:
        """Sends the disconnect frame to every socket; an empty reason cuts the line."""
        return int(self.post("disconnect", reason=reason, grace=grace)["told"])

    def deafen(self) -> int:
        """Makes the open sockets deaf."""
        return int(self.post("deafen")["deaf"])

    def options(self, **changes: Any) -> Json:  # noqa: ANN401 - JSON of any kind
        """Changes options (retry_delays, ack_seconds, rate_limits, subscriptions, …)."""
        options: Json = self.post("options", **changes)["options"]
        return options

    def retry_now(self) -> int:
        """Makes every pending redelivery due at once; tells how many there were."""
        return int(self.post("retry_now")["hurried"])

    def forget_events(self) -> int:
        """Drops every unsettled event; tells how many there were."""
        return int(self.post("forget_events")["dropped"])

    def advance(self, seconds: float) -> None:
        """Moves the clock that trigger ids and response URLs live by."""
        self.post("advance", seconds=seconds)

    def connected(self) -> int:
        """Tells how many sockets the bot has open."""
        return int(self.get("state")["connected"])

    @staticmethod
    def wait_for(predicate: Callable[[], T], timeout: float = 20.0, every: float = 0.02) -> T:
        """Asks until the answer is true and gives it; fails with the last answer."""
        end = time.monotonic() + timeout
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"still {found!r} after {timeout} s")
            time.sleep(every)
