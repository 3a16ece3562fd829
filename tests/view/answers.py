"""Answers as tests write them: the examples of the wording, and any answer at all."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from faultbook.base.clock import HOUR, MINUTE, Instant, from_datetime
from faultbook.model.answer import (
    Counts,
    EvidenceRef,
    FailingAnswer,
    FailingQuery,
    Headline,
    SeriesAnswer,
    SharedReason,
)
from faultbook.model.draft import LateDraft
from faultbook.model.run import SeriesKey
from faultbook.model.standing import RunMark, Standing
from faultbook.model.verdict import FailureClass, Reason, Verdict

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
"""How much is tried of any value at all, in tests of faces."""


def november(day: int, hour: int, minute: int = 0) -> Instant:
    return from_datetime(datetime(2026, 11, day, hour, minute, tzinfo=UTC))


AS_OF = november(18, 21, 20)
RUN_ID = "019a94f0-0000-7000-8000-00007c1e90ab"


def series(workflow: str, standing: Standing, **facts: Any) -> SeriesAnswer:  # noqa: ANN401 - its own fields
    """Build a series; what is not said is ordinary."""
    ordinary = SeriesAnswer(
        key=SeriesKey(workflow, "prod", "main"),
        standing=standing,
        silent_since=None,
        verdict=None,
        failure_class=None,
        reason=None,
        detail="",
        since=november(18, 15, 4),
        streak=1,
        basis_run=RunMark(RUN_ID, november(18, 20)),
        first_bad=None,
        last_good=None,
        newest_run=RunMark(RUN_ID, november(18, 20)),
        newest_verdict=None,
        newest_reason=None,
        newest_unproven=False,
        evidence=(),
        url=None,
        newest_record_at=november(18, 20),
        every_seconds=None,
    )
    return replace(ordinary, **facts)


FAILING = series(
    "invoice-sync",
    Standing.FAILING,
    verdict=Verdict.FAILED,
    failure_class=FailureClass.PERSISTENT,
    reason=Reason.MISSING_ARTIFACT_REF,
    detail="no PDF was written",
    streak=6,
    first_bad=RunMark("019a94f0-0000-7000-8000-0000aaaaaaaa", november(18, 15, 4), "a1b2c3d" * 5),
    last_good=RunMark("019a94f0-0000-7000-8000-0000bbbbbbbb", november(18, 14), "9f8e7d6" * 5),
    evidence=(EvidenceRef("out/run.log", "verified"),),
)
UNPROVEN = series("price-feed", Standing.UNPROVEN, reason=Reason.MISSING_ARTIFACT_REF, streak=2)
SILENT = series(
    "nightly-dump",
    Standing.PASSING,
    silent_since=november(17, 20, 5),
    every_seconds=3600,
    newest_record_at=november(17, 19),
)
BLOCKED = series(
    "crm-sync", Standing.BLOCKED, reason=Reason.SESSION_EXPIRED, detail="Log in to CRM"
)
DEGRADED = series("mailer", Standing.DEGRADED, reason=Reason.PARTIAL_RESULT, detail="38 of 40 sent")
UNKNOWN = series("new-job", Standing.UNKNOWN, newest_run=None, basis_run=None, since=None)


def answer(
    *of: SeriesAnswer,
    headline: Headline = Headline.FAILING,
    **facts: Any,  # noqa: ANN401 - its own fields
) -> FailingAnswer:
    """Build an answer; its counts are those of its series, and 41 that pass."""
    counted = {
        standing.value: sum(s.standing is standing and (s.is_bad or not s.silent_since) for s in of)
        for standing in Standing
    }
    silent = sum(bool(s.silent_since) and not s.is_bad for s in of)
    counted |= {"passing": 41, "silent": silent, "total": 41 + len(of)}
    ordinary = FailingAnswer(
        headline=headline,
        as_of=AS_OF,
        newest_record_at=AS_OF - 3 * MINUTE,
        query=FailingQuery(),
        branch="main",
        series=of,
        counts=Counts(**counted),
    )
    return replace(ordinary, **facts)


def many_failing(count: int = 200, *, shared: int = 31) -> FailingAnswer:
    """Build an answer over many failing series, of which some share a reason."""
    of = [
        replace(
            FAILING,
            key=SeriesKey(f"workflow-{number:03}", "prod", "main"),
            reason=Reason.AUTH_REJECTED if number < shared else Reason.NONZERO_EXIT,
        )
        for number in range(count)
    ]
    return answer(*of, shared_reason=SharedReason(Reason.AUTH_REJECTED, shared))


EXAMPLE = answer(FAILING, UNPROVEN, SILENT, other_branches=3)
"""The example of the command line's wording."""

HEADLINES: dict[str, FailingAnswer] = {
    "five": answer(
        *(replace(FAILING, key=SeriesKey(f"w{n}", "prod", "main")) for n in range(5)),
        *(replace(UNPROVEN, key=SeriesKey(f"u{n}", "prod", "main")) for n in range(2)),
        SILENT,
    ),
    "one": answer(FAILING),
    "every standing": answer(FAILING, BLOCKED, DEGRADED, UNPROVEN, SILENT, UNKNOWN),
    "blocked only": answer(BLOCKED),
    "nothing": answer(headline=Headline.NOTHING_FAILING),
    "nothing, by heartbeat": answer(
        headline=Headline.NOTHING_FAILING, counts=Counts(total=41, passing=41, heartbeat=3)
    ),
    "not all passing": answer(
        UNPROVEN,
        replace(UNPROVEN, key=SeriesKey("rates", "prod", "main")),
        SILENT,
        headline=Headline.NOT_ALL_PASSING,
        counts=Counts(total=41, passing=38, unproven=2, silent=1),
    ),
    "a late draft": answer(
        headline=Headline.DRAFT_LATE,
        late_drafts=(LateDraft("invoice-sync wrote no PDF", november(18, 9), "Ana Ruiz"),),
    ),
    "failing, and a late draft": answer(
        FAILING, late_drafts=(LateDraft("crm-sync: `no` login", november(17, 9), "Ben Okafor"),)
    ),
    "undelivered": answer(headline=Headline.UNDELIVERED, undelivered=1),
    "failing, and undelivered": answer(FAILING, undelivered=12),
    "branches only": answer(headline=Headline.OTHER_BRANCHES, other_branches=4),
    "empty": answer(headline=Headline.EMPTY, newest_record_at=None, counts=Counts()),
    "empty branch": answer(
        headline=Headline.EMPTY, newest_record_at=None, counts=Counts(), series_elsewhere=3
    ),
    "none closed yet": answer(
        replace(UNKNOWN, running_since=AS_OF - MINUTE),
        headline=Headline.EMPTY,
        newest_record_at=None,
        counts=Counts(total=1, unknown=1),
    ),
    "stale": answer(
        FAILING,
        replace(FAILING, key=SeriesKey("rates", "prod", "main")),
        headline=Headline.STALE,
        newest_record_at=AS_OF - 26 * HOUR,
        due_every_seconds=3600.0,
    ),
    "no match": answer(
        headline=Headline.NO_MATCH,
        newest_record_at=None,
        counts=Counts(),
        unmatched="stagin",
        nearest="staging",
    ),
    "nothing new": answer(
        headline=Headline.NOTHING_NEW,
        query=FailingQuery(since=november(16, 0)),
        failing_before=4,
        counts=Counts(total=45, passing=41, failing=4),
    ),
    "since": answer(
        FAILING,
        query=FailingQuery(since=november(16, 0)),
        failing_before=4,
        counts=Counts(total=46, passing=41, failing=5),
    ),
    "all branches, in prod": answer(
        FAILING, branch=None, query=FailingQuery(environment="prod", all_branches=True)
    ),
    "silent and failing": answer(
        replace(
            FAILING,
            silent_since=november(18, 18),
            newest_unproven=True,
            newest_reason=Reason.EMPTY_OUTPUT,
            critical=True,
        )
    ),
    "running": answer(replace(FAILING, running_since=november(18, 21))),
    "happened again": answer(
        replace(FAILING, known_lesson=14, happened_again=True, repeats=2),
        replace(DEGRADED, known_lesson=3, happened_again=True, repeats=1),
    ),
    "known": answer(replace(FAILING, known_lesson=27)),
    "200": many_failing(),
}
"""Every row of what the answer may say first, and what else may be said."""


outside_text = st.text(
    st.characters() | st.sampled_from("<>&`*_~|@!#:\\\n\t\x00\u202e\u200b"), max_size=300
)
"""What may come from outside, with what could break out more often than chance would have it."""

urls = outside_text | st.builds(lambda tail: f"https://ci.example/{tail}", outside_text)
_instants = st.integers(min_value=november(1, 0), max_value=AS_OF)
_marks = st.builds(
    RunMark, st.uuids().map(str), _instants, st.none() | st.sampled_from(["a" * 40]) | outside_text
)
_every_series = st.builds(
    SeriesAnswer,
    key=st.builds(SeriesKey, outside_text, outside_text, outside_text),
    standing=st.sampled_from(Standing),
    silent_since=st.none() | _instants,
    verdict=st.none() | st.sampled_from(Verdict),
    failure_class=st.none() | st.sampled_from(FailureClass),
    reason=st.none() | st.sampled_from(Reason),
    detail=outside_text,
    since=st.none() | _instants,
    streak=st.integers(0, 10**6),
    basis_run=st.none() | _marks,
    first_bad=st.none() | _marks,
    last_good=st.none() | _marks,
    newest_run=st.none() | _marks,
    newest_verdict=st.none() | st.sampled_from(Verdict),
    newest_reason=st.none() | st.sampled_from(Reason),
    newest_unproven=st.booleans(),
    evidence=st.lists(
        st.builds(EvidenceRef, outside_text, outside_text, st.none() | urls), max_size=3
    ).map(tuple),
    url=st.none() | urls,
    newest_record_at=st.none() | _instants,
    every_seconds=st.none() | st.floats(1, 10**7),
    running_since=st.none() | _instants,
    critical=st.booleans(),
    known_lesson=st.none() | st.integers(1, 10**6),
    known_incident=st.none() | outside_text,
    happened_again=st.booleans(),
    repeats=st.integers(0, 10**6),
)
_numbers = st.integers(0, 10**6)
_late_drafts = st.builds(
    LateDraft, outside_text, _instants, outside_text, outside_text, outside_text, outside_text
)


@st.composite
def answers(draw: st.DrawFn) -> FailingAnswer:
    """Draw any answer at all; a short list of series is repeated to a long one."""
    some = draw(st.lists(_every_series, max_size=4))
    times = draw(st.sampled_from([1, 1, 3, 60]))
    headline = draw(st.sampled_from(Headline))
    of = tuple(some * times)
    counts = draw(st.builds(Counts, *([_numbers] * 9)))
    return FailingAnswer(
        headline=headline,
        as_of=AS_OF,
        newest_record_at=draw(st.none() | _instants),
        query=FailingQuery(
            environment=draw(st.none() | outside_text.filter(bool)),
            workflow=draw(st.none() | outside_text.filter(bool)),
            since=draw(st.none() | _instants),
        ),
        branch=draw(st.none() | outside_text),
        series=of,
        counts=counts,
        other_branches=draw(_numbers),
        failing_before=draw(_numbers),
        shared_reason=draw(st.none() | st.builds(SharedReason, st.sampled_from(Reason), _numbers)),
        nearest=draw(st.none() | outside_text),
        unmatched=draw(st.none() | outside_text),
        due_every_seconds=draw(st.none() | st.floats(1, 10**7)),
        series_elsewhere=draw(_numbers),
        late_drafts=tuple(draw(st.lists(_late_drafts, max_size=5))),
        undelivered=draw(_numbers),
    )
