"""The question "what is failing?": one operation over the standings, told by four faces.

Silence and overdue are decided here, when someone asks, from stored deadlines.
"""

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from faultbook.model.answer import (
    FailingAnswer,
    FailingQuery,
    Headline,
    SeriesAnswer,
    SharedReason,
)
from faultbook.model.known_failure import SeenFailure
from faultbook.model.policy import Policy
from faultbook.model.standing import Standing
from faultbook.operations.dead_letters import count_dead_letters
from faultbook.operations.drafts import list_late
from faultbook.operations.known_failures import note_seen, recognise
from faultbook.operations.recording import close_overdue
from faultbook.store import standings
from faultbook.store.engine import Store
from faultbook.store.standings import Scope, Totals
from faultbook.store.transaction import Transaction

_SHARED_BY_AT_LEAST = 3
_RANK = (
    Standing.FAILING,
    Standing.BLOCKED,
    Standing.DEGRADED,
    Standing.UNPROVEN,
    Standing.PASSING,  # told only when silent
    Standing.UNKNOWN,
)
# What people call environments in conversation.
_ALIASES = {
    "prod": "production",
    "production": "prod",
    "stage": "staging",
    "staging": "stage",
    "dev": "development",
    "development": "dev",
}


def ask_failing(store: Store, query: FailingQuery, policy: Policy) -> FailingAnswer:
    """Answer over what is true now: runs past their deadline are closed first."""
    while (read := store.read(_failing_unless_overdue, query, policy)) is None:
        store.write(close_overdue)  # so many at a time, until none is left
    answer, unnoted = read
    if unnoted:  # once for each break
        store.write(note_seen, unnoted)
        answer = store.read(failing, query, policy)
    return answer


def _failing_unless_overdue(
    tx: Transaction, query: FailingQuery, policy: Policy
) -> tuple[FailingAnswer, list[SeenFailure]] | None:
    """Read the answer in the same snapshot in which no run was past its deadline."""
    return None if standings.has_overdue_runs(tx) else _failing_and_unnoted(tx, query, policy)


def failing(tx: Transaction, query: FailingQuery, policy: Policy) -> FailingAnswer:
    """Read the answer from the standings; its cost does not grow with the runs."""
    return _failing_and_unnoted(tx, query, policy)[0]


def _failing_and_unnoted(
    tx: Transaction, query: FailingQuery, policy: Policy
) -> tuple[FailingAnswer, list[SeenFailure]]:
    query, unmatched, nearest = _resolve(tx, query)
    branch = query.branch or (None if query.all_branches else policy.main_branch)
    answer = FailingAnswer(Headline.EMPTY, tx.now, None, query, branch)
    if unmatched is not None:
        missed = replace(answer, headline=Headline.NO_MATCH, unmatched=unmatched, nearest=nearest)
        return missed, []
    scope = Scope(query.environment, query.workflow, branch)
    totals = standings.read_totals(tx, scope)
    if not totals.series and query.branch is not None:
        return replace(answer, headline=Headline.NO_MATCH, unmatched=query.branch), []
    found = standings.list_attention(tx, scope, policy)
    elsewhere = 0
    if branch == policy.main_branch and query.branch is None:
        everywhere = Scope(query.environment, query.workflow, None)
        elsewhere = standings.count_bad_elsewhere(tx, everywhere, policy.main_branch)
    found, unnoted = recognise(tx, found)
    shown, before = _split_by_since(found, query)
    answer = replace(
        answer,
        newest_record_at=totals.newest_record_at,
        series=tuple(sorted((s for s in shown if not s.is_passing), key=_order)),
        counts=standings.count(found, totals),
        other_branches=elsewhere,
        failing_before=before,
        due_every_seconds=totals.due_every_seconds,
        series_elsewhere=0 if totals.series else standings.count_series(tx),
        late_drafts=list_late(tx, query),
        undelivered=0 if _is_limited(query) else count_dead_letters(tx),
    )
    answer = replace(answer, shared_reason=_shared_reason(answer.bad))
    return replace(answer, headline=_headline(answer, totals, policy)), unnoted


def _headline(answer: FailingAnswer, totals: Totals, policy: Policy) -> Headline:
    """Choose the row of the truth table, "What the answer may say": the first that holds."""
    newest = totals.newest_record_at
    rows = (
        (Headline.EMPTY, newest is None),
        (Headline.STALE, newest is not None and not policy.can_tell(newest, answer.as_of)),
        (Headline.FAILING, answer.bad),
        (Headline.NOTHING_NEW, answer.failing_before),
        (Headline.NOT_ALL_PASSING, answer.counts.not_passing),
        (Headline.DRAFT_LATE, answer.late_drafts),
        (Headline.UNDELIVERED, answer.undelivered),
        (Headline.OTHER_BRANCHES, answer.other_branches),
    )
    return next((headline for headline, holds in rows if holds), Headline.NOTHING_FAILING)


def _is_limited(query: FailingQuery) -> bool:
    return bool(query.environment or query.workflow or query.branch)


def _split_by_since(
    found: Iterable[SeriesAnswer], query: FailingQuery
) -> tuple[list[SeriesAnswer], int]:
    """Leave out what was bad before the asked time, but count it: it is still wrong."""
    if query.since is None:
        return list(found), 0
    shown: list[SeriesAnswer] = []
    before = 0
    for series in found:
        if series.is_bad and series.since is not None and series.since < query.since:
            before += 1
        else:
            shown.append(series)
    return shown, before


def _order(series: SeriesAnswer) -> tuple[bool, int, int, str, str, str]:
    """Critical first, then the newest break, then the name."""
    rank = _RANK.index(series.standing)
    key = series.key
    return (
        not series.critical,
        rank,
        -(series.since or 0),
        key.workflow,
        key.environment,
        key.branch,
    )


def _shared_reason(bad: tuple[SeriesAnswer, ...]) -> SharedReason | None:
    reasons = Counter(series.reason for series in bad if series.reason)
    if not reasons:
        return None
    reason, count = reasons.most_common(1)[0]
    return SharedReason(reason, count) if count >= _SHARED_BY_AT_LEAST else None


def _resolve(tx: Transaction, query: FailingQuery) -> tuple[FailingQuery, str | None, str | None]:
    """Find what the question's words name; tells the first that names nothing, and the nearest."""
    asked = {"environment": query.environment, "workflow": query.workflow, "branch": query.branch}
    if query.place is None and not any(asked.values()):
        return query, None, None
    names = standings.list_names(tx)
    found: dict[str, str | None] = {}
    for kind, word in asked.items():
        found[kind] = _match(word, names[kind]) if word else None
        if word and found[kind] is None:
            return query, word, _nearest(word, names[kind])
    if query.place is not None:
        place = query.place
        named = ((kind, _match(place, names[kind])) for kind in asked if not found[kind])
        kind_and_name = next((pair for pair in named if pair[1]), None)
        if kind_and_name is None:
            every = [name for known in names.values() for name in known]
            return query, place, _nearest(place, every)
        found[kind_and_name[0]] = kind_and_name[1]
    resolved = replace(
        query,
        environment=found["environment"],
        workflow=found["workflow"],
        branch=found["branch"],
        place=None,
    )
    return resolved, None, None


def _match(word: str, names: Iterable[str]) -> str | None:
    by_fold = {name.casefold(): name for name in names}
    folded = word.casefold()
    return by_fold.get(folded) or by_fold.get(_ALIASES.get(folded, folded))


def _nearest(word: str, names: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
    return near[0] if near else None
