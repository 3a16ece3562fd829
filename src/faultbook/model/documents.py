"""The public JSON documents about runs, and what they say as values.

Shared by the HTTP door, the wrapper and its spool: one validator for everything that reports. What
is not said stays unsaid; what can't be true is refused with the field's name.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from faultbook.model.document_errors import explain_document
from faultbook.model.document_fields import (
    ArtifactName,
    Cost,
    Count,
    Link,
    MediaType,
    Name,
    NameOrNone,
    Reference,
    Seconds,
    Sha256,
    Time,
)
from faultbook.model.evidence import Check
from faultbook.model.run import RunType
from faultbook.model.verdict import FailureClass, Reason, Verdict

JUNIT_MEDIA_TYPE = "application/junit+xml"
"""The media type under which a report's tests are counted."""

_MOST_ITEMS = 200
_MOST_EVENTS = 1_000


class PublicDocument(BaseModel):
    """A JSON document from outside: strict, and refused where it says what we do not know."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class ArtifactDocument(PublicDocument):
    """A piece of evidence: its bytes inline, or a reference that names it."""

    name: ArtifactName
    """What it is called; promised artifacts are recognised by it. Never opened as a path."""
    uri: Reference | None = None
    """Where people find it; shown, never opened."""
    media_type: MediaType | None = None
    """`application/junit+xml` has its tests counted."""
    sha256: Sha256 | None = None
    """The digest that the reporter expects; other bytes are a mismatch."""
    content: str | None = None
    """The bytes, in base64 (RFC 4648)."""
    text: str | None = None
    """The bytes, as text in UTF-8."""
    check: Check | None = None
    """What the reporter's own check came to; it can worsen ours, and never better it."""
    mismatch: Literal["digest_mismatch", "schema_mismatch"] | None = None
    """What did not fit, where `check` is `mismatch`."""
    detail: str = ""
    """Why the check came out so."""
    size: Count | None = None
    """Bytes that the reporter read."""
    excerpt: str | None = None
    """The first lines, for people to read."""


class EventDocument(PublicDocument):
    """Something that happened within a run."""

    kind: Name
    """`tool`, `step`, `log`, …: tools are held against the run's `tool_allowlist`."""
    name: NameOrNone = ""
    """What it was about: the tool that was called, the step that was taken."""
    text: str = ""
    occurred_at: Time | None = None
    client_seq: Count | None = None
    """The client's own count, which orders events of one run."""
    duration_ms: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """By the client's monotonic clock."""


class StartDocument(PublicDocument):
    """A run as it begins."""

    workflow: Name
    environment: Name | None = None
    """Left out: the team's default environment."""
    branch: Name | None = None
    """Left out: the main branch."""
    run_type: RunType = RunType.LIVE
    """Replays make no standing."""
    agent_name: Name | None = None
    """The token says who reports; another name is refused."""
    task_id: Name | None = None
    attempt: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    started_at: Time | None = None
    """Left out: now."""
    sent_at: Time | None = None
    """The client's clock as it sends this; times are corrected by its difference to ours."""
    code_version: Name | None = None
    model: Name | None = None
    prompt_version: Name | None = None
    input_sha256: Sha256 | None = None
    state_refs: Annotated[tuple[Reference, ...], Field(max_length=_MOST_ITEMS)] = ()
    url: Link | None = None
    """Where people can read more of this run; http or https, shown as a link, never opened."""
    promised: Annotated[tuple[ArtifactName, ...], Field(max_length=_MOST_ITEMS)] = ()
    """Names of the artifacts that this run will bring."""
    timeout_seconds: Annotated[Seconds, Field(gt=0)] | None = None
    grace_seconds: Seconds | None = None
    tool_allowlist: Annotated[tuple[Name, ...], Field(max_length=1_000)] | None = None
    token_limit: Count | None = None
    cost_limit: Cost | None = None
    every_seconds: Seconds | None = None
    """The next run is due so long after this start; 0 takes an earlier schedule back."""
    due_grace_seconds: Seconds | None = None
    """How late the next run may come before the series is silent."""


class CloseDocument(PublicDocument):
    """How a run ended: an exit, a signal, a timeout, a verdict or a JUnit report is said."""

    ended_at: Time | None = None
    sent_at: Time | None = None
    """The client's clock as it sends this; times are corrected by its difference to ours."""
    exit_code: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    signal: Annotated[int, Field(ge=1, le=255)] | None = None
    """The number of the signal that ended the command."""
    command_started: bool = True
    """False: the command could not be started at all."""
    timed_out: bool = False
    """It was ended because it still ran at its timeout."""
    verdict: Verdict | None = None
    """What the reporter says; it can only worsen what the evidence says."""
    reason: Reason | None = None
    failure_class: FailureClass | None = None
    detail: str = ""
    """The verdict in words; kept to 2 000 characters."""
    confirm: Literal["succeeded", "failed", "timed_out"] | None = None
    """How the probe of the side effect came out."""
    promised: Annotated[tuple[ArtifactName, ...], Field(max_length=_MOST_ITEMS)] = ()
    """Names of artifacts that it was to bring, beside those promised at its start."""
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cost: Cost | None = None
    cpu_seconds: Seconds | None = None
    peak_memory_bytes: Count | None = None
    stdout_tail: str | None = None
    """The end of what was written to stdout; the last 10 000 bytes are kept."""
    stderr_tail: str | None = None
    artifacts: Annotated[tuple[ArtifactDocument, ...], Field(max_length=_MOST_ITEMS)] = ()


class RecordDocument(StartDocument, CloseDocument):
    """A whole run, told in one piece."""

    ended_at: Time | None = None
    """Left out: when it started, since nothing younger is known; without a start: now."""
    events: Annotated[tuple[EventDocument, ...], Field(max_length=_MOST_EVENTS)] = ()


_START = TypeAdapter(StartDocument)
_CLOSE = TypeAdapter(CloseDocument)
_RECORD = TypeAdapter(RecordDocument)
_EVENT = TypeAdapter(EventDocument)

_D = TypeVar("_D", bound=PublicDocument)


def read_start(body: bytes) -> StartDocument:
    """Read a run's beginning from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_START, StartDocument, body)


def read_close(body: bytes) -> CloseDocument:
    """Read a run's end from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_CLOSE, CloseDocument, body)


def read_record(body: bytes) -> RecordDocument:
    """Read a whole run from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_RECORD, RecordDocument, body)


def read_event(body: bytes) -> EventDocument:
    """Read an event from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_EVENT, EventDocument, body)


def read_document(adapter: TypeAdapter[_D], model: type[_D], body: bytes) -> _D:
    """Read a document from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise explain_document(error, model) from None
