"""Other sites can neither act nor read here, and limits hold when they are on."""

import json
from pathlib import Path

import httpx
import pytest
from tests.sandbox.driver import Workspace


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8031"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_and_rebound_names_are_refused(
    slack: Workspace, headers: dict[str, str]
) -> None:
    for path in ("", "_control/state", "_control/stream", "api/auth.test"):
        assert httpx.get(slack.page + path, headers=headers).status_code == 403


def test_acting_takes_json_only_so_that_no_form_can_do_it(slack: Workspace) -> None:
    body = json.dumps({"user": "ana", "channel": "general", "text": "x"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = httpx.post(
            f"{slack.page}_control/say", content=body, headers={"Content-Type": kind}
        )
        assert response.status_code == 403


def test_the_page_allows_nothing_from_elsewhere(slack: Workspace) -> None:
    response = httpx.get(slack.page)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    folder = Path(__file__).parents[2] / "src/faultbook/sandbox/page"
    for file in folder.glob("*"):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text
        assert 'src="http' not in text
        served = httpx.get(f"{slack.page}page/{file.name}")
        assert served.status_code == 200


@pytest.mark.parametrize("path", ["page/../server.py", "page/%2e%2e%2fserver.py", "page/..%2f"])
def test_only_the_pages_own_files_are_served(slack: Workspace, path: str) -> None:
    assert httpx.get(slack.page + path).status_code == 404


def test_no_token_is_shown_on_the_page_or_in_the_wire_log(slack: Workspace) -> None:
    slack.api("auth.test", note=slack.bot_token)
    slack.api("auth.test", token="", token_=slack.app_token)
    everything = json.dumps([slack.get("state"), slack.wire(), slack.get("options")])
    assert slack.bot_token not in everything
    assert slack.app_token not in everything
    assert slack.signing_secret not in everything


def test_unknown_acts_options_and_looks_are_named(slack: Workspace) -> None:
    answer = httpx.post(f"{slack.page}_control/dance", json={})
    assert answer.status_code == 400
    assert "say" in answer.json()["known"]
    answer = httpx.post(f"{slack.page}_control/options", json={"ack_secs": 1})
    assert "ack_seconds" in answer.text
    answer = httpx.post(f"{slack.page}_control/options", json={"ack_seconds": "soon"})
    assert "wrong type" in answer.text
    assert httpx.get(f"{slack.page}_control/nothing").status_code == 404


def test_posting_to_a_channel_is_paced_with_a_short_burst(slack: Workspace) -> None:
    slack.new_channel("busy")
    slack.options(rate_limits=True)
    answers = [slack.api("chat.postMessage", channel="busy", text="x") for _ in range(6)]
    assert [one["ok"] for one in answers] == [True] * 4 + [False] * 2
    assert answers[-1]["error"] == "ratelimited"
    assert slack.api("chat.postMessage", channel="general", text="x")["ok"]
    slack.advance(1.1)
    assert slack.api("chat.postMessage", channel="busy", text="x")["ok"]


def test_a_method_tier_is_used_up_and_comes_back(slack: Workspace) -> None:
    slack.options(rate_limits=True)
    answers = [slack.api("usergroups.list") for _ in range(21)]
    assert [one["ok"] for one in answers].count(False) == 1
    assert answers[-1]["error"] == "ratelimited"
    slack.advance(3.1)
    assert slack.api("usergroups.list")["ok"]
