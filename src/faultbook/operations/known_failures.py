"""Failures that come again: recognised by their fingerprint, counted, asked about once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.answer import SeriesAnswer
from faultbook.model.known_failure import KnownBy, KnownFailure, Repeats, SeenFailure
from faultbook.store import known_failures
from faultbook.store.transaction import Transaction

_SUGGESTED = 3


def recognise(
    tx: Transaction, series: Sequence[SeriesAnswer]
) -> tuple[list[SeriesAnswer], list[SeenFailure]]:
    """Tell of each series by which lesson its failure is known, in one indexed look-up.

    Gives the series in their order, and the breaks that nobody has noted yet: hand those to
    `note_seen`.
    """
    failures = [one for one in series if one.is_failure]
    if not failures:
        return list(series), []
    known = known_failures.find_known(tx, (one.fingerprint for one in failures))
    unnoted: list[SeenFailure] = []
    for one in failures:
        seen = _seen(one)
        before = known.get(one.fingerprint)
        if seen is not None and (before is None or before[0].last_seen_at < seen.broke_at):
            unnoted.append(seen)
    return [_told(one, known.get(one.fingerprint)) for one in series], unnoted


def _seen(series: SeriesAnswer) -> SeenFailure | None:
    broke = series.broke
    return (
        None if broke is None else SeenFailure(series.fingerprint, broke.run_id, broke.started_at)
    )


def _told(series: SeriesAnswer, known: tuple[KnownFailure, int] | None) -> SeriesAnswer:
    if known is None or not series.is_failure or known[0].lesson is None:
        return series
    failure, repeats = known
    broke = series.broke
    return replace(
        series,
        known_lesson=failure.lesson,
        known_incident=failure.incident,
        happened_again=failure.is_repeat(broke.started_at if broke else None),
        repeats=repeats,
    )


def note_seen(tx: Transaction, seen: Iterable[SeenFailure]) -> None:
    """Note breaks that were seen; one whose rule existed before counts as a repeat of its lesson.

    One failure seen in several environments at once is one repeat.
    """
    earliest: dict[str, SeenFailure] = {}
    for one in seen:
        before = earliest.get(one.fingerprint)
        if before is None or one.broke_at < before.broke_at:
            earliest[one.fingerprint] = one
    for failure, _ in known_failures.find_known(tx, earliest).values():
        one = earliest[failure.fingerprint]
        is_new = failure.last_seen_at < one.broke_at  # or another noted it in the meantime
        if failure.lesson is not None and is_new and failure.is_repeat(one.broke_at):
            known_failures.append_repeat(tx, failure.lesson, one.fingerprint, one.run_id)
    known_failures.put_seen(tx, {one.fingerprint: one.broke_at for one in earliest.values()})


def link(
    tx: Transaction, fingerprint: str, lesson: int, incident: str | None = None, by: str = ""
) -> None:
    """Make a failure known by a lesson: its incident, or its row, is on the main branch.

    From now on a new break of it is a repeat. `incident` is the file's path, `by` the person.
    """
    if fingerprint:
        known_failures.put_link(tx, fingerprint, lesson, incident, by)


def list_unlinked(tx: Transaction, known: Mapping[str, tuple[int, str]]) -> list[str]:
    """Give those of these fingerprints, which incident files bear, that no lesson is known for."""
    stored = known_failures.find_known(tx, known)
    return [one for one in known if one not in stored or stored[one][0].lesson is None]


def link_incidents(tx: Transaction, known: Mapping[str, tuple[int, str]]) -> None:
    """Make failures known by the incident files that bear their fingerprints.

    Git is where incidents live: an empty database learns them from there, and so it learns of
    files that people pushed. Each fingerprint comes with its lesson and its file's path.
    """
    for fingerprint in list_unlinked(tx, known):
        lesson, path = known[fingerprint]
        known_failures.put_link(tx, fingerprint, lesson, path, "")


def list_unasked(tx: Transaction, fingerprints: Iterable[str]) -> list[str]:
    """Give those of these failures that no lesson is known for and nobody was asked about."""
    asked = list(dict.fromkeys(fingerprints))
    known = known_failures.find_known(tx, asked)
    told = {
        found.fingerprint
        for found, _ in known.values()
        if found.lesson is not None or found.suggested_at is not None or found.answer is not None
    }
    return [fingerprint for fingerprint in asked if fingerprint not in told]


def suggest(tx: Transaction, fingerprint: str, candidates: Sequence[int]) -> bool:
    """Store that lessons are suggested for a failure, once ever; tells whether to show them.

    Suggest only what `list_unasked` names; a failure that was never seen is noted first.
    """
    if known_failures.find(tx, fingerprint) is None:
        known_failures.put_seen(tx, {fingerprint: tx.now})
    return known_failures.take_suggestion(tx, fingerprint, candidates[:_SUGGESTED])


def answer_suggestion(
    tx: Transaction,
    fingerprint: str,
    answer: KnownBy,
    *,
    by: str,
    lesson: int | None = None,
    run_id: str | None = None,
) -> KnownFailure:
    """Take a person's answer to a suggestion: yes and which, no, or new. The first one counts.

    A yes counts as a repeat of the lesson by the run that was shown.

    Raises:
        NotFoundError: nothing was suggested for this failure.
        InvalidError: a yes that names no lesson, or an answer that a person can't give.
        ConflictError: it was answered before; the message says by whom and how.
    """
    if answer is KnownBy.INCIDENT or (answer is KnownBy.YES) != (lesson is not None):
        raise InvalidError(
            "The answer is yes with a lesson, no, or new.",
            code="bad_answer",
            next_step="Choose one of the buttons under the suggestion.",
        )
    failure = known_failures.find(tx, fingerprint)
    if failure is None:
        raise NotFoundError(
            "Nothing was suggested for this failure.",
            code="no_suggestion",
            next_step="Ask what's failing; the suggestion comes with the answer.",
        )
    if not known_failures.take_answer(tx, fingerprint, answer, lesson, by):
        raise _answered_before(tx, fingerprint)
    if lesson is not None and run_id is not None:
        known_failures.append_repeat(tx, lesson, fingerprint, run_id, by)
    return _existing(tx, fingerprint)


def _answered_before(tx: Transaction, fingerprint: str) -> ConflictError:
    failure = _existing(tx, fingerprint)
    said = f"yes, lesson {failure.lesson}" if failure.answer is KnownBy.YES else failure.answer
    if failure.answer is KnownBy.INCIDENT:
        said = f"an incident, lesson {failure.lesson}"
    return ConflictError(
        f"{failure.answered_by or 'Somebody'} answered this before: {said}. Nothing changed.",
        code="answered_before",
    )


def _existing(tx: Transaction, fingerprint: str) -> KnownFailure:
    found = known_failures.find(tx, fingerprint)
    assert found is not None  # noqa: S101 - read by the caller in this transaction; rows stay
    return found


def read_failure(tx: Transaction, fingerprint: str) -> KnownFailure | None:
    """Read what is known of a failure."""
    return known_failures.find(tx, fingerprint)


def count_repeat(
    tx: Transaction, lesson: int, run_id: str, *, fingerprint: str = "", by: str = ""
) -> bool:
    """Count that a lesson's failure came again in a run; tells whether it was not counted yet."""
    return known_failures.append_repeat(tx, lesson, fingerprint, run_id, by)


def read_repeats(tx: Transaction, lessons: Iterable[int] | None = None) -> dict[int, Repeats]:
    """Count the repeats of these lessons, or of all of them; lessons without any are left out."""
    return known_failures.read_repeats(tx, lessons)
