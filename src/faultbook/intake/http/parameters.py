"""What addresses take behind their `?`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from faultbook.model.document_fields import Name, Time


class FailingParameters(BaseModel):
    """What the question is limited to."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    environment: Name | None = None
    workflow: Name | None = None
    branch: Name | None = None
    """Left out: the main branch."""
    place: Name | None = None
    """A word that may name an environment, a workflow or a branch."""
    since: Time | None = None
    """Only what broke at this time or later (RFC 3339 with its zone)."""
    all_branches: bool = False


class ApprovalParameters(BaseModel):
    """What a list of approvals is limited to."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    state: Literal[
        "pending",
        "approved",
        "denied",
        "expired",
        "cancelled",
        "superseded",
        "executing",
        "executed",
        "execution_failed",
        "execution_unknown",
        "all",
    ] = "pending"
    agent: Name | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class WaitParameters(BaseModel):
    """How long an answer may take."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    wait: Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)] = 0.0


class TaskParameters(BaseModel):
    """What a list of tasks is limited to."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    state: Literal[
        "open",
        "received",
        "queued",
        "running",
        "waiting",
        "done",
        "failed",
        "cancelled",
        "lost",
        "all",
    ] = "open"
    route: Name | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
