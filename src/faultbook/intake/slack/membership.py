"""Who people are, as Slack says it now: who is still there, in which groups and channels.

An answer counts for a minute. What Slack doesn't say in time is unknown, never assumed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.errors import UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.payloads import Identity
from faultbook.intake.slack.people import called
from faultbook.model.approval_policy import (
    LOOKUP_FAILED,
    NOT_COUNTED,
    UNKNOWN_PERSON,
    ApprovalPolicy,
    Membership,
)
from faultbook.model.person import Person

LOOKUP_SECONDS = 1.5
"""Slack waits 3 s for an acknowledgement, and the decision has to be stored in that time too."""
KEPT_SECONDS = 60.0
_KEPT = 5000
_PAGES, _A_PAGE = 60, 1000
_NOT_CONFIRMED = f"Slack didn't confirm that you may decide, so {NOT_COUNTED}. Try again."
_NO_SUCH_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})
# People are in there though Slack doesn't show it to us: in a private channel without the bot.
_NOT_SHOWN = frozenset({"channel_not_found", "not_in_channel"})
_PROFILE_NAMES = (
    "display_name",
    "display_name_normalized",
    "real_name",
    "real_name_normalized",
)
_NO_SUCH_PERSON = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_OUTAGES = (SlackApiError, aiohttp.ClientError, OSError, TimeoutError)

Found: TypeAlias = Membership | frozenset[str]

log = structlog.get_logger("slack")


class _UnknownError(Exception):
    """Slack didn't say, or not in time."""


class _HiddenError(Exception):
    """A channel whose people Slack doesn't show to us."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel


def unconfirmed(person_id: str, words: str = _NOT_CONFIRMED) -> Membership:
    """Say that nothing is known of a person, so that they decide nothing now."""
    return Membership(person_id, is_active=False, why_not=words, why_code=LOOKUP_FAILED)


@dataclass(frozen=True, slots=True)
class _Kept:
    asking: "asyncio.Task[Found]"
    until: float


class MembershipLookup:
    """Asks Slack about people; one a bot.

    Args:
        client: to ask with.
        identity: who we are; None before Slack told.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        identity: Callable[[], Identity | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._identity = identity
        self._monotonic = monotonic
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def of(self, person_id: str, policies: Collection[ApprovalPolicy]) -> Membership:
        """Say what Slack knows of a person, as far as these policies need it; never raises.

        What goes on after the time that we may wait is there for the next click.
        """
        try:
            return await self._read(person_id, policies)
        except _HiddenError as hidden:
            words = f"I can't see who is in `{hidden.channel}`, so {NOT_COUNTED}."
            return unconfirmed(person_id, f"{words} Invite me there.")
        except _UnknownError:
            return unconfirmed(person_id)

    async def _read(self, person_id: str, policies: Collection[ApprovalPolicy]) -> Membership:
        """Read what Slack knows of a person; who may not decide at all is that in any place.

        Raises:
            _HiddenError: a channel that the policies name isn't shown to us.
            _UnknownError: Slack said nothing in time.
        """
        groups, channels = _named_in(policies)
        places = [*sorted(groups), *sorted(channels)]
        wanted = [self._ask("person", person_id, self._person)]
        wanted += [self._ask("group", one, self._group) for one in sorted(groups)]
        wanted += [self._ask("channel", one, self._channel) for one in sorted(channels)]
        if not all(one.done() for one in wanted):
            await asyncio.wait(wanted, timeout=LOOKUP_SECONDS)
        person, *members = (_result(one) for one in wanted)
        if not isinstance(person, Membership):
            raise _UnknownError
        if not person.is_active:
            return person
        hidden = next((one for one in members if isinstance(one, _HiddenError)), None)
        if hidden is not None:
            raise hidden
        known = [one for one in members if isinstance(one, frozenset)]
        if len(known) < len(members):
            raise _UnknownError
        within = {place for place, found in zip(places, known, strict=True) if person_id in found}
        return replace(person, groups=groups & within, channels=channels & within)

    async def __call__(
        self, people: Collection[Person], policies: Collection[ApprovalPolicy]
    ) -> Mapping[str, Membership]:
        """Say what Slack knows of people, by their ids, as far as these policies need it.

        Raises:
            UnavailableError: it can't be had now.
        """
        asked = [self._read(person.id, policies) for person in people]
        try:
            found = await asyncio.gather(*asked)
        except _HiddenError as hidden:
            raise UnavailableError(
                f"I can't see who is in `{hidden.channel}`, so nobody knows who may still decide.",
                code=LOOKUP_FAILED,
                next_step="Invite me there.",
                retry_after=5.0,
            ) from None
        except _UnknownError:
            raise UnavailableError(
                "Slack didn't say who may still decide.",
                code=LOOKUP_FAILED,
                next_step="Try again in a moment.",
                retry_after=5.0,
            ) from None
        return {one.person_id: one for one in found}

    def _ask(
        self, kind: str, key: str, ask: Callable[[str], Awaitable[Found]]
    ) -> "asyncio.Task[Found]":
        """Ask, unless somebody else has or does: one question however many wait for its answer."""
        now = self._monotonic()
        kept = self._kept.get((kind, key))
        if kept is not None and now < kept.until:
            return kept.asking
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        asking = asyncio.ensure_future(_asked(kind, key, ask))
        # From the moment of asking: the answer may be of that very moment.
        self._kept[(kind, key)] = _Kept(asking, now + KEPT_SECONDS)
        asking.add_done_callback(lambda done: self._forget_failed((kind, key), done))
        return asking

    def _forget_failed(self, key: tuple[str, str], done: "asyncio.Task[Found]") -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None and not isinstance(error, (*_OUTAGES, _HiddenError)):
            log.error("membership_not_read", of=key[0], exc_info=error)
        kept = self._kept.get(key)
        if (done.cancelled() or error is not None) and kept is not None and kept.asking is done:
            del self._kept[key]

    async def _person(self, person_id: str) -> Found:
        me = self._identity()
        if me is None:
            raise TimeoutError("Slack has not told yet who we are")
        try:
            answer = await self._client.users_info(user=person_id)
        except SlackApiError as error:
            if read_refusal(error.response).code not in _NO_SUCH_PERSON:
                raise
            return _gone(person_id, UNKNOWN_PERSON, "Slack doesn't know you")
        return _read_person(person_id, answer.get("user") or {}, me)

    async def _group(self, group: str) -> Found:
        try:
            answer = await self._client.usergroups_users_list(usergroup=group)
        except SlackApiError as error:
            if not _not_found(error, group, _NO_SUCH_GROUP):
                raise
            return frozenset()
        return frozenset(str(one) for one in answer.get("users") or ())

    async def _channel(self, channel: str) -> Found:
        members: set[str] = set()
        cursor = ""
        for _ in range(_PAGES):
            try:
                page = await self._client.conversations_members(
                    channel=channel, limit=_A_PAGE, cursor=cursor or None
                )
            except SlackApiError as error:
                if not _not_found(error, channel, _NOT_SHOWN):
                    raise
                raise _HiddenError(channel) from None
            members.update(str(one) for one in page.get("members") or ())
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return frozenset(members)
        raise TimeoutError(f"{channel} has more people than can be asked about")


async def _asked(kind: str, key: str, ask: Callable[[str], Awaitable[Found]]) -> Found:
    try:
        return await ask(key)
    except _OUTAGES as error:
        why = type(error).__name__
        if isinstance(error, SlackApiError):
            why = read_refusal(error.response).words
        log.warning("membership_not_read", of=kind, key=redact(key), why=redact(why))
        raise


def _named_in(policies: Collection[ApprovalPolicy]) -> tuple[frozenset[str], frozenset[str]]:
    voters = [threshold.voters for policy in policies for threshold in policy.thresholds]
    voters += [policy.break_glass for policy in policies]
    groups = frozenset(one for told in voters for one in told.groups)
    return groups, frozenset(one for told in voters for one in told.channels)


def _result(asking: "asyncio.Task[Found]") -> Found | _HiddenError | None:
    """Give what was answered, or the channel that isn't shown; None for anything else."""
    if not asking.done() or asking.cancelled():
        return None
    error = asking.exception()
    if error is None:
        return asking.result()
    return error if isinstance(error, _HiddenError) else None


def _not_found(error: SlackApiError, place: str, codes: frozenset[str]) -> bool:
    """Tell whether Slack knows of no such place of a policy, or doesn't show it to us."""
    code = read_refusal(error.response).code
    if code not in codes:
        return False
    log.warning("place_of_a_policy_not_found", place=redact(place), why=redact(code))
    return True


def _read_person(person_id: str, told: dict[str, Any], me: Identity) -> Membership:
    """Tell who may decide at all: people of this workspace who are in it in full."""
    for holds, code, words in (
        (bool(told.get("deleted")), "deactivated", "Your account is deactivated"),
        (_is_bot(person_id, told, me), "bot", "Bots decide nothing"),
        (_is_guest(told), "guest", "Guests decide nothing here"),
        (_is_outside(told, me), "external", "People of other workspaces decide nothing here"),
    ):
        if holds:
            return _gone(person_id, code, words)
    return Membership(person_id, name=called(told), aliases=_names(told))


def _names(told: dict[str, Any]) -> frozenset[str]:
    """Give every name that Slack shows of a person; any may stand in a token as its owner."""
    profile = told.get("profile") or {}
    found = [told.get("name"), told.get("real_name")]
    found += [profile.get(one) for one in _PROFILE_NAMES]
    return frozenset(str(one) for one in found if one)


def _gone(person_id: str, code: str, words: str) -> Membership:
    said = f"{words}, so {NOT_COUNTED}."
    return Membership(person_id, is_active=False, why_not=said, why_code=code)


def _is_bot(person_id: str, told: dict[str, Any], me: Identity) -> bool:
    return bool(told.get("is_bot")) or person_id in {me.bot_user_id, "USLACKBOT"}


def _is_guest(told: dict[str, Any]) -> bool:
    return bool(told.get("is_restricted")) or bool(told.get("is_ultra_restricted"))


def _is_outside(told: dict[str, Any], me: Identity) -> bool:
    """Tell who came by a shared channel; workspaces of one organization are one house."""
    team = told.get("team_id")
    ours = bool(me.enterprise_id) and (
        (told.get("enterprise_user") or {}).get("enterprise_id") == me.enterprise_id
    )
    return bool(told.get("is_stranger")) or bool(team and team != me.team_id and not ours)
