"""The public documents read back, so that an answer from a server is shown as a local one."""

from dataclasses import fields
from decimal import Decimal

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
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.run import (
    Contract,
    RunEvent,
    RunRecord,
    RunStart,
    RunState,
    RunType,
    Schedule,
    SeriesKey,
    Usage,
)
from faultbook.model.standing import RunMark, Standing
from faultbook.model.timeline import Timeline
from faultbook.model.verdict import FailureClass, Finding, Reason, Verdict
from faultbook.view.documents import Document
from faultbook.view.read_back import instant, instant_or_none, readable


def read_failing(document: Document) -> FailingAnswer:
    """Take the answer back from what `failing_document` made.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    with readable():
        return _answer(document)


def read_timeline(document: Document) -> Timeline:
    """Take a run and its events back from what `timeline_document` made.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    with readable():
        events = tuple(_event(event) for event in document.get("events") or ())
        return Timeline(_run(document), events, more=bool(document.get("more_events")))


def _answer(document: Document) -> FailingAnswer:
    shared = document["shared_reason"]
    query = document["query"] | {"since": instant_or_none(document["query"]["since"])}
    counts = {field.name: int(document["counts"][field.name]) for field in fields(Counts)}
    return FailingAnswer(
        headline=Headline(document["headline"]),
        as_of=instant(document["as_of"]),
        newest_record_at=instant_or_none(document["newest_record_at"]),
        query=FailingQuery(**query),
        branch=document["branch"],
        series=tuple(_series(series) for series in document["series"]),
        counts=Counts(**counts),
        other_branches=document["other_branches"],
        failing_before=document["failing_before"],
        shared_reason=SharedReason(Reason(shared["reason"]), shared["count"]) if shared else None,
        nearest=document["nearest"],
        unmatched=document["unmatched"],
        due_every_seconds=document["due_every_seconds"],
        series_elsewhere=document["series_elsewhere"],
        late_drafts=tuple(_late_draft(draft) for draft in document["late_drafts"]),
        undelivered=int(document["undelivered"]),
    )


def _late_draft(draft: Document) -> LateDraft:
    return LateDraft(**(draft | {"due_at": instant(draft["due_at"])}))


def _series(series: Document) -> SeriesAnswer:
    return SeriesAnswer(
        key=_key(series),
        standing=Standing(series["standing"]),
        silent_since=instant_or_none(series["silent_since"]),
        verdict=_verdict(series["verdict"]),
        failure_class=_failure_class(series["failure_class"]),
        reason=_reason(series["reason"]),
        detail=series["detail"],
        since=instant_or_none(series["since"]),
        streak=series["streak"],
        basis_run=_mark(series["basis_run"]),
        first_bad=_mark(series["first_bad_run"]),
        last_good=_mark(series["last_good_run"]),
        newest_run=_mark(series["newest_run"]),
        newest_verdict=_verdict(series["newest_verdict"]),
        newest_reason=_reason(series["newest_reason"]),
        newest_unproven=series["newest_unproven"],
        evidence=tuple(
            EvidenceRef(ref["name"], ref["check"], ref["uri"]) for ref in series["evidence"]
        ),
        url=series["url"],
        newest_record_at=instant_or_none(series["newest_record_at"]),
        every_seconds=series["every_seconds"],
        running_since=instant_or_none(series["running_since"]),
        critical=series["critical"],
        known_lesson=series["known_lesson"],
        known_incident=series["known_incident"],
        happened_again=series["happened_again"],
        repeats=series["repeats"],
    )


def _key(document: Document) -> SeriesKey:
    return SeriesKey(document["workflow"], document["environment"], document["branch"])


def _mark(mark: Document | None) -> RunMark | None:
    if mark is None:
        return None
    return RunMark(mark["run_id"], instant(mark["started_at"]), mark["code_version"])


def _run(run: Document) -> RunRecord:
    usage = ("input_tokens", "output_tokens", "cost", "cpu_seconds", "peak_memory_bytes")
    spent = {name: run[name] for name in usage} | {"cost": _decimal(run["cost"])}
    return RunRecord(
        run_id=run["run_id"],
        sequence=0,  # the server's own; it is no part of the document
        start=_start(run),
        state=RunState(run["state"]),
        deadline_at=instant(run["deadline_at"]),
        closed_at=instant_or_none(run["closed_at"]),
        ended_at=instant_or_none(run["ended_at"]),
        verdict=_verdict(run["verdict"]),
        findings=tuple(_finding(finding) for finding in run["findings"]),
        usage=Usage(**spent),
        exit_code=run["exit_code"],
        signal=run["signal"],
        tests=_tests(run["tests"]),
        stdout_tail=run["stdout_tail"],
        stderr_tail=run["stderr_tail"],
        artifacts=tuple(_artifact(artifact) for artifact in run["artifacts"]),
    )


def _start(run: Document) -> RunStart:
    allowed = run["tool_allowlist"]
    every = run["every_seconds"]
    return RunStart(
        series=_key(run),
        started_at=instant(run["started_at"]),
        received_at=instant(run["received_at"]),
        occurred_at=instant_or_none(run["occurred_at"]),
        run_type=RunType(run["run_type"]),
        agent_name=run["agent_name"],
        task_id=run["task_id"],
        attempt=run["attempt"],
        code_version=run["code_version"],
        model=run["model"],
        prompt_version=run["prompt_version"],
        input_sha256=run["input_sha256"],
        state_refs=tuple(run["state_refs"]),
        url=run["url"],
        promised=tuple(run["promised"]),
        contract=Contract(
            run["timeout_seconds"],
            run["grace_seconds"],
            None if allowed is None else tuple(allowed),
            run["token_limit"],
            _decimal(run["cost_limit"]),
        ),
        schedule=None if every is None else Schedule(every, run["due_grace_seconds"]),
    )


def _finding(finding: Document) -> Finding:
    return Finding(
        Verdict(finding["verdict"]),
        Reason(finding["reason"]),
        _failure_class(finding["failure_class"]),
        finding["detail"],
    )


def _tests(tests: Document | None) -> TestCounts | None:
    if tests is None:
        return None
    return TestCounts(**(tests | {"failed_names": tuple(tests["failed_names"])}))


def _artifact(artifact: Document) -> Artifact:
    known = {
        "check": Check(artifact["check"]),
        "mismatch": _reason(artifact["mismatch"]),
    }
    return Artifact(**(artifact | known))


def _event(event: Document) -> RunEvent:
    times = {
        "occurred_at": instant_or_none(event["occurred_at"]),
        "received_at": instant(event["received_at"]),
    }
    return RunEvent(**(event | times))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _verdict(word: str | None) -> Verdict | None:
    return None if word is None else Verdict(word)


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)


def _failure_class(word: str | None) -> FailureClass | None:
    return None if word is None else FailureClass(word)
