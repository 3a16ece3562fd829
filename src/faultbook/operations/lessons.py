"""Lessons as people ask for them: found, reviewed, suggested once, and failed again.

The lessons are read from the newest snapshot of the ledger in git, beside any transaction; the
store adds how often each one's failure came again.
"""

from collections.abc import Sequence

from faultbook.base.clock import DAY, MINUTE, SECOND
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.model.answer import FailingAnswer, FailingQuery, SeriesAnswer
from faultbook.model.known_failure import KnownBy, Repeats
from faultbook.model.lesson import Lesson
from faultbook.model.lesson_found import FoundLesson, LessonsFound
from faultbook.model.notice import NewNotice
from faultbook.model.policy import Policy
from faultbook.model.run import SeriesKey
from faultbook.operations.failing import ask_failing
from faultbook.operations.known_failures import answer_suggestion, list_unasked, suggest
from faultbook.operations.questions import Owed, ReplyTo
from faultbook.store import known_failures, notices, runs, seen
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction

_FOUND = 5
_REVIEWED = 12
_RECENT = DAY
_AT_ONCE = 50
_SEEN_WORDS = 600


def search_lessons(store: Store, snapshot: LedgerSnapshot, words: str) -> LessonsFound:
    """Find the lessons that words are about."""
    found = snapshot.index.search(words, limit=_FOUND + 1) if words.strip() else []
    lessons = [match.lesson for match in found]
    shown = with_records(store, snapshot, lessons[:_FOUND])
    return LessonsFound(words.strip(), shown, more=len(lessons) > _FOUND)


def review_area(store: Store, snapshot: LedgerSnapshot, area: str) -> LessonsFound:
    """Find the lessons in force of an area, to be read before a new automation starts there."""
    asked = area.strip()
    of = [one for one in snapshot.index.in_area(asked) if not one.retired] if asked else []
    shown = with_records(store, snapshot, of[:_REVIEWED])
    return LessonsFound(
        asked, shown, more=len(of) > _REVIEWED, areas=() if of else _areas(snapshot)
    )


def _areas(snapshot: LedgerSnapshot) -> tuple[str, ...]:
    named = {lesson.area for lesson in snapshot.lessons if lesson.area and not lesson.retired}
    return tuple(sorted(named))


def newest_lessons(store: Store, snapshot: LedgerSnapshot, count: int) -> tuple[FoundLesson, ...]:
    """Give the lessons in force that were learned last, the newest first."""
    numbered = [one for one in snapshot.lessons if one.number is not None and not one.retired]
    newest = sorted(numbered, key=lambda one: one.number or 0, reverse=True)[:count]
    return with_records(store, snapshot, newest)


def with_records(
    store: Store, snapshot: LedgerSnapshot, lessons: Sequence[Lesson]
) -> tuple[FoundLesson, ...]:
    """Add to lessons what is known of them beside their rows."""
    numbers = [lesson.number for lesson in lessons if lesson.number is not None]
    repeats = store.read(known_failures.read_repeats, numbers) if numbers else {}
    return tuple(_with_record(snapshot, one, repeats.get(one.number or 0)) for one in lessons)


def _with_record(snapshot: LedgerSnapshot, lesson: Lesson, repeats: Repeats | None) -> FoundLesson:
    file = snapshot.incidents.get(f"{snapshot.folder}/{lesson.incident}")
    incident = file.fields if file is not None else None
    return FoundLesson(
        lesson,
        repeats=repeats.count if repeats else 0,
        last_at=repeats.last_at if repeats else None,
        enforcement=incident.enforcement.value if incident else None,
        written_on=incident.date if incident else None,
    )


def failure_words(series: SeriesAnswer) -> str:
    """Put the failure of a series into words to search lessons with."""
    reason = series.reason.value.replace("_", " ") if series.reason else ""
    return f"{series.key.workflow.replace('-', ' ')} {series.detail} {reason}"[:_SEEN_WORDS]


def series_named_in(answer: FailingAnswer, text: str) -> SeriesAnswer | None:
    """Find the first series of an answer whose workflow a text names; bad ones come first."""
    folded = text.casefold()
    named = [one for one in answer.series if one.key.workflow.casefold() in folded]
    return next(iter(sorted(named, key=lambda one: not one.is_bad)), None)


def words_of_thread(store: Store, policy: Policy, parent: str, answers: str) -> str:
    """Tell what a thread is about, as words to search lessons with.

    A failing series that its parent names, else the first that the bot's own answers in it name,
    else the parent's own words.
    """
    everywhere = ask_failing(store, FailingQuery(all_branches=True), policy)
    series = series_named_in(everywhere, parent) or series_named_in(everywhere, answers)
    return failure_words(series) if series is not None else parent[:_SEEN_WORDS]


def suggest_lessons(
    store: Store, snapshot: LedgerSnapshot, answer: FailingAnswer, to: ReplyTo
) -> str | None:
    """Owe at most one suggestion after an answer; gives the channel to wake, if any.

    It is for the first failure that no lesson is known for and nobody was asked about.
    """
    failing = [one for one in answer.bad if one.known_lesson is None and one.basis_run is not None]
    unasked = set(store.read(list_unasked, [one.fingerprint for one in failing]))
    for series in failing:
        matches = snapshot.index.similar(failure_words(series))
        numbers = [match.lesson.number for match in matches if match.lesson.number is not None]
        if series.fingerprint in unasked and numbers:
            return to.channel if store.write(_owe_suggestion, series, numbers, to) else None
    return None


def _owe_suggestion(
    tx: Transaction, series: SeriesAnswer, numbers: Sequence[int], to: ReplyTo
) -> bool:
    if not suggest(tx, series.fingerprint, numbers):
        return False
    run = series.basis_run
    owed = to.notice(
        Owed.SUGGESTION,
        fingerprint=series.fingerprint,
        lessons=list(numbers),
        run=run.run_id if run else "",
        series=[series.key.workflow, series.key.environment, series.key.branch],
        what=f"{series.key.workflow}: {series.detail or (series.reason or '')}",
    )
    notices.append(tx, owed)
    return True


def answer_yes(
    tx: Transaction,
    keys: Sequence[str],
    fingerprint: str,
    lesson: int,
    run_id: str,
    series: SeriesKey,
    by: str,
    to: ReplyTo,
) -> bool:
    """Count a failure as a repeat of a lesson, as a person says, and owe the loud word of it.

    Raises:
        ConflictError: it was answered before.
    """
    if not seen.take_all(tx, keys):
        return False
    answer_suggestion(tx, fingerprint, KnownBy.YES, by=by, lesson=lesson, run_id=run_id)
    seen.take(tx, said_repeat(lesson, run_id))
    notices.append(tx, _repeat(to, lesson, series))
    return True


def answer_no(
    tx: Transaction, keys: Sequence[str], fingerprint: str, answer: KnownBy, by: str
) -> bool:
    """Note that a failure is none of the suggested lessons, or new; tells whether this click did.

    Raises:
        ConflictError: it was answered before.
    """
    if not seen.take_all(tx, keys):
        return False
    answer_suggestion(tx, fingerprint, answer, by=by)
    return True


def announce_repeats(tx: Transaction, channel: str) -> int:
    """Owe the word of each failure that came again although its rule existed; tells how many.

    Several replicas may look at once: each repeat is said once.
    """
    said = 0
    for lesson, run_id in known_failures.list_newest_repeats(tx, tx.now - _RECENT, _AT_ONCE):
        if not seen.take(tx, said_repeat(lesson, run_id)):
            continue
        run = runs.find_run(tx, run_id)
        if run is not None:
            to = ReplyTo(channel, "", f"{(tx.now - MINUTE) // SECOND}.000000")
            notices.append(tx, _repeat(to, lesson, run.start.series))
            said += 1
    return said


def watch_repeats(store: Store, policy: Policy, channel: str) -> None:
    """Look for known failures that came again, though nobody asks, and owe the word of them."""
    ask_failing(store, FailingQuery(all_branches=True), policy)
    if channel:
        store.write(announce_repeats, channel)


def said_repeat(lesson: int, run_id: str) -> str:
    """Name the word of a repeat, so that it is said once."""
    return f"repeat:{lesson}:{run_id}"


def _repeat(to: ReplyTo, lesson: int, series: SeriesKey) -> NewNotice:
    named = [series.workflow, series.environment, series.branch]
    return to.notice(Owed.REPEAT, lesson=lesson, series=named)
