"""The answer to "what's failing?": one value that four faces show."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import Instant
from faultbook.model.draft import LateDraft
from faultbook.model.fingerprint import fingerprint
from faultbook.model.run import SeriesKey
from faultbook.model.standing import BAD, RunMark, Standing
from faultbook.model.verdict import FailureClass, Reason, Verdict


class Headline(StrEnum):
    """What the answer says first; the row of the truth table that applies."""

    FAILING = "failing"
    NOTHING_FAILING = "nothing_failing"
    NOT_ALL_PASSING = "not_all_passing"
    STALE = "stale"
    EMPTY = "empty"
    NO_MATCH = "no_match"
    OTHER_BRANCHES = "other_branches"
    DRAFT_LATE = "draft_late"
    """Every series passes, but the prevention rule of an incident was due."""
    UNDELIVERED = "undelivered"
    """Every series passes, but something that was owed in Slack could not be delivered."""
    NOTHING_NEW = "nothing_new"
    """Nothing broke within the asked time, but something has been failing for longer."""


@dataclass(frozen=True, slots=True)
class FailingQuery:
    """What the question is limited to; None where it is not.

    Attributes:
        place: a word that may name an environment, a workflow or a branch, as people say it.
        since: only what broke at or after this instant.
    """

    environment: str | None = None
    workflow: str | None = None
    branch: str | None = None
    place: str | None = None
    since: Instant | None = None
    all_branches: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Where evidence of an answer is, in short."""

    name: str
    check: str
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """One series as the answer tells it.

    Attributes:
        silent_since: when its next record was due at the latest; None while it is not silent.
        verdict, reason, failure_class, detail: of the run that the standing rests on.
        basis_run: that run.
        newest_unproven: the standing holds although the newest run could not be proven.
        running_since: start of its oldest open run that is within its deadline.
        known_lesson, known_incident: what its failure is known by; None while it is known by none.
        happened_again: this break of it began although that rule existed.
        repeats: how often the lesson's failure came again, this time included.
    """

    key: SeriesKey
    standing: Standing
    silent_since: Instant | None
    verdict: Verdict | None
    failure_class: FailureClass | None
    reason: Reason | None
    detail: str
    since: Instant | None
    streak: int
    basis_run: RunMark | None
    first_bad: RunMark | None
    last_good: RunMark | None
    newest_run: RunMark | None
    newest_verdict: Verdict | None
    newest_reason: Reason | None
    newest_unproven: bool
    evidence: tuple[EvidenceRef, ...]
    url: str | None
    newest_record_at: Instant | None
    every_seconds: float | None
    running_since: Instant | None = None
    critical: bool = False
    known_lesson: int | None = None
    known_incident: str | None = None
    happened_again: bool = False
    repeats: int = 0

    @property
    def is_bad(self) -> bool:
        """Tell whether it is failing, blocked or degraded."""
        return self.standing in BAD

    @property
    def is_passing(self) -> bool:
        """Tell whether it passes and is not silent."""
        return self.standing is Standing.PASSING and self.silent_since is None

    @property
    def is_failure(self) -> bool:
        """Tell whether its run says that something went wrong, or could not be proven."""
        return self.is_bad or self.standing is Standing.UNPROVEN

    @property
    def fingerprint(self) -> str:
        """What recognises its failure when it comes again."""
        return fingerprint(self.key.workflow, self.failure_class, self.reason, self.detail)

    @property
    def broke(self) -> RunMark | None:
        """The run that broke it: only a pass ends a failure."""
        return self.first_bad or self.basis_run


@dataclass(frozen=True, slots=True)
class Counts:
    """How many matching series stand how; a passing series that is silent counts as silent."""

    total: int = 0
    passing: int = 0
    heartbeat: int = 0
    failing: int = 0
    blocked: int = 0
    degraded: int = 0
    unproven: int = 0
    silent: int = 0
    unknown: int = 0

    @property
    def not_passing(self) -> int:
        """How many matching series do not pass."""
        return self.total - self.passing


@dataclass(frozen=True, slots=True)
class SharedReason:
    """A reason that several failing series have in common."""

    reason: Reason
    count: int


@dataclass(frozen=True, slots=True)
class FailingAnswer:
    """What is failing, how we know, and how old the newest record is.

    Attributes:
        branch: the branch that the answer is about; None when it is about all of them.
        series: every matching series that does not pass or is silent, in the order to show.
        other_branches: how many series of other branches are failing, blocked or degraded.
        failing_before: bad series that broke before the time that was asked about.
        nearest: the known name nearest to a filter that matched nothing.
        unmatched: the word of the filter that matched nothing.
        due_every_seconds: the shortest declared period among the matching series.
        series_elsewhere: how many series there are that the question leaves out; counted only
            where it leaves none in.
        late_drafts: incidents whose prevention rule was due and is not written.
        undelivered: how many notices were given up; counted only where the question is about all
            series, since they belong to none.
    """

    headline: Headline
    as_of: Instant
    newest_record_at: Instant | None
    query: FailingQuery
    branch: str | None
    series: tuple[SeriesAnswer, ...] = ()
    counts: Counts = Counts()
    other_branches: int = 0
    failing_before: int = 0
    shared_reason: SharedReason | None = None
    nearest: str | None = None
    unmatched: str | None = None
    due_every_seconds: float | None = None
    series_elsewhere: int = 0
    late_drafts: tuple[LateDraft, ...] = ()
    undelivered: int = 0

    @property
    def exit_code(self) -> int:
        """0 nothing failing over fresh data, 1 something is, 2 can't tell."""
        return _EXIT_CODES[self.headline]

    @property
    def bad(self) -> tuple[SeriesAnswer, ...]:
        """The series that are failing, blocked or degraded."""
        return tuple(series for series in self.series if series.is_bad)

    def standing(self, standing: Standing) -> tuple[SeriesAnswer, ...]:
        """The series of one standing, silent ones left out where they pass."""
        return tuple(
            series
            for series in self.series
            if series.standing is standing and not (series.silent_since and not series.is_bad)
        )

    @property
    def silent(self) -> tuple[SeriesAnswer, ...]:
        """The series that are silent and not bad; a bad one is told as bad, and silent since."""
        return tuple(series for series in self.series if series.silent_since and not series.is_bad)


_EXIT_CODES = {
    Headline.FAILING: 1,
    Headline.NOTHING_FAILING: 0,
    Headline.OTHER_BRANCHES: 0,
    Headline.NOTHING_NEW: 1,
    Headline.NOT_ALL_PASSING: 2,
    Headline.DRAFT_LATE: 2,
    Headline.UNDELIVERED: 2,
    Headline.STALE: 2,
    Headline.EMPTY: 2,
    Headline.NO_MATCH: 2,
}
