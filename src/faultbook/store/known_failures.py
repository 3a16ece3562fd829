"""Known failures and their repeats, by fingerprint."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, update

from faultbook.base.clock import Instant
from faultbook.model.known_failure import KnownBy, KnownFailure, Repeats
from faultbook.store.schema import known_failures as failures
from faultbook.store.schema import lesson_repeats as repeats
from faultbook.store.transaction import Transaction

_AT_ONCE = 1000
"""Fingerprints in one statement; drivers limit the parameters."""

_REPEATS = (
    select(func.count())
    .select_from(repeats)
    .where(repeats.c.lesson == failures.c.lesson)
    .scalar_subquery()
    .label("repeats")
)
_KNOWN: Select[Any] = select(failures, _REPEATS).where(
    failures.c.fingerprint.in_(bindparam("fingerprints", expanding=True))
)


def find_known(tx: Transaction, fingerprints: Iterable[str]) -> dict[str, tuple[KnownFailure, int]]:
    """Look fingerprints up by the key; each that is known comes with its lesson's repeats."""
    asked = sorted(set(fingerprints))
    found: dict[str, tuple[KnownFailure, int]] = {}
    for start in range(0, len(asked), _AT_ONCE):
        rows = tx.execute(_KNOWN, {"fingerprints": asked[start : start + _AT_ONCE]})
        found |= {row.fingerprint: (_read(row), int(row.repeats)) for row in rows}
    return found


def find(tx: Transaction, fingerprint: str) -> KnownFailure | None:
    """Read what is kept of one fingerprint."""
    row = tx.execute(select(failures).where(failures.c.fingerprint == fingerprint)).one_or_none()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> KnownFailure:
    return KnownFailure(
        fingerprint=row.fingerprint,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        lesson=row.lesson,
        incident=row.incident,
        suggested_at=row.suggested_at,
        candidates=tuple(row.candidates),
        answer=KnownBy(row.answer) if row.answer else None,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
    )


def put_seen(tx: Transaction, broke_at: Mapping[str, Instant]) -> None:
    """Note that these fingerprints were seen now, broken at these instants."""
    # In one order everywhere, so that two transactions never wait for each other. A break that
    # lies in the future, by a clock that is ahead, must not be noted again with every look.
    rows = [
        {
            "fingerprint": known,
            "first_seen_at": tx.now,
            "last_seen_at": max(tx.now, broke_at[known]),
        }
        for known in sorted(broke_at)
    ]
    if rows:
        statement = tx.insert(failures)
        seen = {"last_seen_at": statement.excluded.last_seen_at}
        tx.execute(statement.on_conflict_do_update(index_elements=["fingerprint"], set_=seen), rows)


def put_link(tx: Transaction, fingerprint: str, lesson: int, incident: str | None, by: str) -> None:
    """Make a fingerprint known by a lesson, whatever was known of it before."""
    known = {
        "lesson": lesson,
        "incident": incident,
        "answer": KnownBy.INCIDENT.value,
        "answered_by": by,
        "answered_at": tx.now,
    }
    row = {"fingerprint": fingerprint, "first_seen_at": tx.now, "last_seen_at": tx.now}
    statement = tx.insert(failures).values(row | known)
    tx.execute(statement.on_conflict_do_update(index_elements=["fingerprint"], set_=known))


def take_suggestion(tx: Transaction, fingerprint: str, candidates: Sequence[int]) -> bool:
    """Store what is suggested for a fingerprint, once; tells whether this call was the one."""
    statement = (
        update(failures)
        .where(
            failures.c.fingerprint == fingerprint,
            failures.c.suggested_at.is_(None),
            failures.c.lesson.is_(None),
        )
        .values(suggested_at=tx.now, candidates=list(candidates))
    )
    return tx.execute(statement).rowcount == 1


def take_answer(
    tx: Transaction, fingerprint: str, answer: KnownBy, lesson: int | None, by: str
) -> bool:
    """Store the answer to a suggestion, once; tells whether this call was the one."""
    statement = (
        update(failures)
        .where(failures.c.fingerprint == fingerprint, failures.c.answered_at.is_(None))
        .values(answer=answer.value, lesson=lesson, answered_by=by, answered_at=tx.now)
    )
    return tx.execute(statement).rowcount == 1


def append_repeat(
    tx: Transaction, lesson: int, fingerprint: str, run_id: str, said_by: str = ""
) -> bool:
    """Count a repeat of a lesson, once for each run; tells whether it was new."""
    row = {"lesson": lesson, "fingerprint": fingerprint, "run_id": run_id}
    return tx.insert_new(repeats, row | {"said_by": said_by, "at": tx.now})


def list_newest_repeats(tx: Transaction, since: Instant, limit: int) -> list[tuple[int, str]]:
    """List the lesson and the run of each newest repeat, the newest first."""
    newest = select(repeats.c.lesson, repeats.c.run_id).where(repeats.c.at >= since)
    rows = tx.execute(newest.order_by(repeats.c.sequence.desc()).limit(limit))
    return [(row.lesson, row.run_id) for row in rows]


def read_repeats(tx: Transaction, lessons: Iterable[int] | None = None) -> dict[int, Repeats]:
    """Count the repeats of these lessons, or of all; those without any are left out."""
    statement = select(
        repeats.c.lesson, func.count().label("times"), func.max(repeats.c.at).label("last")
    ).group_by(repeats.c.lesson)
    if lessons is not None:
        statement = statement.where(repeats.c.lesson.in_(sorted(set(lessons))))
    return {row.lesson: Repeats(int(row.times), row.last) for row in tx.execute(statement)}
