"""The sections under `[[policies]]`: who decides about which actions, and how many it takes.

A policy by which nobody could decide, or anybody, is refused when it is read.
"""

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from faultbook.base.settings_section import Section

_LONGEST_WAIT = 1_209_600  # 14 days


def _bound(value: object) -> object:
    if isinstance(value, float):
        raise ValueError('write decimals as strings: "120.50"')  # noqa: TRY004 - only ValueError is told by pydantic
    return value


def _user(value: str) -> str:
    if not value.strip() or value.strip() != value or value[0] in "@#<":
        raise ValueError(f"`{value}` is no person's id; Slack shows it in the profile: U…")
    return value


def _group(value: str) -> str:
    if not re.fullmatch(r"S[A-Z0-9]{1,30}", value):
        raise ValueError(f"`{value}` is no user group's id; Slack shows it in its details: S…")
    return value


def _channel(value: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]{1,30}", value):
        raise ValueError(f"`{value}` is no channel's id; Slack shows it in its details: C…")
    return value


Amount = Annotated[Decimal, BeforeValidator(_bound)]
UserId = Annotated[str, Field(max_length=200), AfterValidator(_user)]
GroupId = Annotated[str, AfterValidator(_group)]
ChannelId = Annotated[str, AfterValidator(_channel)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class VoterSettings(Section):
    """People, or members of user groups or channels, by Slack's ids."""

    users: list[UserId] = Field(default_factory=list)
    groups: list[GroupId] = Field(default_factory=list)
    channels: list[ChannelId] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not (self.users or self.groups or self.channels):
            raise ValueError("it names nobody: set `users`, `groups` or `channels`")
        return self


class ThresholdSettings(VoterSettings):
    """How many of whom decide."""

    approve: int = Field(default=1, ge=1, le=100)
    deny: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        people = len(set(self.users))
        most = max(self.approve, self.deny)
        if not self.groups and not self.channels and people < most:
            raise ValueError(f"it takes {most} to decide and names {people}")
        return self


class ExecutorSettings(Section):
    """How Faultbook runs an approved action itself."""

    command: list[str] = Field(default_factory=list)
    """A program with its arguments, run without a shell; the action comes as JSON on its stdin."""
    url: str | None = Field(default=None, pattern=r"^https?://[^\s/]+")
    """Posted to instead, with `Idempotency-Key` set to the digest."""
    probe: list[str] = Field(default_factory=list)
    """A command that says whether it has happened: exit 0 yes, 1 no."""
    idempotent: bool = False
    timeout_seconds: float = Field(default=60, gt=0, le=86_400)

    @field_validator("command", "probe")
    @classmethod
    def _names_a_program(cls, command: list[str]) -> list[str]:
        if command and not command[0].strip():
            raise ValueError("its first part is a program's name or path")
        return command

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("set either `command` or `url`")
        return self


class PolicySettings(Section):
    """Who decides about the actions that fit; the first policy that fits holds."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")
    kinds: list[Name] = Field(min_length=1)
    environments: list[Name] = Field(default_factory=list)
    """Any where left out."""
    amount_field: str | None = Field(default=None, min_length=1, max_length=200)
    """The parameter that the bounds are about; an amount that can't be read fits none."""
    amount_from: Amount | None = None
    amount_below: Amount | None = None
    thresholds: list[ThresholdSettings] = Field(default_factory=list)
    """Alternatives; the first that is met decides."""
    prevent_self_review: bool = True
    ttl_seconds: float = Field(default=3600, ge=1, le=_LONGEST_WAIT)
    max_ttl_seconds: float = Field(default=86_400, ge=1, le=_LONGEST_WAIT)
    """The most that a request may wait, and for how long an approval stays good."""
    reason_to_approve: bool = False
    reason_to_deny: bool = False
    per_hour: int = Field(default=60, ge=1)
    """How many requests an agent may make."""
    loop_seconds: float = Field(default=600, ge=0, le=_LONGEST_WAIT)
    """For how long the same denied action is denied again without asking."""
    high_risk: bool = False
    """Slack asks once more before it sends the click."""
    channel: ChannelId | None = None
    """Where the card is posted; the task's thread where left out."""
    mention: GroupId | None = None
    """The user group that is mentioned, once."""
    grant_seconds: float = Field(default=300, ge=1, le=86_400)
    """How long whoever executes has to report."""
    break_glass: VoterSettings | None = None
    """Who may approve without voters, in an emergency; `channel` is told loudly."""
    executor: ExecutorSettings | None = None

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        low, high = self.amount_from, self.amount_below
        if self.amount_field is None and (low is not None or high is not None):
            raise ValueError("bounds need `amount_field`, the parameter they are about")
        if self.amount_field is not None and low is None and high is None:
            raise ValueError("`amount_field` needs `amount_from` or `amount_below`")
        if low is not None and high is not None and low >= high:
            raise ValueError("`amount_from` is not less than `amount_below`: no amount fits")
        return self

    @model_validator(mode="after")
    def _somebody_decides(self) -> Self:
        if not self.thresholds:
            raise ValueError(
                "nobody may decide: add [[policies.thresholds]] with `users`, `groups` or"
                " `channels`"
            )
        if self.ttl_seconds > self.max_ttl_seconds:
            raise ValueError("`ttl_seconds` is more than `max_ttl_seconds`")
        return self

    @model_validator(mode="after")
    def _a_broken_glass_is_seen(self) -> Self:
        if self.break_glass is not None and self.channel is None:
            raise ValueError(
                "`break_glass` needs a place where everybody sees that it was used: add `channel`"
            )
        return self
