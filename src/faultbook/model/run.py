"""Runs: one attempt of one workflow, as it is opened, and as it is recorded closed."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from faultbook.base.clock import Instant
from faultbook.model.evidence import Artifact
from faultbook.model.judge import Outcome, TestCounts
from faultbook.model.verdict import Finding, Judgement, Verdict


class RunState(StrEnum):
    """Where a run is; what it came to is its verdict."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    CLOSED = "closed"


class RunType(StrEnum):
    """Live runs make standings; replays do not."""

    LIVE = "live"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """The name of a series: what is compared with itself over time."""

    workflow: str
    environment: str
    branch: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What a run promises to keep to.

    Attributes:
        token_limit: input and output tokens together.
        cost_limit: in the currency the team reports in.
    """

    timeout_seconds: float | None = None
    grace_seconds: float | None = None
    tool_allowlist: tuple[str, ...] | None = None
    token_limit: int | None = None
    cost_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the next run of the series is due: `every` after this start, late after `grace`."""

    every_seconds: float
    grace_seconds: float


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run as it begins; every field that was not said is None.

    Attributes:
        started_at: corrected by the client's clock offset; the server's order rests on it.
        occurred_at: what the client's own clock said, for display.
    """

    series: SeriesKey
    started_at: Instant
    received_at: Instant
    occurred_at: Instant | None = None
    run_type: RunType = RunType.LIVE
    agent_name: str | None = None
    task_id: str | None = None
    attempt: int = 1
    code_version: str | None = None
    model: str | None = None
    prompt_version: str | None = None
    input_sha256: str | None = None
    state_refs: tuple[str, ...] = ()
    url: str | None = None
    promised: tuple[str, ...] = ()
    contract: Contract = Contract()
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run consumed; None where it was not said."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, before it is judged."""

    ended_at: Instant
    outcome: Outcome
    usage: Usage = Usage()
    stdout_tail: str | None = None
    stderr_tail: str | None = None


TOOL = "tool"
"""The kind of an event that is a tool's call; its name is held against the run's allowlist."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened within a run.

    Attributes:
        name: what it was about: the tool that was called, the step that was taken.
        client_seq: the client's own count, which orders events of one run.
        duration_ms: by the client's monotonic clock.
    """

    kind: str
    name: str
    text: str
    occurred_at: Instant | None
    received_at: Instant
    client_seq: int | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run told in one piece: begun, ended and judged."""

    start: RunStart
    end: RunEnd
    judgement: Judgement
    events: tuple[RunEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands in the store."""

    run_id: str
    sequence: int
    start: RunStart
    state: RunState
    deadline_at: Instant
    closed_at: Instant | None = None
    ended_at: Instant | None = None
    verdict: Verdict | None = None
    findings: tuple[Finding, ...] = ()
    usage: Usage = Usage()
    exit_code: int | None = None
    signal: int | None = None
    tests: TestCounts | None = None
    stdout_tail: str | None = None
    stderr_tail: str | None = None
    artifacts: tuple[Artifact, ...] = field(default=())
