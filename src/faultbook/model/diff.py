"""Comparing the verdicts of two commits or two moments: what broke, what was mended, what stayed.

A commit's verdicts are those of the runs that carry it; a moment's are the standings that the runs
begun by then give. Workflows are compared per environment, so that a commit that ran on a branch
can be held against one that ran on the main branch.
"""

import re
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TypeAlias

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
from faultbook.base.when import parse_when
from faultbook.model.standing import BAD, RunMark, Standing
from faultbook.model.verdict import FailureClass, Reason

_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, by its digest or the first 7 or more digits of it."""

    version: str


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant to look at."""

    instant: Instant


Point: TypeAlias = Commit | Moment
"""What can be compared."""


def parse_point(words: str, now: Instant, zone: tzinfo = UTC) -> Point:
    """Take a commit or a moment as people write it.

    Raises:
        InvalidError: it is neither.
    """
    asked = words.strip()
    if _COMMIT.fullmatch(asked):
        return Commit(asked.lower())
    try:
        return Moment(parse_when(asked, now, zone))
    except InvalidError as error:
        if error.code != "unknown_time":
            raise
        raise InvalidError(
            error.message.replace("names no moment", "names no commit and no moment"),
            code="unknown_point",
            next_step=f"{error.next_step} A commit is 7 or more of its hexadecimal digits.",
            where="point",
        ) from error


@dataclass(frozen=True, slots=True)
class SideVerdict:
    """How a workflow stood on one side.

    Attributes:
        run: the run that this rests on.
        branch: where that run belongs.
        silent_since: when its next record was due at the latest; None while it was not silent.
    """

    standing: Standing
    reason: Reason | None
    failure_class: FailureClass | None
    detail: str
    run: RunMark
    branch: str
    silent_since: Instant | None = None

    @property
    def is_bad(self) -> bool:
        """Tell whether it was failing, blocked or degraded."""
        return self.standing in BAD

    @property
    def is_passing(self) -> bool:
        """Tell whether it passed and was not silent."""
        return self.standing is Standing.PASSING and self.silent_since is None

    @property
    def word(self) -> str:
        """Name how it stood; one that is silent and not bad is told as silent."""
        return "silent" if self.silent_since and not self.is_bad else self.standing.value


@dataclass(frozen=True, slots=True, order=True)
class WorkflowPlace:
    """What is held against itself: a workflow in an environment."""

    workflow: str
    environment: str


@dataclass(frozen=True, slots=True)
class Change:
    """A workflow and how it stood on both sides; None where it had no verdict."""

    place: WorkflowPlace
    before: SideVerdict | None
    after: SideVerdict


@dataclass(frozen=True, slots=True)
class VerdictDiff:
    """What two sides differ in.

    Attributes:
        branch: whose standings a moment means.
        newly_failing: failing, blocked or degraded now, and not so before; without a verdict
            before, too.
        reason_changed: bad on both sides, for another reason or in another way.
        newly_passing: passing now, and not so before.
        no_longer_passing: it passed, or failed, and now it is unproven or silent.
        still_unproven: neither passing nor bad on both sides.
        compared: how many workflows have a verdict on both sides.
        missing_before, missing_after: how many have one on one side only.
        stale: the after side is now, and the newest record is too old to tell.
    """

    before: Point
    after: Point
    as_of: Instant
    branch: str
    newest_record_at: Instant | None
    newly_failing: tuple[Change, ...] = ()
    reason_changed: tuple[Change, ...] = ()
    still_failing: tuple[Change, ...] = ()
    newly_passing: tuple[Change, ...] = ()
    no_longer_passing: tuple[Change, ...] = ()
    still_unproven: int = 0
    still_passing: int = 0
    compared: int = 0
    missing_before: int = 0
    missing_after: int = 0
    stale: bool = False

    @property
    def bad(self) -> int:
        """How many workflows are failing, blocked or degraded on the after side."""
        return len(self.newly_failing) + len(self.reason_changed) + len(self.still_failing)

    @property
    def exit_code(self) -> int:
        """0 nothing failing on the after side, 1 newly or still failing, 2 can't tell."""
        if self.stale:
            return 2
        if self.bad:
            return 1
        can_tell = self.compared and not self.no_longer_passing and not self.still_unproven
        return 0 if can_tell else 2
