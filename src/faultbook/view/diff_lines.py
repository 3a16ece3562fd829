"""What every face says of "what changed?"."""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.model.diff import Change, Commit, Moment, Point, SideVerdict, VerdictDiff
from faultbook.view import lines
from faultbook.view.lines import Bold, Code, Line, Span, name, strong, version, words


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one kind, under the words they are told by."""

    word: str
    standing: str
    changes: Sequence[Change]


def groups(diff: VerdictDiff) -> list[Group]:
    """Give the changes by kind, the worst first; empty kinds are left out."""
    found = (
        Group("newly failing", "failing", diff.newly_failing),
        Group("reason changed", "failing", diff.reason_changed),
        Group("still failing", "failing", diff.still_failing),
        Group("no longer passing", "unproven", diff.no_longer_passing),
        Group("newly passing", "passing", diff.newly_passing),
    )
    return [group for group in found if group.changes]


def headline(diff: VerdictDiff) -> list[Span]:
    """Say first what the comparison comes to."""
    counted = [(group.word, len(group.changes)) for group in groups(diff)]
    if diff.stale and diff.newest_record_at is not None:
        age = lines.age(diff.newest_record_at, diff.as_of)
        known = ", ".join(f"{count} {word}" for word, count in counted) or "no change"
        return [Bold(f"I can't tell: my newest record is {age}."), f" Known by then: {known}."]
    if not diff.compared and not diff.bad:
        return [
            *strong("I can't tell: nothing to compare", *_between(diff), "."),
            " No workflow has a verdict on both sides.",
        ]
    opening: list[Span] = [Bold("Nothing is newly failing"), *_between(diff)]
    if diff.newly_failing:
        word, count = counted.pop(0)
        opening = [Bold(f"{count} {word}"), *_between(diff)]
    return [*opening, *(span for word, count in counted for span in (" · ", f"{count} {word}"))]


def _between(diff: VerdictDiff) -> list[Span]:
    on: list[Span] = [" on ", Code(name(diff.branch))]
    before, after = diff.before, diff.after
    until_now = isinstance(after, Moment) and after.instant >= diff.as_of
    if isinstance(before, Moment) and until_now:
        return [*on, " since ", point(before)]
    between: list[Span] = [" from ", point(before), " to ", "now" if until_now else point(after)]
    commits = isinstance(before, Commit) and isinstance(after, Commit)
    return between if commits else [*on, *between]


def point(of: Point) -> Span:
    """Name a side: a commit's first digits, or a time."""
    if isinstance(of, Commit):
        return Code(version(of.version))
    return lines.Moment(of.instant)


def title(change: Change, branch: str, length: int = lines.NAME_LENGTH) -> Line:
    """Name what changed, with its branch where that is not the usual one."""
    parts: list[Line] = [
        [name(change.place.workflow, length)],
        [name(change.place.environment, length)],
    ]
    if change.after.branch != branch:
        parts.append([name(change.after.branch, length)])
    return lines.join(parts)


def what_changed(change: Change, word: str, length: int = lines.WORDS_LENGTH) -> Line:
    """Say how it stands now, and how it stood."""
    after, before = change.after, change.before
    spans = _stands(after, length)
    if before is None:
        return [*spans, "; no verdict before"]
    if word == "still failing":
        return spans
    return [*spans, "; was ", *_stands(before, 0)]


def _stands(side: SideVerdict, length: int) -> list[Span]:
    spans: list[Span] = [side.word]
    if side.word != "silent" and side.reason is not None:
        kind = f" ({side.failure_class.value})" if side.failure_class else ""
        spans += [", ", Code(side.reason.value), kind]
        detail = words(side.detail, length) if length else ""
        if detail:
            spans.append(f": {detail}")
    elif side.silent_since is not None:
        spans += [" since ", lines.Moment(side.silent_since)]
    return spans


def counts(diff: VerdictDiff) -> str:
    """Say how much was compared, and what could not be."""
    told = f"{diff.compared} compared, {diff.still_passing} passing on both sides"
    if diff.still_unproven:
        told += f", {diff.still_unproven} proven on neither"
    missing = [
        f"{count} without a verdict {when}"
        for count, when in ((diff.missing_before, "before"), (diff.missing_after, "after"))
        if count
    ]
    return f"{told}. Not comparable: {', '.join(missing)}." if missing else f"{told}."


def footer(diff: VerdictDiff) -> Line:
    """Say how fresh the comparison is."""
    spans: list[Span] = ["As of ", lines.Moment(diff.as_of), "."]
    if diff.newest_record_at is not None:
        before = lines.distance(diff.newest_record_at, diff.as_of)
        spans += [" Newest record ", lines.Moment(diff.newest_record_at), f", {before}."]
    return spans
