"""What every face says of "what's failing?": the headline, a line of facts, the footer."""

from collections.abc import Callable, Iterable

from faultbook.base.text import duration
from faultbook.model.answer import Counts, FailingAnswer, Headline, SeriesAnswer
from faultbook.model.draft import LateDraft
from faultbook.model.standing import RunMark, Standing
from faultbook.view.lines import (
    DOT,
    WORDS_LENGTH,
    Code,
    Line,
    Moment,
    Span,
    age,
    distance,
    join,
    name,
    strong,
    unstopped,
    version,
    words,
)

RECORD_ONE = "faultbook run --workflow hello --artifact out.txt -- sh -c 'date > out.txt'"
"""A first record, to be tried as it stands."""

SIGNS: dict[str, str] = {
    "failing": "x",
    "blocked": "no_entry",
    "degraded": "warning",
    "unproven": "grey_question",
    "silent": "zzz",
    "unknown": "white_circle",
    "passing": "white_check_mark",
    "late": "hourglass",
    "undelivered": "warning",
}
"""The emoji that goes with each word; never instead of it."""

_TOLD = ("failing", "blocked", "degraded", "unproven", "silent", "unknown")
_BAD = _TOLD[:3]
_PERIODS = {60: "minute", 3600: "hour", 86_400: "day", 604_800: "week"}


def headline(answer: FailingAnswer) -> list[Span]:
    """Say first what the answer comes to."""
    return _HEADLINES[answer.headline](answer)


def _scope(answer: FailingAnswer) -> list[Span]:
    on: list[Span] = [" on all branches"]
    if answer.branch is not None:
        on = [" on ", Code(name(answer.branch))]
    return [*on, *_filters(answer)]


def _filters(answer: FailingAnswer) -> list[Span]:
    spans: list[Span] = []
    for word, value in (
        (" in ", answer.query.environment),
        (" for ", answer.query.workflow),
    ):
        if value is not None:
            spans += [word, Code(name(value))]
    return spans


def _since(answer: FailingAnswer) -> list[Span]:
    return [] if answer.query.since is None else [" since ", Moment(answer.query.since)]


def _broke_earlier(answer: FailingAnswer) -> str:
    count = answer.failing_before
    return f"{count} that broke earlier still {'does' if count == 1 else 'do'} not pass"


def _failing(answer: FailingAnswer) -> list[Span]:
    found = dict(standing_counts(answer.counts))
    if answer.query.since is not None:  # what broke earlier is told apart
        found |= {word: sum(s.standing == word for s in answer.bad) for word in _BAD}
    parts = [f"{count} {word}" for word, count in found.items() if count] or ["0 failing"]
    scope = _scope(answer)
    if answer.query.since is not None:
        # "Since" would read as if it had broken at that very moment.
        scope += [" that broke after ", Moment(answer.query.since)]
    if answer.failing_before:
        parts.append(_broke_earlier(answer))
    rest = [span for part in parts[1:] for span in (" · ", part)]
    return [*strong(parts[0]), *scope, *rest]


def _not_all_passing(answer: FailingAnswer) -> list[Span]:
    counts = answer.counts
    are = "is" if counts.not_passing == 1 else "are"
    limited = _filters(answer)
    if answer.query.branch is not None:
        limited = [" on ", Code(name(answer.query.branch)), *limited]
    head = strong(
        "0 failing", *limited, f", but {counts.not_passing} of {counts.total} {are} not passing:"
    )
    return [*head, f" {_listed(counts)}"]


def _stale(answer: FailingAnswer) -> list[Span]:
    aged = age(answer.newest_record_at or answer.as_of, answer.as_of)
    due = answer.due_every_seconds
    end, then = (";", f" one is due {every(due)}.") if due else (".", "")
    known = f" Last known then: {_listed(_as_known(answer.counts)) or '0 failing'}."
    head = strong("I can't tell", *_filters(answer), f": my newest record is {aged}{end}")
    return [*head, f"{then}{known}"]


def _as_known(counts: Counts) -> Counts:
    """Leave out the silence: what was not due then is overdue only because time went by."""
    return Counts(
        failing=counts.failing,
        blocked=counts.blocked,
        degraded=counts.degraded,
        unproven=counts.unproven,
    )


def _empty(answer: FailingAnswer) -> list[Span]:
    if answer.series:
        running = sum(series.running_since is not None for series in answer.series)
        under_way = f" {running} {'is' if running == 1 else 'are'} running." if running else ""
        return [*strong("I can't tell: no run has closed yet."), under_way]
    if answer.series_elsewhere:
        head = strong("I can't tell: no run is recorded", *_scope(answer), " yet.")
        return [*head, _elsewhere(answer.series_elsewhere)]
    head = strong("I can't tell: no run is recorded yet.")
    return [*head, " Record one: ", Code(RECORD_ONE)]


def _elsewhere(count: int) -> str:
    return f" {count} series {'is' if count == 1 else 'are'} recorded elsewhere."


def _no_match(answer: FailingAnswer) -> list[Span]:
    head = strong("No series matches ", Code(name(answer.unmatched or "")), ".")
    if answer.nearest is not None:
        return [*head, " Nearest: ", Code(name(answer.nearest)), "."]
    return [*head, " Ask without it to see every series."]


def _nothing_failing(answer: FailingAnswer) -> list[Span]:
    return [
        *strong("Nothing is failing"),
        *_scope(answer),
        f". {passing_words(answer.counts)}.",
    ]


def _only_elsewhere(answer: FailingAnswer) -> list[Span]:
    count = answer.other_branches
    fail = "fails" if count == 1 else "fail"
    head = strong("Nothing is failing", *_scope(answer), ".")
    return [*head, f" {count} series {fail} only on other branches."]


def _draft_late(answer: FailingAnswer) -> list[Span]:
    count = len(answer.late_drafts)
    are = "rule is" if count == 1 else "rules are"
    limited = _filters(answer)
    if answer.query.branch is not None:
        limited = [" on ", Code(name(answer.query.branch)), *limited]
    head = strong("0 failing", *limited, f", but {count} prevention {are} late.")
    return [*head, f" {passing_words(answer.counts)}."]


def _undelivered(answer: FailingAnswer) -> list[Span]:
    head = strong(f"0 failing, but {_notices(answer.undelivered)} could not be delivered.")
    return [*head, f" {passing_words(answer.counts)}."]


def _notices(count: int) -> str:
    return "1 notice" if count == 1 else f"{count} notices"


def _nothing_new(answer: FailingAnswer) -> list[Span]:
    head = strong("Nothing new is failing")
    return [*head, *_scope(answer), *_since(answer), f". {_broke_earlier(answer)}."]


_HEADLINES: dict[Headline, Callable[[FailingAnswer], list[Span]]] = {
    Headline.FAILING: _failing,
    Headline.NOTHING_FAILING: _nothing_failing,
    Headline.NOT_ALL_PASSING: _not_all_passing,
    Headline.DRAFT_LATE: _draft_late,
    Headline.UNDELIVERED: _undelivered,
    Headline.STALE: _stale,
    Headline.EMPTY: _empty,
    Headline.NO_MATCH: _no_match,
    Headline.OTHER_BRANCHES: _only_elsewhere,
    Headline.NOTHING_NEW: _nothing_new,
}


def standing_counts(counts: Counts) -> list[tuple[str, int]]:
    """Give what does not pass as words and counts, the worst first."""
    return [(word, int(getattr(counts, word))) for word in _TOLD]


def _listed(counts: Counts) -> str:
    return ", ".join(f"{count} {word}" for word, count in standing_counts(counts) if count)


def passing_words(counts: Counts) -> str:
    """Say how many series pass, and how many of them by heartbeat only."""
    by_heartbeat = f", {counts.heartbeat} by heartbeat only" if counts.heartbeat else ""
    return f"{counts.passing} series passing{by_heartbeat}"


def every(period: float) -> str:
    """Say a period: `every hour`, `every 15 min`."""
    word = _PERIODS.get(int(period))
    return f"every {word or duration(period)}"


def shared(answer: FailingAnswer) -> Line:
    """Say that several series have one reason, where it is so."""
    if answer.shared_reason is None:
        return []
    common = answer.shared_reason
    of = len(answer.bad)
    return [
        f"{common.count} of {of} share ",
        Code(common.reason.value),
        ": one cause is likely.",
    ]


def footer(answer: FailingAnswer) -> Line:
    """Say how fresh the answer is."""
    spans: list[Span] = ["As of ", Moment(answer.as_of), "."]
    if answer.newest_record_at is not None:
        before = distance(answer.newest_record_at, answer.as_of)
        spans += [" Newest record ", Moment(answer.newest_record_at), f", {before}."]
    if answer.counts.total:
        spans.append(f" {passing_words(answer.counts).replace(' series', '', 1)}.")
    return spans


def other_branches(answer: FailingAnswer) -> Line:
    """Say what fails on branches that the answer is not about."""
    if not answer.other_branches or answer.headline is Headline.OTHER_BRANCHES:
        return []  # or the headline says it
    return [f"Other branches: {answer.other_branches} failing."]


def place(series: SeriesAnswer, answer: FailingAnswer) -> list[Span]:
    """Name where a series runs; its branch only where the answer is about several."""
    spans: list[Span] = [name(series.key.environment)]
    if answer.branch is None:
        spans += [*DOT, name(series.key.branch)]
    return spans


def runs_since(series: SeriesAnswer) -> list[Span]:
    """Say how many runs this has gone on for, and since when."""
    count = "1 run" if series.streak == 1 else f"{series.streak} runs in a row"
    return [count] if series.since is None else [f"{count} since ", Moment(series.since)]


def mark(run: RunMark) -> Span:
    """Name a run by its commit, or by the end of its own id."""
    if run.code_version:
        return Code(version(run.code_version))
    return Code(run.run_id[-8:])


def reason_and_class(series: SeriesAnswer) -> list[Span]:
    """Name the reason and, where there is one, what kind of remedy it asks for."""
    if series.reason is None:
        return []
    kind = f" ({series.failure_class.value})" if series.failure_class else ""
    return [Code(series.reason.value), kind]


def group_of(series: SeriesAnswer) -> str:
    """Tell under which word a series is told; one that is silent and not bad is told as silent."""
    return "silent" if series.silent_since and not series.is_bad else series.standing.value


def grouped(series: Iterable[SeriesAnswer]) -> dict[str, list[SeriesAnswer]]:
    """Sort series under the words they are told by, the worst first; empty groups are left out."""
    groups: dict[str, list[SeriesAnswer]] = {word: [] for word in _TOLD}
    for one in series:
        groups.setdefault(group_of(one), []).append(one)
    return {word: found for word, found in groups.items() if found}


def what_it_came_to(series: SeriesAnswer, *, length: int) -> Line:
    """Say in one line what is known of a series that is not failing and does not pass."""
    words_of = {
        "blocked": _blocked,
        "degraded": _degraded,
        "unproven": _unproven,
        "silent": _silent,
    }
    tell = words_of.get(group_of(series), _unknown)
    told = (tell(series, length), running(series), newest_unproven(series), happened_again(series))
    return join(told, [". "])


def detail_of(series: SeriesAnswer, length: int) -> str:
    """Say why, in the words of whoever failed; empty where no room is left for it."""
    return unstopped(words(series.detail, length)) if length else ""


def _blocked(series: SeriesAnswer, length: int) -> list[Span]:
    spans: list[Span] = ["could not run"]
    if series.reason is not None:
        spans += [", ", Code(series.reason.value)]
    detail = detail_of(series, length)
    return [*spans, *([f". {detail}"] if detail else []), *_and_silent(series)]


def _degraded(series: SeriesAnswer, length: int) -> list[Span]:
    detail = detail_of(series, length)
    spans: list[Span] = ["worked in part"]
    if detail:
        spans.append(f", {detail}")
    elif series.reason is not None:
        spans += [", ", Code(series.reason.value)]
    return [*spans, *_and_silent(series)]


def _unproven(series: SeriesAnswer, length: int) -> list[Span]:
    del length  # the reason says it
    spans: list[Span] = ["it ran; nothing verified says it worked"]
    return spans if series.reason is None else [*spans, " (", Code(series.reason.value), ")"]


def _silent(series: SeriesAnswer, length: int) -> list[Span]:
    del length  # the newest run is not what is wrong
    spans: list[Span] = [
        f"due {every(series.every_seconds)}" if series.every_seconds else "overdue"
    ]
    if series.newest_record_at is not None:
        spans += [", last heard ", Moment(series.newest_record_at)]
    if series.standing in (Standing.UNPROVEN, Standing.UNKNOWN):
        spans.append(f", {series.standing.value} then")
    return spans


def _unknown(series: SeriesAnswer, length: int) -> list[Span]:
    del length
    return ["no run has closed yet" if series.newest_run is None else "only skipped runs so far"]


def _and_silent(series: SeriesAnswer) -> list[Span]:
    if series.silent_since is None:
        return []
    return [", and silent since ", Moment(series.silent_since)]


def running(series: SeriesAnswer) -> Line:
    """Say that a run is under way, where one is."""
    return [] if series.running_since is None else ["Running since ", Moment(series.running_since)]


def newest_unproven(series: SeriesAnswer) -> Line:
    """Say that the newest run could not be proven, where an older one holds the standing."""
    if not series.newest_unproven:
        return []
    spans: list[Span] = ["Newest run unproven"]
    return (
        spans if series.newest_reason is None else [*spans, ": ", Code(series.newest_reason.value)]
    )


def late_draft(draft: LateDraft, length: int = WORDS_LENGTH) -> Line:
    """Say that an incident's prevention rule was due."""
    return [f"“{words(draft.title, length)}”: rule due ", Moment(draft.due_at)]


def undelivered(answer: FailingAnswer) -> Line:
    """Say how many notices could not be delivered, and where to look; nothing where all were."""
    told = f"{_notices(answer.undelivered)} could not be delivered: "
    return [told, Code("faultbook notices list")] if answer.undelivered else []


def happened_again(series: SeriesAnswer) -> Line:
    """Say loudly that a rule exists for this failure and did not hold, where it is so."""
    if not series.happened_again or series.known_lesson is None:
        return []
    return [f"The rule exists and it happened again: lesson {series.known_lesson}"]


def known_as(series: SeriesAnswer) -> Line:
    """Name the lesson of a failure that is known and did not happen again."""
    if series.happened_again or series.known_lesson is None:
        return []
    return [f"lesson {series.known_lesson}"]
