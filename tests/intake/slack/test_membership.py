"""Who people are: asked of Slack once a minute, of what policies name, and never assumed."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.errors import UnavailableError
from faultbook.intake.slack import membership
from faultbook.intake.slack.membership import KEPT_SECONDS, MembershipLookup
from faultbook.intake.slack.payloads import Identity
from faultbook.model.approval_policy import (
    LOOKUP_FAILED,
    ApprovalPolicy,
    Membership,
    Threshold,
    Voters,
)
from faultbook.model.person import Person

ME = Identity("T1", "UBOT", "B1", enterprise_id="E1")
BEN = Person("UBEN", "Ben")


def refusal(code: str) -> SlackApiError:
    return SlackApiError("refused", {"ok": False, "error": code})  # type: ignore[no-untyped-call]  # the SDK has no types here


@dataclass
class FakeSlack(AsyncWebClient):
    """Slack as far as memberships ask it; counts what it was asked."""

    people: dict[str, dict[str, Any]] = field(default_factory=lambda: {"UBEN": {}})
    groups: dict[str, list[str]] = field(default_factory=lambda: {"SFIN": ["UBEN"]})
    channels: dict[str, list[list[str]]] = field(
        default_factory=lambda: {"CFIN": [["UANA"], ["UBEN"]]}
    )
    asked: Counter[str] = field(default_factory=Counter)
    fails: dict[str, Exception] = field(default_factory=dict)
    gate: asyncio.Event | None = None

    async def _ask(self, method: str) -> None:
        self.asked[method] += 1
        if self.gate is not None:
            await self.gate.wait()
        if method in self.fails:
            raise self.fails[method]

    async def users_info(self, *, user: str, **_: Any) -> Any:  # noqa: ANN401 - Slack's answer
        await self._ask("users.info")
        if user not in self.people:
            raise refusal("user_not_found")
        return {"user": self.people[user]}

    async def usergroups_users_list(self, *, usergroup: str, **_: Any) -> Any:  # noqa: ANN401 - Slack's answer
        await self._ask("usergroups.users.list")
        if usergroup not in self.groups:
            raise refusal("no_such_subteam")
        return {"users": self.groups[usergroup]}

    async def conversations_members(
        self, *, channel: str, cursor: str | None = None, **_: object
    ) -> Any:  # noqa: ANN401 - Slack's answer
        await self._ask("conversations.members")
        if channel not in self.channels:
            raise refusal("channel_not_found")
        at, pages = int(cursor or 0), self.channels[channel]
        following = str(at + 1) if at + 1 < len(pages) else ""
        return {"members": pages[at], "response_metadata": {"next_cursor": following}}


@dataclass
class Watch:
    """Seconds that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def policy(*groups: str, channels: tuple[str, ...] = (), glass: str = "") -> ApprovalPolicy:
    voters = Voters(groups=frozenset(groups), channels=frozenset(channels))
    return ApprovalPolicy(
        "refund-prod",
        frozenset({"refund"}),
        (Threshold(voters),),
        break_glass=Voters(groups=frozenset({glass} - {""})),
    )


def lookup(slack: FakeSlack, watch: Watch | None = None) -> MembershipLookup:
    return MembershipLookup(slack, lambda: ME, watch or Watch())


async def test_whom_a_token_names_by_id_is_called_what_slack_calls_them() -> None:
    slack = FakeSlack()
    slack.people["UBEN"] = {"name": "ben", "profile": {"real_name": "Ben Okafor"}}
    assert (await lookup(slack).of("UBEN", [policy()])).name == "Ben Okafor"


async def test_every_name_that_slack_shows_of_a_person_is_known() -> None:
    slack = FakeSlack()
    profile = {"real_name": "Ben Okafor", "display_name": "Benny", "display_name_normalized": ""}
    slack.people["UBEN"] = {"name": "ben", "real_name": "Benjamin", "profile": profile}
    found = await lookup(slack).of("UBEN", [policy()])
    assert found.aliases == {"ben", "Benny", "Benjamin", "Ben Okafor"}


async def test_groups_and_channels_of_the_policy_are_asked_about_page_by_page() -> None:
    slack = FakeSlack()
    rule = policy("SFIN", channels=("CFIN",), glass="SGLASS")
    found = await lookup(slack).of("UBEN", [rule])
    assert found == Membership("UBEN", frozenset({"SFIN"}), frozenset({"CFIN"}))
    asked = {"users.info": 1, "usergroups.users.list": 2, "conversations.members": 2}
    assert slack.asked == asked  # SGLASS is no group of Slack's: nobody is in it
    slack.people["UANA"] = {}
    ana = await lookup(slack).of("UANA", [rule])
    assert (ana.groups, ana.channels) == (frozenset(), frozenset({"CFIN"}))


async def test_an_answer_counts_for_a_minute_and_many_who_wait_ask_once() -> None:
    slack, watch = FakeSlack(), Watch()
    asking = lookup(slack, watch=watch)
    rule = policy("SFIN")
    await asyncio.gather(*(asking.of("UBEN", [rule]) for _ in range(40)))
    assert slack.asked == {"users.info": 1, "usergroups.users.list": 1}
    slack.people["UBEN"] = {"deleted": True}
    watch.now += KEPT_SECONDS - 1
    assert (await asking.of("UBEN", [rule])).is_active
    watch.now += 1
    assert (await asking.of("UBEN", [rule])).why_code == "deactivated"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"deleted": True}, "deactivated"),
        ({"is_bot": True}, "bot"),
        ({"is_restricted": True}, "guest"),
        ({"is_ultra_restricted": True}, "guest"),
        ({"is_stranger": True}, "external"),
        ({"team_id": "T2"}, "external"),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E2"}}, "external"),
        ({"team_id": "T2", "enterprise_user": {"enterprise_id": "E1"}}, ""),
        ({"team_id": "T1"}, ""),
    ],
)
async def test_who_is_not_in_the_workspace_in_full_decides_nothing(
    told: dict[str, Any], code: str
) -> None:
    found = await lookup(FakeSlack(people={"UBEN": told})).of("UBEN", [policy("SFIN")])
    assert (found.is_active, found.why_code) == (not code, code)
    assert found.why_not.endswith("so your decision did not count.") == bool(code)


async def test_the_bot_and_people_whom_slack_does_not_know_decide_nothing() -> None:
    slack = FakeSlack(people={"UBOT": {}})
    assert (await lookup(slack).of("UBOT", [policy("SFIN")])).why_code == "bot"
    assert (await lookup(slack).of("UWHO", [policy("SFIN")])).why_code == "unknown_person"


@pytest.mark.parametrize(
    "outage", [refusal("internal_error"), refusal("missing_scope"), TimeoutError(), OSError()]
)
@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list", "conversations.members"])
async def test_what_slack_does_not_say_is_unknown_and_asked_again(
    outage: Exception, method: str
) -> None:
    slack = FakeSlack(fails={method: outage})
    asking = lookup(slack)
    rule = policy("SFIN", channels=("CFIN",))
    found = await asking.of("UBEN", [rule])
    assert (found.is_active, found.why_code) == (False, LOOKUP_FAILED)
    assert found.why_not == (
        "Slack didn't confirm that you may decide, so your decision did not count. Try again."
    )
    slack.fails.clear()
    assert (await asking.of("UBEN", [rule])).is_active


async def test_before_slack_said_who_we_are_nobody_is_known() -> None:
    asking = MembershipLookup(FakeSlack(), lambda: None)
    assert (await asking.of("UBEN", [])).why_code == LOOKUP_FAILED


async def test_an_answer_that_takes_too_long_is_there_for_the_next_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(membership, "LOOKUP_SECONDS", 0.01)
    slack = FakeSlack(gate=asyncio.Event())
    asking = lookup(slack)
    assert (await asking.of("UBEN", [policy("SFIN")])).why_code == LOOKUP_FAILED
    assert slack.gate is not None
    slack.gate.set()
    monkeypatch.setattr(membership, "LOOKUP_SECONDS", 5.0)
    assert (await asking.of("UBEN", [policy("SFIN")])).is_active
    assert slack.asked == {"users.info": 1, "usergroups.users.list": 1}


async def test_a_channel_without_end_is_unknown() -> None:
    slack = FakeSlack(channels={"CFIN": [["UANA"]] * 100})
    found = await lookup(slack).of("UBEN", [policy(channels=("CFIN",))])
    assert found.why_code == LOOKUP_FAILED


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel"])
async def test_a_channel_that_slack_does_not_show_us_is_unknown_until_we_are_invited(
    code: str,
) -> None:
    slack = FakeSlack(fails={"conversations.members": refusal(code)})
    rule = policy("SFIN", channels=("CFIN",))
    asking = lookup(slack)
    found = await asking.of("UBEN", [rule])
    assert (found.is_active, found.why_code) == (False, LOOKUP_FAILED)
    assert found.why_not == (
        "I can't see who is in `CFIN`, so your decision did not count. Invite me there."
    )
    with pytest.raises(UnavailableError, match="I can't see who is in `CFIN`") as told:
        await asking([BEN], [rule])
    assert (told.value.code, told.value.next_step) == (LOOKUP_FAILED, "Invite me there.")
    assert (await asking.of("UBEN", [policy("SFIN")])).is_active  # nothing of the channel there
    assert (await asking([BEN], [policy("SFIN")]))["UBEN"].is_active  # nor here
    slack.fails.clear()
    assert (await asking.of("UBEN", [rule])).channels == {"CFIN"}


async def test_who_may_not_decide_at_all_is_told_that_whatever_is_hidden() -> None:
    slack = FakeSlack(people={"UBEN": {"deleted": True}}, groups={}, channels={})
    rule = policy("SFIN", channels=("CFIN",))
    asking = lookup(slack)
    assert (await asking.of("UBEN", [rule])).why_code == "deactivated"
    assert (await asking([BEN], [rule]))["UBEN"].why_code == "deactivated"


async def test_executors_learn_of_those_who_voted_or_that_nobody_knows() -> None:
    slack = FakeSlack()
    asking, rule = lookup(slack), policy("SFIN")
    assert await asking([BEN], [rule]) == {"UBEN": Membership("UBEN", frozenset({"SFIN"}))}
    slack.fails["users.info"] = OSError()
    with pytest.raises(UnavailableError, match="who may still decide"):
        await asking([Person("UANA", "Ana")], [rule])
