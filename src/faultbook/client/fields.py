"""The fields of runs as the client's verbs take them; the API's own names and meanings."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

VerdictName = Literal["passed", "failed", "blocked", "degraded", "skipped", "inconclusive"]
FailureClassName = Literal["transient", "persistent", "auth", "misconfig"]


class StartFields(TypedDict, total=False):
    """What a run says of itself as it begins; times are aware datetimes."""

    environment: str
    branch: str
    run_type: str
    task_id: str
    attempt: int
    started_at: datetime
    code_version: str
    model: str
    prompt_version: str
    input_sha256: str
    state_refs: Sequence[str]
    url: str
    promised: Sequence[str]
    timeout_seconds: float
    grace_seconds: float
    tool_allowlist: Collection[str]
    token_limit: int
    cost_limit: Decimal
    every_seconds: float
    due_grace_seconds: float


class CloseFields(TypedDict, total=False):
    """How a run ended; times are aware datetimes."""

    ended_at: datetime
    exit_code: int
    signal: int
    timed_out: bool
    reason: str
    failure_class: FailureClassName
    detail: str
    confirm: Literal["succeeded", "failed", "timed_out"]
    input_tokens: int
    output_tokens: int
    cost: Decimal
    cpu_seconds: float
    peak_memory_bytes: int
    stdout_tail: str
    stderr_tail: str
