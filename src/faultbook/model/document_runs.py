"""From public documents to runs: names redacted, times settled, claims weighed."""

from dataclasses import dataclass
from decimal import Decimal

from faultbook.base.clock import DAY, SECOND, Instant
from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import duration
from faultbook.model.document_artifacts import is_junit, read_artifacts
from faultbook.model.document_text import Redaction, kept_tail, kept_text
from faultbook.model.documents import (
    CloseDocument,
    EventDocument,
    RecordDocument,
    StartDocument,
)
from faultbook.model.judge import Claim, Outcome
from faultbook.model.policy import LEAD, Policy
from faultbook.model.run import Contract, RunEnd, RunEvent, RunStart, Schedule, SeriesKey, Usage
from faultbook.model.verdict import Verdict

SKEW: Instant = DAY
"""How far it may be ahead when it says so itself, in `sent_at`, and its times are corrected."""

_COST_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Reception:
    """What is known beside a document: who sent it, when it came, what may be believed.

    Attributes:
        agent_name: who the token says it is; None where there is no token, then the document's
            own word counts.
        attested: the reporter verified artifacts on its own host, and is Faultbook's own wrapper.
        redaction: how texts are redacted; see `redaction_for`.
    """

    policy: Policy
    received_at: Instant
    agent_name: str | None = None
    attested: bool = False
    redaction: Redaction = redact


def to_start(document: StartDocument, reception: Reception) -> RunStart:
    """Take a run's beginning as a value.

    Raises:
        InvalidError: a time lies ahead of us.
        ForbiddenError: it claims to be another agent's run.
    """
    offset = _clock_offset(document.sent_at, reception)
    return _start(document, reception, _settled(document, "started_at", offset, reception))


def to_end(document: CloseDocument, reception: Reception) -> RunEnd:
    """Take a run's end as a value; without `ended_at` it ended as it was reported.

    `check_outcome_said` is the caller's to ask: an earlier upload may say it.

    Raises:
        InvalidError: a claim lacks its reason, or an artifact can't be read.
    """
    offset = _clock_offset(document.sent_at, reception)
    ended = _settled(document, "ended_at", offset, reception)
    return _end(document, reception, reception.received_at if ended is None else ended)


def to_event(document: EventDocument, reception: Reception) -> RunEvent:
    """Take an event as a value.

    Raises:
        InvalidError: its time lies ahead of us.
    """
    return _event(document, reception, 0)


def to_run(
    document: RecordDocument, reception: Reception
) -> tuple[RunStart, RunEnd, tuple[RunEvent, ...]]:
    """Take a whole run as values, ready to be judged by `prepare_whole`.

    Where only one of start and end is said, the other is the same instant: nothing younger is
    known of the run, and a record never seems fresher than it is.

    Raises:
        InvalidError: something in it does not fit together; `where` names the field.
        ForbiddenError: it claims to be another agent's run.
    """
    offset = _clock_offset(document.sent_at, reception)
    started = _settled(document, "started_at", offset, reception)
    ended = _settled(document, "ended_at", offset, reception)
    if started is None:
        started = reception.received_at if ended is None else ended
    if ended is None:
        ended = started
    elif ended < started - LEAD:
        raise InvalidError(
            "`ended_at` is before `started_at`.",
            code="bad_time",
            next_step="Correct the times; nothing was recorded.",
            where="ended_at",
        )
    start = _start(document, reception, started)
    end = _end(document, reception, max(started, ended))
    check_outcome_said(end.outcome)
    return start, end, tuple(_event(event, reception, offset) for event in document.events)


def _start(document: StartDocument, reception: Reception, started: Instant | None) -> RunStart:
    policy, redaction = reception.policy, reception.redaction
    _check_agent(document, reception)

    def clean(text: str | None) -> str | None:
        return None if text is None else redaction(text)

    series = SeriesKey(
        redaction(document.workflow),
        redaction(document.environment or policy.default_environment),
        redaction(document.branch or policy.main_branch),
    )
    return RunStart(
        series,
        reception.received_at if started is None else started,
        reception.received_at,
        occurred_at=document.started_at,
        run_type=document.run_type,
        agent_name=reception.agent_name or clean(document.agent_name),
        task_id=clean(document.task_id),
        attempt=document.attempt,
        code_version=clean(document.code_version),
        model=clean(document.model),
        prompt_version=clean(document.prompt_version),
        input_sha256=document.input_sha256.lower() if document.input_sha256 else None,
        state_refs=tuple(map(redaction, document.state_refs)),
        url=clean(document.url),
        promised=tuple(map(redaction, document.promised)),
        contract=_contract(document, redaction),
        schedule=_schedule(document),
    )


def _check_agent(document: StartDocument, reception: Reception) -> None:
    if document.agent_name in (None, reception.agent_name) or reception.agent_name is None:
        return
    raise ForbiddenError(
        f"This token is {reception.agent_name}'s; the document says another agent.",
        code="agent_mismatch",
        next_step="Leave agent_name out, or use that agent's own token.",
        where="agent_name",
    )


# Most runs promise no limits and count nothing: these values are shared.
_NO_CONTRACT = Contract()
_NO_USAGE = Usage()


def _contract(document: StartDocument, redaction: Redaction) -> Contract:
    tools = document.tool_allowlist
    said = (
        document.timeout_seconds,
        document.grace_seconds,
        None if tools is None else tuple(map(redaction, tools)),
        document.token_limit,
        _money(document.cost_limit),
    )
    return _NO_CONTRACT if said == (None,) * 5 else Contract(*said)


def _usage(document: CloseDocument) -> Usage:
    said = (
        document.input_tokens,
        document.output_tokens,
        _money(document.cost),
        document.cpu_seconds,
        document.peak_memory_bytes,
    )
    return _NO_USAGE if said == (None,) * 5 else Usage(*said)


def _schedule(document: StartDocument) -> Schedule | None:
    if document.every_seconds is None:
        if document.due_grace_seconds is not None:
            raise InvalidError(
                "`due_grace_seconds` says how late, and nothing says how often.",
                code="missing_field",
                next_step="Add `every_seconds`.",
                where="every_seconds",
            )
        return None
    return Schedule(document.every_seconds, document.due_grace_seconds or 0.0)


def _end(
    document: CloseDocument,
    reception: Reception,
    ended: Instant,
) -> RunEnd:
    redaction = reception.redaction
    artifacts, tests = read_artifacts(
        document.artifacts, attested=reception.attested, redaction=redaction
    )
    return RunEnd(
        ended,
        Outcome(
            exit_code=document.exit_code,
            signal=document.signal,
            started=document.command_started,
            timed_out=document.timed_out,
            claim=_claim(document, redaction),
            promised=tuple(map(redaction, document.promised)),
            artifacts=artifacts,
            confirm=document.confirm,
            tests=tests,
        ),
        _usage(document),
        kept_tail(document.stdout_tail, redaction),
        kept_tail(document.stderr_tail, redaction),
    )


def check_outcome_said(outcome: Outcome) -> None:
    """Refuse an end that says nothing of how the run ended.

    Raises:
        InvalidError: there is no exit, signal, timeout, verdict or report in it.
    """
    said = (
        outcome.exit_code is not None
        or outcome.signal is not None
        or outcome.timed_out
        or not outcome.started
        or outcome.claim is not None
        or outcome.tests is not None
        or any(is_junit(artifact.media_type) for artifact in outcome.artifacts)
    )
    if not said:
        raise InvalidError(
            "Nothing says how the run ended.",
            code="missing_field",
            next_step="Add one of: exit_code, signal, timed_out, command_started, verdict, "
            "or a JUnit report.",
            where="verdict",
        )


def _claim(document: CloseDocument, redaction: Redaction) -> Claim | None:
    verdict = document.verdict
    if verdict is None:
        _refuse_words_without_verdict(document)
        return None
    if verdict is Verdict.BLOCKED and document.failure_class is None:
        raise _lacking(document, "failure_class")
    needs_reason = verdict in (Verdict.BLOCKED, Verdict.SKIPPED, Verdict.DEGRADED)
    if needs_reason and document.reason is None:
        raise _lacking(document, "reason")
    return Claim(
        verdict, document.reason, document.failure_class, kept_text(document.detail, redaction)
    )


def _refuse_words_without_verdict(document: CloseDocument) -> None:
    for field in ("reason", "failure_class", "detail"):
        if getattr(document, field):
            raise InvalidError(
                f"`{field}` explains a verdict, and none is given.",
                code="missing_field",
                next_step="Add `verdict`.",
                where=field,
            )


def _lacking(document: CloseDocument, field: str) -> InvalidError:
    return InvalidError(
        f"A run that is {document.verdict} needs a `{field}`.",
        code="missing_field",
        next_step=f"Add `{field}`.",
        where=field,
    )


def _event(document: EventDocument, reception: Reception, offset: Instant) -> RunEvent:
    _settled(document, "occurred_at", offset, reception)  # refuses what lies ahead
    return RunEvent(
        reception.redaction(document.kind),
        reception.redaction(document.name),
        kept_text(document.text, reception.redaction),
        document.occurred_at,
        reception.received_at,
        document.client_seq,
        document.duration_ms,
    )


def _clock_offset(sent_at: Instant | None, reception: Reception) -> Instant:
    """Tell what to add to the client's times; a difference below a second is its way here."""
    if sent_at is None:
        return 0
    offset = reception.received_at - sent_at
    if offset < -SKEW:
        raise _ahead("sent_at", SKEW)
    return offset if abs(offset) >= SECOND else 0


def _settled(
    document: StartDocument | CloseDocument | EventDocument,
    field: str,
    offset: Instant,
    reception: Reception,
) -> Instant | None:
    stated: Instant | None = getattr(document, field)
    if stated is None:
        return None
    corrected = stated + offset
    if corrected > reception.received_at + LEAD:
        raise _ahead(field, LEAD)
    return min(corrected, reception.received_at)


def _ahead(field: str, most: Instant) -> InvalidError:
    return InvalidError(
        f"`{field}` is more than {duration(most / SECOND)} ahead of the server's clock.",
        code="bad_time",
        next_step="Set the client's clock, or say its time in `sent_at`.",
        where=field,
    )


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(_COST_PLACES)
