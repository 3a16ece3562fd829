"""Incident drafts: what was said while the fire still burns, until its prevention rule is due."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import HOUR, Instant
from faultbook.model.person import Person
from faultbook.model.run import SeriesKey

DUE_AFTER: Instant = 24 * HOUR
"""When the prevention rule of a draft is due, counted from its first saving."""
REMIND_BEFORE: Instant = 4 * HOUR
"""How long before that its owner is reminded, once."""


class DraftState(StrEnum):
    """Where a draft is; that it is late follows from its due time."""

    DRAFT = "draft"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class IncidentForm:
    """What a person entered, field by field; empty where nothing was.

    Attributes:
        owner_id: the owner, as Slack names people.
        rule_author_id: who wrote the rule that is kept in a draft.
        repeats: the number of the lesson it repeats, as it was typed.
        why_linked: how the detail changes future behaviour.
    """

    title: str = ""
    what_failed: str = ""
    severity: str = ""
    area: str = ""
    owner_id: str = ""
    rule: str = ""
    rule_author_id: str = ""
    enforcement: str = ""
    enforcement_ref: str = ""
    repeats: str = ""
    enforcement_change: str = ""
    why_linked: str = ""
    impact: str = ""
    root_cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What was known when an incident began to be written down; empty or None where nothing was.

    Attributes:
        since: when the series began to fail.
        streak: how many runs in a row did not pass.
        fingerprint: recognises the same failure when it comes again.
        run_id: the run that its standing rests on.
        permalink: the message it began from.
    """

    workflow: str = ""
    environment: str = ""
    branch: str = ""
    since: Instant | None = None
    streak: int = 0
    reason: str = ""
    detail: str = ""
    fingerprint: str = ""
    run_id: str = ""
    permalink: str = ""

    @property
    def series(self) -> SeriesKey | None:
        """The series it is about, where it is about one."""
        if not self.workflow:
            return None
        return SeriesKey(self.workflow, self.environment, self.branch)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something began in Slack, and where its outcome is said; empty where nowhere."""

    channel: str = ""
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to keep."""

    form: IncidentForm
    facts: IncidentFacts
    owner: Person
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class IncidentDraft:
    """A draft as it is kept.

    Attributes:
        reminded_at: when its owner was reminded; None while that is to come.
        operation_id: what carries it to git, once its rule was written.
    """

    id: str
    form: IncidentForm
    facts: IncidentFacts
    owner: Person
    origin: Origin
    state: DraftState
    created_at: Instant
    due_at: Instant
    reminded_at: Instant | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class LateDraft:
    """A draft whose rule was due, as "what's failing?" tells it."""

    title: str
    due_at: Instant
    owner: str
    workflow: str = ""
    environment: str = ""
    branch: str = ""
