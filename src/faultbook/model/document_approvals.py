"""The public JSON documents about approvals: asked for, decided, executed."""

import json
from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.document_fields import Link, Name, Seconds
from faultbook.model.documents import PublicDocument, read_document

_MOST_LINKS = 20

_Words = Annotated[str, StringConstraints(max_length=3_000)]
_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Shown = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12,64}$")]
_Grant = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,64}$")]
_Number = Annotated[str, StringConstraints(pattern=r"^(?:[Aa]-)?[0-9]{1,12}$")]
_TaskId = Annotated[str, StringConstraints(pattern=r"^(?:[Tt]-)?[0-9]{1,12}$")]


class EvidenceDocument(PublicDocument):
    """What the asker points at."""

    name: Name
    url: Link


class NewApprovalDocument(PublicDocument):
    """An action that a person shall decide about."""

    kind: Name
    """What policies know it by, such as `refund`."""
    target: Name
    """What it is done to."""
    environment: Name | None = None
    """Left out: the team's default."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """All that it will run with. Decimals are strings; secrets are `secret:NAME`."""
    why: Annotated[str, StringConstraints(max_length=3_000, pattern=r"\S")]
    effect: _Words = ""
    """What will happen, for whoever decides."""
    evidence: Annotated[tuple[EvidenceDocument, ...], Field(max_length=_MOST_LINKS)] = ()
    task: _TaskId | None = None
    """The task it belongs to, held by the agent; whoever gave that may not decide.

    Left out it is the run's, or the only one that the agent holds.
    """
    run_id: Name | None = None
    ttl_seconds: Annotated[Seconds, Field(gt=0)] | None = None
    supersedes: _Number | None = None
    webhook: Link | None = None
    """Told of the outcome, signed; to public hosts by https."""


class DecisionDocument(PublicDocument):
    """A person's decision."""

    reason: _Words = ""
    digest: _Shown
    """Of what the person saw: all of it, or at least the 12 digits that cards show."""


class ReviewDocument(PublicDocument):
    """What somebody found who looked at a broken glass."""

    note: _Words


class OutcomeDocument(PublicDocument):
    """What a person found out about an execution that nobody knew of."""

    happened: bool
    words: _Words


class ExecuteDocument(PublicDocument):
    """An agent that is about to run what was approved."""

    digest: _Digest


class ReportDocument(PublicDocument):
    """How an execution ended."""

    grant: _Grant
    words: _Words = ""


_NEW = TypeAdapter(NewApprovalDocument)
_DECISION = TypeAdapter(DecisionDocument)
_REVIEW = TypeAdapter(ReviewDocument)
_OUTCOME = TypeAdapter(OutcomeDocument)
_EXECUTE = TypeAdapter(ExecuteDocument)
_REPORT = TypeAdapter(ReportDocument)


def read_new_approval(body: bytes) -> NewApprovalDocument:
    """Read a request from JSON.

    Raises:
        InvalidError: it is no JSON, a field does not fit, or an object says a name twice; `where`
            names the field.
    """
    found = read_document(_NEW, NewApprovalDocument, body)
    # Of two values under one name readers take either, so it would not be sure what was shown.
    json.loads(body, object_pairs_hook=_only_once, parse_int=str, parse_float=str)
    return found


def _only_once(pairs: list[tuple[str, Any]]) -> None:
    names = set[str]()
    for name, _ in pairs:
        if name in names:
            shown = cut(one_line(redact(name)), 60)
            raise InvalidError(
                f"`{shown}` stands twice in one object.",
                code="duplicate_key",
                next_step="Send each name once.",
                where=shown,
            )
        names.add(name)


def read_decision(body: bytes) -> DecisionDocument:
    """Read a decision from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_DECISION, DecisionDocument, body)


def read_review(body: bytes) -> ReviewDocument:
    """Read a review from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_REVIEW, ReviewDocument, body)


def read_outcome(body: bytes) -> OutcomeDocument:
    """Read from JSON what became of an execution.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_OUTCOME, OutcomeDocument, body)


def read_execute(body: bytes) -> ExecuteDocument:
    """Read from JSON what is about to be run.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_EXECUTE, ExecuteDocument, body)


def read_report(body: bytes) -> ReportDocument:
    """Read from JSON how an execution ended.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_REPORT, ReportDocument, body)
