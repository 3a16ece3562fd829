"""The public JSON documents about tasks: given, claimed, reported on, closed."""

from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from faultbook.model.document_fields import Link, Name, Seconds
from faultbook.model.documents import CloseDocument, PublicDocument, read_document

LEASE_SECONDS = 30.0
"""How long a worker may be quiet where it did not say."""

_MOST_LINKS = 20
_MOST_ROUTES = 100

_LeaseSeconds = Annotated[Seconds, Field(ge=5, le=600)]
_LeaseId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]


class TaskLinkDocument(PublicDocument):
    """A file or page that comes with a task."""

    name: Name
    url: Link


class NewTaskDocument(PublicDocument):
    """Something to be done."""

    text: str
    """What is to be done, in 1 to 12 000 characters."""
    route: Name | None = None
    """Who does it; left out: the first route whose conditions take it."""
    priority: Annotated[int, Field(ge=-1_000, le=1_000)] = 0
    """The higher the sooner; 0: the route's own."""
    links: Annotated[tuple[TaskLinkDocument, ...], Field(max_length=_MOST_LINKS)] = ()
    requester: Name | None = None
    """For whom it is, as people read it; left out: the token's agent."""


class ClaimDocument(PublicDocument):
    """A worker that asks for work.

    A claim whose answer is lost on its way is nobody's: its lease runs out, and the task is queued
    again. Send an Idempotency-Key, and the same claim comes back for as long as it is held.
    """

    agent: Name | None = None
    """The token says whose worker it is; another name is refused."""
    worker: Name | None = None
    """Which of the agent's processes it is, for people to read; left out: the agent's name."""
    wait_seconds: Annotated[Seconds, Field(le=30)] = 0.0
    """How long to wait for a task where there is none."""
    lease_seconds: _LeaseSeconds = LEASE_SECONDS
    """Without a sign of life for so long the task goes to another worker."""
    routes: Annotated[tuple[Name, ...], Field(max_length=_MOST_ROUTES)] | None = None
    """Only tasks of these of the agent's routes."""


class ReleaseDocument(PublicDocument):
    """A worker that gives its task back."""

    lease: _LeaseId


class HeartbeatDocument(PublicDocument):
    """A sign of life."""

    lease: _LeaseId
    lease_seconds: _LeaseSeconds | None = None
    """How long the lease holds from now; left out: 30 s, and no shorter than it did."""


class ProgressDocument(HeartbeatDocument):
    """How far an attempt is; a sign of life as well."""

    text: Annotated[str, StringConstraints(min_length=1)]
    """For people to read, on the task's card; kept to 500 characters on one line."""


class CloseTaskDocument(CloseDocument):
    """How an attempt ended: what the close of a run says, by whoever holds the lease."""

    lease: _LeaseId


class NothingDocument(PublicDocument):
    """A request that says all by its address."""


_NEW = TypeAdapter(NewTaskDocument)
_CLAIM = TypeAdapter(ClaimDocument)
_HEARTBEAT = TypeAdapter(HeartbeatDocument)
_PROGRESS = TypeAdapter(ProgressDocument)
_RELEASE = TypeAdapter(ReleaseDocument)
_CLOSE = TypeAdapter(CloseTaskDocument)
_NOTHING = TypeAdapter(NothingDocument)


def read_new_task(body: bytes) -> NewTaskDocument:
    """Read a task to take from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_NEW, NewTaskDocument, body)


def read_claim(body: bytes) -> ClaimDocument:
    """Read a claim from JSON; an empty body is one that says nothing.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_CLAIM, ClaimDocument, body.strip() or b"{}")


def read_heartbeat(body: bytes) -> HeartbeatDocument:
    """Read a sign of life from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_HEARTBEAT, HeartbeatDocument, body)


def read_progress(body: bytes) -> ProgressDocument:
    """Read how far an attempt is from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_PROGRESS, ProgressDocument, body)


def read_release(body: bytes) -> ReleaseDocument:
    """Read from JSON that a worker gives its task back.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_RELEASE, ReleaseDocument, body)


def read_task_close(body: bytes) -> CloseTaskDocument:
    """Read an attempt's end from JSON.

    Raises:
        InvalidError: it is no JSON, or a field does not fit; `where` names the field.
    """
    return read_document(_CLOSE, CloseTaskDocument, body)


def read_nothing(body: bytes) -> None:
    """Hold a body to `{}` or nothing at all.

    Raises:
        InvalidError: it says something, which nobody would heed.
    """
    read_document(_NOTHING, NothingDocument, body.strip() or b"{}")
