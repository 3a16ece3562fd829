"""From public documents to runs: names redacted, times settled, artifacts read, claims weighed."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from faultbook.base.clock import SECOND, Instant
from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.base.redaction import redact, redact_or_none
from faultbook.base.text import cut
from faultbook.model.artifact_bytes import ArtifactReader, cut_excerpt
from faultbook.model.documents import (
    JUNIT_MEDIA_TYPE,
    ArtifactDocument,
    CloseDocument,
    EventDocument,
    RecordDocument,
    StartDocument,
)
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import Claim, Outcome, TestCounts
from faultbook.model.junit import NAMES_KEPT, count_tests
from faultbook.model.policy import Policy
from faultbook.model.run import Contract, RunEnd, RunEvent, RunStart, Schedule, SeriesKey, Usage
from faultbook.model.verdict import Reason, Verdict

LEAD: Instant = 300 * SECOND
"""How far a client's clock may be ahead of ours; Slack's window for signatures is the same."""

TAIL_BYTES = 10_000
"""How much of the end of an output is kept, as runitor does."""

TEXT_CHARACTERS = 2_000
"""How much of a detail or an event's text is kept."""

# More than is kept, so that a secret is whole when it is looked for.
_TAIL_CHARACTERS_READ = 50_000
_TEXT_CHARACTERS_READ = 20_000
_WORST_CHECK_FIRST = (
    Check.MISMATCH,
    Check.UNREACHABLE,
    Check.STALE,
    Check.EMPTY,
    Check.VERIFIED,
)
_COST_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Reception:
    """What is known beside a document: who sent it, when it came, what may be believed.

    Attributes:
        agent_name: who the token says it is; None where there is no token, then the document's
            own word counts.
        attested: the reporter verified artifacts on its own host, and is Faultbook's own wrapper.
    """

    policy: Policy
    received_at: Instant
    agent_name: str | None = None
    attested: bool = False


def to_start(document: StartDocument, reception: Reception) -> RunStart:
    """Take a run's beginning as a value.

    Raises:
        InvalidError: a time lies ahead of us.
        ForbiddenError: it claims to be another agent's run.
    """
    offset = _clock_offset(document.sent_at, reception)
    return _start(document, reception, _settled(document, "started_at", offset, reception))


def to_end(
    document: CloseDocument, reception: Reception, *, not_before: Instant | None = None
) -> RunEnd:
    """Take a run's end as a value; without `ended_at` it ended as it was reported.

    Args:
        document: the end as it was reported.
        reception: who sent it, and when.
        not_before: the run's start; an end before it is drawn up to it.

    Raises:
        InvalidError: it says no outcome, a claim lacks its reason, an artifact can't be read.
    """
    offset = _clock_offset(document.sent_at, reception)
    ended = _settled(document, "ended_at", offset, reception)
    if ended is None:
        ended = reception.received_at
    return _end(document, reception, max(ended, not_before or ended))


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
    events = tuple(_event(event, reception, offset) for event in document.events)
    return (
        _start(document, reception, started),
        _end(document, reception, max(started, ended)),
        events,
    )


def _start(document: StartDocument, reception: Reception, started: Instant | None) -> RunStart:
    policy = reception.policy
    _check_agent(document, reception)
    series = SeriesKey(
        redact(document.workflow),
        redact(document.environment or policy.default_environment),
        redact(document.branch or policy.main_branch),
    )
    return RunStart(
        series,
        reception.received_at if started is None else started,
        reception.received_at,
        occurred_at=document.started_at,
        run_type=document.run_type,
        agent_name=reception.agent_name or redact_or_none(document.agent_name),
        task_id=redact_or_none(document.task_id),
        attempt=document.attempt,
        code_version=redact_or_none(document.code_version),
        model=redact_or_none(document.model),
        prompt_version=redact_or_none(document.prompt_version),
        input_sha256=document.input_sha256.lower() if document.input_sha256 else None,
        state_refs=tuple(map(redact, document.state_refs)),
        url=redact_or_none(document.url),
        promised=tuple(map(redact, document.promised)),
        contract=_contract(document),
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


_NO_CONTRACT = Contract()


def _contract(document: StartDocument) -> Contract:
    tools = document.tool_allowlist
    contract = Contract(
        document.timeout_seconds,
        document.grace_seconds,
        None if tools is None else tuple(map(redact, tools)),
        document.token_limit,
        _money(document.cost_limit),
    )
    return contract if contract != _NO_CONTRACT else _NO_CONTRACT


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


def _end(document: CloseDocument, reception: Reception, ended: Instant) -> RunEnd:
    artifacts, tests = _artifacts(document.artifacts, reception)
    _check_outcome_said(document, tests)
    return RunEnd(
        ended,
        Outcome(
            exit_code=document.exit_code,
            signal=document.signal,
            started=document.command_started,
            timed_out=document.timed_out,
            claim=_claim(document),
            artifacts=artifacts,
            confirm=document.confirm,
            tests=tests,
        ),
        Usage(
            document.input_tokens,
            document.output_tokens,
            _money(document.cost),
            document.cpu_seconds,
            document.peak_memory_bytes,
        ),
        _tail(document.stdout_tail),
        _tail(document.stderr_tail),
    )


def _check_outcome_said(document: CloseDocument, tests: TestCounts | None) -> None:
    said = (
        document.exit_code is not None
        or document.signal is not None
        or document.timed_out
        or not document.command_started
        or document.verdict is not None
        or tests is not None
        or any(_is_junit(artifact) for artifact in document.artifacts)
    )
    if not said:
        raise InvalidError(
            "Nothing says how the run ended.",
            code="missing_field",
            next_step="Add one of: exit_code, signal, timed_out, command_started, verdict, "
            "or a JUnit report.",
            where="verdict",
        )


def _claim(document: CloseDocument) -> Claim | None:
    verdict = document.verdict
    if verdict is None:
        _refuse_words_without_verdict(document)
        return None
    if verdict is Verdict.BLOCKED and document.failure_class is None:
        raise _lacking(document, "failure_class")
    needs_reason = verdict in (Verdict.BLOCKED, Verdict.SKIPPED, Verdict.DEGRADED)
    if needs_reason and document.reason is None:
        raise _lacking(document, "reason")
    return Claim(verdict, document.reason, document.failure_class, _text(document.detail))


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


def _artifacts(
    documents: Sequence[ArtifactDocument], reception: Reception
) -> tuple[tuple[Artifact, ...], TestCounts | None]:
    if not documents:
        return (), None
    found: dict[str, Artifact] = {}
    reports: list[TestCounts] = []
    for index, document in enumerate(documents):
        field = f"artifacts.{index}"
        data = _bytes_of(document, field)
        artifact = _artifact(document, data, reception)
        if artifact.name in found:
            raise InvalidError(
                f"Two artifacts are called `{cut(artifact.name, 80)}`.",
                code="duplicate_artifact",
                next_step="Give each its own name.",
                where=f"{field}.name",
            )
        found[artifact.name] = artifact
        if data is not None and _is_junit(document) and artifact.check is not Check.EMPTY:
            reports.append(count_tests(data))
    return tuple(found.values()), add_counts(reports)


def _artifact(document: ArtifactDocument, data: bytes | None, reception: Reception) -> Artifact:
    name, uri = redact(document.name), redact_or_none(document.uri)
    if data is None:
        return _unread_artifact(document, Artifact(name, Check.UNREACHABLE, uri), reception)
    reader = ArtifactReader(name, document.media_type, uri, document.sha256)
    reader.feed(data)
    read = reader.finish()
    claimed = document.check
    if claimed is None or _rank(claimed) >= _rank(read.check):
        return read
    return replace(read, check=claimed, mismatch=_mismatch(document), detail=_text(document.detail))


def _unread_artifact(
    document: ArtifactDocument, artifact: Artifact, reception: Reception
) -> Artifact:
    check = document.check or Check.UNREACHABLE
    detail = _text(document.detail)
    if check is Check.VERIFIED and not (reception.attested and document.sha256):
        check, detail = Check.UNREACHABLE, f"{artifact.name}: its bytes were not sent"
    elif check is Check.UNREACHABLE and not detail:
        detail = f"{artifact.name} is named, and its bytes were not sent"
    return replace(
        artifact,
        check=check,
        mismatch=_mismatch(document),
        # A digest is ours or our wrapper's; another's word for it is not kept as one.
        sha256=document.sha256.lower() if reception.attested and document.sha256 else None,
        size=document.size,
        media_type=redact_or_none(document.media_type),
        excerpt=cut_excerpt(_plain(document.excerpt)) if document.excerpt else None,
        detail=detail,
    )


def _mismatch(document: ArtifactDocument) -> Reason | None:
    if document.check is not Check.MISMATCH:
        return None
    return Reason(document.mismatch or Reason.DIGEST_MISMATCH)


def _rank(check: Check) -> int:
    return _WORST_CHECK_FIRST.index(check)


def _bytes_of(document: ArtifactDocument, field: str) -> bytes | None:
    if document.content is not None and document.text is not None:
        raise InvalidError(
            "An artifact has either `content` or `text`.",
            code="bad_field",
            next_step="Leave one of them out.",
            where=f"{field}.text",
        )
    if document.text is not None:
        return document.text.encode()
    if document.content is None:
        return None
    try:
        unwrapped = document.content.replace("\n", "").replace("\r", "")
        return base64.b64decode(unwrapped, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(
            f"`{field}.content` is no base64.",
            code="bad_field",
            next_step="Encode the bytes after RFC 4648, or send text as `text`.",
            where=f"{field}.content",
        ) from error


def _is_junit(document: ArtifactDocument) -> bool:
    return is_junit(document.media_type)


def is_junit(media_type: str | None) -> bool:
    """Tell whether a media type is that of JUnit's reports."""
    return (media_type or "").partition(";")[0].strip().lower() == JUNIT_MEDIA_TYPE


def add_counts(reports: Iterable[TestCounts]) -> TestCounts | None:
    """Add up the tests of several reports; None of none."""
    total: TestCounts | None = None
    for counts in reports:
        if total is None:
            total = counts
            continue
        total = TestCounts(
            total.total + counts.total,
            total.executed + counts.executed,
            total.failed + counts.failed,
            (*total.failed_names, *counts.failed_names)[:NAMES_KEPT],
        )
    return total


def _event(document: EventDocument, reception: Reception, offset: Instant) -> RunEvent:
    _settled(document, "occurred_at", offset, reception)  # refuses what lies ahead
    return RunEvent(
        redact(document.kind),
        redact(document.name),
        _text(document.text),
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
    if offset < -LEAD:
        raise _ahead("sent_at")
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
        raise _ahead(field)
    return min(corrected, reception.received_at)


def _ahead(field: str) -> InvalidError:
    return InvalidError(
        f"`{field}` is more than {LEAD // SECOND} s ahead of the server's clock.",
        code="bad_time",
        next_step="Set the client's clock, or say its time in `sent_at`.",
        where=field,
    )


def _money(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else amount.quantize(_COST_PLACES)


def _text(text: str) -> str:
    return cut(redact(_plain(text[:_TEXT_CHARACTERS_READ])), TEXT_CHARACTERS) if text else ""


def _tail(text: str | None) -> str | None:
    if text is None:
        return None
    clean = redact(_plain(text[-_TAIL_CHARACTERS_READ:])).encode("utf-8", "replace")
    return clean[-TAIL_BYTES:].decode("utf-8", "ignore")


def _plain(text: str) -> str:
    """Show NUL instead of keeping it: PostgreSQL's text can't hold it."""
    return text.replace("\0", "\\u0000") if "\0" in text else text
