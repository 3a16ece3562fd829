"""The question "what changed?": the verdicts of two commits or two moments, compared."""

from dataclasses import dataclass, field
from typing import TypeAlias

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.diff import (
    Change,
    Commit,
    Moment,
    Point,
    SideVerdict,
    VerdictDiff,
    WorkflowPlace,
)
from faultbook.model.policy import Policy
from faultbook.model.run import SeriesKey
from faultbook.model.standing import STANDING_OF
from faultbook.operations.recording import close_overdue
from faultbook.store import past, standings
from faultbook.store.engine import Store
from faultbook.store.past import PastStanding
from faultbook.store.transaction import Transaction

_COMMITS_NAMED = 3


_Side: TypeAlias = dict[WorkflowPlace, SideVerdict]


def ask_diff(store: Store, before: Point, after: Point | None, policy: Policy) -> VerdictDiff:
    """Compare over what is true now: runs past their deadline are closed first.

    Raises:
        NotFoundError: no run carries the commit.
        ConflictError: several commits begin so.
        InvalidError: the moments stand in the wrong order.
    """
    if store.read(standings.has_overdue_runs):
        store.write(close_overdue)
    return store.read(compare, before, after, policy)


def compare(tx: Transaction, before: Point, after: Point | None, policy: Policy) -> VerdictDiff:
    """Compare two sides; without `after`, it is now.

    Raises:
        NotFoundError: no run carries the commit.
        ConflictError: several commits begin so.
        InvalidError: the moments stand in the wrong order.
    """
    before = _resolve(tx, before)
    after = Moment(tx.now) if after is None else _resolve(tx, after)
    if isinstance(before, Moment) and isinstance(after, Moment) and before.instant > after.instant:
        raise InvalidError(
            "The first moment is later than the second.",
            code="moments_reversed",
            next_step="Swap them: the earlier one comes first.",
            where="point",
        )
    earlier, later = (_read_side(tx, point, policy) for point in (before, after))
    newest = past.newest_record_at(tx, policy.main_branch)
    is_now = isinstance(after, Moment) and after.instant >= tx.now
    sorted_out = _sort_out(earlier, later)
    return VerdictDiff(
        before=before,
        after=after,
        as_of=tx.now,
        branch=policy.main_branch,
        newest_record_at=newest,
        stale=is_now and newest is not None and not policy.can_tell(newest, tx.now),
        newly_failing=tuple(sorted_out.newly_failing),
        reason_changed=tuple(sorted_out.reason_changed),
        still_failing=tuple(sorted_out.still_failing),
        newly_passing=tuple(sorted_out.newly_passing),
        no_longer_passing=tuple(sorted_out.no_longer_passing),
        still_unproven=sorted_out.still_unproven,
        still_passing=sorted_out.still_passing,
        compared=len(earlier.keys() & later.keys()),
        missing_before=len(later.keys() - earlier.keys()),
        missing_after=len(earlier.keys() - later.keys()),
    )


def _resolve(tx: Transaction, point: Point) -> Point:
    """Find the commit that a prefix names."""
    if isinstance(point, Moment):
        return point
    found = past.list_code_versions(tx, point.version, _COMMITS_NAMED + 1)
    if not found:
        raise NotFoundError(
            f"No run carries the commit `{point.version}`.",
            code="commit_not_found",
            next_step="Name a commit that ran: runs carry it by --code-version or from git.",
            where="point",
        )
    if len(found) > 1 and point.version not in found:
        named = ", ".join(f"`{version[:40]}`" for version in found[:_COMMITS_NAMED])
        raise ConflictError(
            f"More than one commit begins with `{point.version}`: {named}.",
            code="ambiguous_commit",
            next_step="Give more of its digits.",
            where="point",
        )
    return point if point.version in found else Commit(found[0])


def _read_side(tx: Transaction, point: Point, policy: Policy) -> _Side:
    if isinstance(point, Moment):
        found = past.list_standings_at(tx, policy.main_branch, point.instant)
    else:
        found = past.list_standings_of(tx, point.version)
    side: _Side = {}
    # A commit may have run on several branches; its newest run there decides.
    for one in sorted(found, key=lambda one: one.basis.order):
        side[_place(one.key)] = _side_verdict(one)
    return side


def _side_verdict(one: PastStanding) -> SideVerdict:
    run = one.basis
    return SideVerdict(
        STANDING_OF[run.verdict],
        run.reason,
        run.failure_class,
        run.detail,
        run.mark,
        one.key.branch,
        one.silent_since,
    )


def _place(key: SeriesKey) -> WorkflowPlace:
    return WorkflowPlace(key.workflow, key.environment)


@dataclass(slots=True)
class _SortedOut:
    newly_failing: list[Change] = field(default_factory=list)
    reason_changed: list[Change] = field(default_factory=list)
    still_failing: list[Change] = field(default_factory=list)
    newly_passing: list[Change] = field(default_factory=list)
    no_longer_passing: list[Change] = field(default_factory=list)
    still_unproven: int = 0
    still_passing: int = 0


def _sort_out(earlier: _Side, later: _Side) -> _SortedOut:
    sorted_out = _SortedOut()
    for place in sorted(later):
        before, after = earlier.get(place), later[place]
        change = Change(place, before, after)
        if after.is_bad:
            _bad_now(sorted_out, change)
        elif before is None:
            continue  # told by its count
        elif after.is_passing and before.is_passing:
            sorted_out.still_passing += 1
        elif after.is_passing:
            sorted_out.newly_passing.append(change)
        elif before.is_passing or before.is_bad:
            sorted_out.no_longer_passing.append(change)
        else:
            sorted_out.still_unproven += 1
    return sorted_out


def _bad_now(sorted_out: _SortedOut, change: Change) -> None:
    before, after = change.before, change.after
    if before is None or not before.is_bad:
        sorted_out.newly_failing.append(change)
    elif (before.standing, before.reason) == (after.standing, after.reason):
        sorted_out.still_failing.append(change)
    else:
        sorted_out.reason_changed.append(change)
