"""Nothing that was answered is lost when the workspace or the bot is killed."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.bots import RawBot
from tests.sandbox.driver import Workspace


def test_killed_and_started_again_the_workspace_is_the_same(home: Path) -> None:
    slack = Workspace.start(home)
    ts = slack.say("ana", "general", "before")
    slack.say("ben", "general", "reply", thread=ts)
    slack.react("ben", "general", ts, "eyes")
    slack.new_channel("extra")
    metadata = {"event_type": "t", "event_payload": {"id": "1"}}
    slack.api("chat.postMessage", channel="extra", text="x", metadata=metadata)
    view = {"type": "home", "blocks": []}
    slack.api("views.publish", user_id=slack.user_id("ana"), view=view)
    before = (slack.messages("general"), slack.home_view("ana"), slack.environment)
    slack.kill()
    again = slack.restart()
    try:
        assert (again.messages("general"), again.home_view("ana"), again.environment) == before
        assert again.messages("extra")[0]["metadata"] == metadata
        thread = again.messages("general", thread=ts)
        assert [one["text"] for one in thread] == ["before", "reply"]
        assert again.say("ana", "general", "after") > ts
        replies = again.api("conversations.replies", channel=again.channel_id("general"), ts=ts)
        assert len(replies["messages"]) == 2
    finally:
        again.stop()


def test_an_unacknowledged_event_survives_the_kill_of_both_sides(home: Path) -> None:
    slack = Workspace.start(home)
    sent = slack.say("ana", "general", "@faultbook one")
    with RawBot(slack, acks=False) as bot:
        envelope = slack.wait_for(bot.envelopes)[0]
        waiting = slack.say("ana", "general", "@faultbook two")
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        slack.kill()
    again = slack.restart()
    try:
        with RawBot(again) as bot:
            again.wait_for(lambda: len(bot.envelopes()) == 2)
            redelivered = {one["payload"]["event"]["ts"]: one for one in bot.envelopes()}
            assert set(redelivered) == {sent, waiting}
            assert redelivered[sent]["payload"]["event_id"] == envelope["payload"]["event_id"]
            assert redelivered[sent]["retry_attempt"] == 1
            again.wait_for(lambda: not again.deliveries()["unsettled"])
    finally:
        again.stop()
    third = again.restart()
    assert third.deliveries()["unsettled"] == []
    third.stop()


def test_it_stops_cleanly_with_sockets_and_pages_open(home: Path) -> None:
    slack = Workspace.start(home)
    with RawBot(slack, acks=False):
        slack.say("ana", "general", "@faultbook hi")
        assert slack.stop() == 0


def test_the_ready_file_is_private_and_says_what_the_line_said(home: Path) -> None:
    with Workspace.start(home) as slack:
        path = home / "sandbox.json"
        assert json.loads(path.read_text()) == slack.ready
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "identity.json").stat().st_mode) == 0o600
        assert slack.ready["pid"] == slack.process.pid
        assert slack.bot_token.startswith("xoxb-")
        assert slack.app_token.startswith("xapp-")


def test_two_homes_have_nothing_in_common(tmp_path: Path) -> None:
    with Workspace.start(tmp_path / "a") as one, Workspace.start(tmp_path / "b") as two:
        same = {key for key in one.ready if one.ready[key] == two.ready[key]}
        assert same == set()


@pytest.mark.parametrize(
    ("file", "content"), [("identity.json", "{"), ("identity.json", '{"team_id": "T1"}')]
)
def test_a_damaged_home_is_named_in_the_error(home: Path, file: str, content: str) -> None:
    home.mkdir()
    (home / file).write_text(content)
    command = [sys.executable, "-m", "faultbook.sandbox", "--home", str(home), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert file in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_workspace_on_the_same_home_is_refused(home: Path) -> None:
    command = [sys.executable, "-m", "faultbook.sandbox", "--home", str(home), "--port", "0"]
    with Workspace.start(home):
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "another workspace is running" in done.stderr


def test_a_taken_port_is_an_error_in_words(home: Path, tmp_path: Path) -> None:
    with Workspace.start(tmp_path / "first") as slack:
        port = slack.page.rstrip("/").rpartition(":")[2]
        command = [sys.executable, "-m", "faultbook.sandbox", "--home", str(home), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_manifest_is_named_in_the_error(home: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.yaml"
    manifest.write_text("features: {}")
    command = [sys.executable, "-m", "faultbook.sandbox", "--home", str(home), "--port", "0"]
    command += ["--manifest", str(manifest)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert "m.yaml is no app manifest" in done.stderr


def test_the_command_is_cheap_to_import() -> None:
    script = (
        "import sys; import faultbook.sandbox.main;"
        "sys.exit(any(name in sys.modules for name in ('aiohttp', 'asyncio', 'pydantic')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
