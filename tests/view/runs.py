"""Runs and their events as tests write them."""

from hypothesis import strategies as st

from faultbook.base.clock import MINUTE, SECOND, Instant
from faultbook.model.evidence import Artifact, Check
from faultbook.model.run import Contract, RunEvent, RunRecord, RunStart, RunState, SeriesKey, Usage
from faultbook.model.timeline import Timeline
from faultbook.model.verdict import FailureClass, Finding, Reason, Verdict
from tests.view.answers import RUN_ID, november, outside_text, urls

STARTED: Instant = november(18, 21)
OFFSET: Instant = 1_200_000  # the client's clock is behind

EXAMPLE = Timeline(
    RunRecord(
        run_id=RUN_ID,
        sequence=1,
        start=RunStart(
            SeriesKey("invoice-sync", "prod", "main"),
            started_at=STARTED,
            received_at=STARTED,
            occurred_at=STARTED - OFFSET,
            agent_name="invoice-bot",
            code_version="a1b2c3d" * 5,
            contract=Contract(timeout_seconds=300),
        ),
        state=RunState.CLOSED,
        deadline_at=STARTED + 6 * MINUTE,
        closed_at=STARTED + 131 * SECOND,
        ended_at=STARTED + 130_411_000,
        verdict=Verdict.INCONCLUSIVE,
        findings=(Finding(Verdict.INCONCLUSIVE, Reason.MISSING_ARTIFACT_REF),),
    ),
    (
        RunEvent(
            "tool",
            "stripe.list",
            "40 invoices",
            STARTED + 1_204_000 - OFFSET,
            STARTED + 2 * SECOND,
            duration_ms=1100,
        ),
    ),
)
"""The example of the command line's wording."""

_instants = st.integers(STARTED - MINUTE, STARTED + 10 * MINUTE)
_findings = st.builds(
    Finding,
    st.sampled_from(Verdict),
    st.sampled_from(Reason),
    st.none() | st.sampled_from(FailureClass),
    outside_text,
)
_artifacts = st.builds(
    Artifact,
    name=outside_text,
    check=st.sampled_from(Check),
    uri=st.none() | urls,
    sha256=st.none() | st.just("ab" * 32),
    size=st.none() | st.integers(0, 10**12),
    media_type=st.none() | outside_text,
    mismatch=st.none() | st.sampled_from(Reason),
    excerpt=st.none() | outside_text,
    detail=outside_text,
)
_events = st.builds(
    RunEvent,
    kind=st.sampled_from(["tool", "late_close"]) | outside_text,
    name=outside_text,
    text=outside_text,
    occurred_at=st.none() | _instants,
    received_at=_instants,
    client_seq=st.none() | st.integers(0, 10**6),
    duration_ms=st.none() | st.floats(0, 10**9),
)
_starts = st.builds(
    RunStart,
    series=st.builds(SeriesKey, outside_text, outside_text, outside_text),
    started_at=_instants,
    received_at=_instants,
    occurred_at=st.none() | _instants,
    agent_name=st.none() | outside_text,
    code_version=st.none() | outside_text,
    state_refs=st.lists(outside_text, max_size=2).map(tuple),
    url=st.none() | urls,
    promised=st.lists(outside_text, max_size=2).map(tuple),
    contract=st.builds(
        Contract,
        timeout_seconds=st.none() | st.floats(0, 10**6),
        tool_allowlist=st.none() | st.lists(outside_text, max_size=2).map(tuple),
        cost_limit=st.none() | st.decimals(0, 1000, places=6),
    ),
)
timelines = st.builds(
    Timeline,
    run=st.builds(
        RunRecord,
        run_id=st.uuids().map(str),
        sequence=st.just(0),
        start=_starts,
        state=st.sampled_from(RunState),
        deadline_at=_instants,
        closed_at=st.none() | _instants,
        ended_at=st.none() | _instants,
        verdict=st.none() | st.sampled_from(Verdict),
        findings=st.lists(_findings, max_size=3).map(tuple),
        usage=st.builds(Usage, cost=st.none() | st.decimals(0, 1000, places=6)),
        exit_code=st.none() | st.integers(0, 255),
        stdout_tail=st.none() | outside_text.map(lambda text: text * 40),
        stderr_tail=st.none() | outside_text,
        artifacts=st.lists(_artifacts, max_size=5).map(tuple),
    ),
    events=st.lists(_events, max_size=6).map(tuple),
)
"""Any run at all, with any events."""
