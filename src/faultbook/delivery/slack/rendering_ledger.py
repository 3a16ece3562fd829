"""What notices of drafts, lessons and the ledger look like, made at the moment of sending."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.ledger.snapshot import LedgerAccess, LedgerSnapshot
from faultbook.model.draft import DraftState
from faultbook.model.lesson_found import FoundLesson
from faultbook.model.policy import Policy
from faultbook.model.run import SeriesKey
from faultbook.operations.drafts import DraftNotice, read_draft
from faultbook.operations.ledger import LedgerNotice, read_operation, read_queue
from faultbook.operations.lessons import (
    review_area,
    search_lessons,
    with_records,
    words_of_thread,
)
from faultbook.operations.questions import Owed
from faultbook.store.engine import Store
from faultbook.view.message import Message
from faultbook.view.series_values import SuggestionValue
from faultbook.view.slack_incident import (
    draft_handed_over_message,
    draft_opened_message,
    draft_reminder_message,
    draft_saved_message,
    open_incident_message,
)
from faultbook.view.slack_ledger import (
    Outcome,
    conflict_message,
    finding_message,
    read_findings,
    refused_message,
    settled_message,
    waiting_message,
)
from faultbook.view.slack_lesson import (
    lessons_message,
    repeat_message,
    review_message,
    suggestion_message,
)

Payload: TypeAlias = dict[str, Any]

_DRAFTS = frozenset(kind.value for kind in DraftNotice)


@dataclass(frozen=True, slots=True)
class LedgerRenderer:
    """Makes messages about drafts, lessons and what git made of them."""

    store: Store
    policy: Policy
    ledger: LedgerAccess | None = None

    def message(self, kind: str, payload: Payload) -> Message | None:
        """Make the message that is owed; None for a kind that is not about the ledger.

        Raises:
            FaultbookError: it can't be made; the answer says why.
        """
        if kind in _DRAFTS:
            return self._draft(DraftNotice(kind), payload)
        make = self._makers().get(kind)
        return None if make is None else make(payload)

    def _makers(self) -> dict[str, Callable[[Payload], Message]]:
        return {
            LedgerNotice.SETTLED.value: self._settled,
            LedgerNotice.WAITING.value: self._waiting,
            LedgerNotice.CONFLICT.value: self._conflict,
            LedgerNotice.REFUSED.value: self._refused,
            LedgerNotice.FINDING.value: lambda payload: finding_message(*read_findings(payload)),
            Owed.LESSONS.value: self._search,
            Owed.REVIEW.value: self._review,
            Owed.SUGGESTION.value: self._suggestion,
            Owed.REPEAT.value: self._repeat,
            Owed.OFFER_INCIDENT.value: lambda _: open_incident_message(),
        }

    def _snapshot(self) -> LedgerSnapshot:
        if self.ledger is None:
            raise InvalidError(
                "No ledger is set, so there are no lessons.",
                code="ledger_not_set",
                next_step="Set `remote` under `[ledger]` in faultbook.toml, and start me again.",
            )
        snapshot = self.ledger.snapshot()
        if snapshot.commit is None:
            raise NotFoundError(
                "I can't tell: I have read no ledger from git yet.",
                code="ledger_not_read",
                next_step="Ask again in a minute. Where there is none, `faultbook ledger init`"
                " makes one.",
            )
        return snapshot

    def _draft(self, kind: DraftNotice, payload: Payload) -> Message:
        draft, now = self.store.read(read_draft, payload["draft"]), self.store.clock()
        if kind is DraftNotice.HANDED_OVER:
            return draft_handed_over_message(draft, str(payload["by"]), now)
        if kind is DraftNotice.SAVED:
            return draft_saved_message(draft, now)
        if draft.state is not DraftState.DRAFT:
            return draft_opened_message(draft, now)
        return draft_reminder_message(draft, now)

    def _settled(self, payload: Payload) -> Message:
        operation = self.store.read(read_operation, payload["operation"])
        return settled_message(Outcome(operation, self.ledger.web_url if self.ledger else None))

    def _waiting(self, payload: Payload) -> Message:
        operation = self.store.read(read_operation, payload["operation"])
        return waiting_message(operation, self.store.read(read_queue))

    def _conflict(self, payload: Payload) -> Message:
        return conflict_message(self.store.read(read_operation, payload["operation"]))

    def _refused(self, payload: Payload) -> Message:
        return refused_message(self.store.read(read_operation, payload["operation"]))

    def _search(self, payload: Payload) -> Message:
        snapshot = self._snapshot()
        words = str(payload.get("words") or "")
        parent, said = str(payload.get("parent") or ""), str(payload.get("said") or "")
        if not words and (parent or said):
            words = words_of_thread(self.store, self.policy, parent, said)
        return lessons_message(search_lessons(self.store, snapshot, words), self.store.clock())

    def _review(self, payload: Payload) -> Message:
        found = review_area(self.store, self._snapshot(), str(payload.get("area") or ""))
        return review_message(found, self.store.clock())

    def _suggestion(self, payload: Payload) -> Message:
        found = self._found([int(number) for number in payload["lessons"]])
        value = SuggestionValue(
            payload["fingerprint"], payload["run"], SeriesKey(*payload["series"])
        )
        return suggestion_message(str(payload["what"]), found, value, self.store.clock())

    def _repeat(self, payload: Payload) -> Message:
        [found] = self._found([int(payload["lesson"])])
        return repeat_message(found, SeriesKey(*payload["series"]), self.store.clock())

    def _found(self, numbers: list[int]) -> tuple[FoundLesson, ...]:
        snapshot = self._snapshot()
        lessons = [snapshot.lesson(number) for number in numbers]
        known = [lesson for lesson in lessons if lesson is not None]
        if not known:
            raise NotFoundError(
                "The ledger has these lessons no more.",
                code="lesson_unknown",
                next_step="Search for it: `/faultbook lesson WORDS`.",
            )
        return with_records(self.store, snapshot, known)
