"""Verdicts, reasons and failure classes: the closed vocabulary of how a run came out."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a closed run came out; assigned by `judge`, never changed."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    DEGRADED = "degraded"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"


WORST_FIRST: tuple[Verdict, ...] = (
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.INCONCLUSIVE,
    Verdict.DEGRADED,
    Verdict.SKIPPED,
    Verdict.PASSED,
)
"""When several hold, the first of these wins."""


class FailureClass(StrEnum):
    """What kind of remedy a failure asks for: wait, mend, log in, or configure."""

    TRANSIENT = "transient"
    PERSISTENT = "persistent"
    AUTH = "auth"
    MISCONFIG = "misconfig"


class Reason(StrEnum):
    """Why a run got its verdict; the registry is closed."""

    # Assigned by the validator.
    MISSING_ARTIFACT_REF = "missing_artifact_ref"
    EMPTY_OUTPUT = "empty_output"
    STALE_ARTIFACT = "stale_artifact"
    ARTIFACT_UNREACHABLE = "artifact_unreachable"
    DIGEST_MISMATCH = "digest_mismatch"
    SCHEMA_MISMATCH = "schema_mismatch"
    SIDE_EFFECT_UNCONFIRMED = "side_effect_unconfirmed"
    NO_EVIDENCE_PROMISED = "no_evidence_promised"
    HEARTBEAT_ACCEPTED = "heartbeat_accepted"
    NONZERO_EXIT = "nonzero_exit"
    COMMAND_NOT_FOUND = "command_not_found"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    RUN_ABANDONED = "run_abandoned"
    LIMIT_EXCEEDED = "limit_exceeded"
    TOOL_NOT_ALLOWED = "tool_not_allowed"
    TESTS_FAILED = "tests_failed"
    NO_TESTS_EXECUTED = "no_tests_executed"
    NO_ASSERTIONS = "no_assertions"
    # Reported by agents.
    AMBIGUOUS_IO = "ambiguous_io"
    AUTH_REJECTED = "auth_rejected"
    AUTH_REQUIRED = "auth_required"
    BAD_REQUEST = "bad_request"
    CACHE_STALE = "cache_stale"
    CANCELLED = "cancelled"
    CONFLICT = "conflict"
    CONNECT_FAILED = "connect_failed"
    DEPENDENCY_FAILED = "dependency_failed"
    DISABLED = "disabled"
    DNS_UNKNOWN_HOST = "dns_unknown_host"
    ENDPOINT_MOVED = "endpoint_moved"
    NONCONFORMING = "nonconforming"
    NOTHING_TO_DO = "nothing_to_do"
    PARTIAL_RESULT = "partial_result"
    PERMISSION_DENIED = "permission_denied"
    PRECONDITION_NOT_MET = "precondition_not_met"
    PROXY_AUTH = "proxy_auth"
    RATE_LIMITED = "rate_limited"
    SESSION_EXPIRED = "session_expired"
    STRICT_UNAVAILABLE = "strict_unavailable"
    UNCLASSIFIED = "unclassified"
    WRONG_ENDPOINT = "wrong_endpoint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that bears on a verdict, with its words."""

    verdict: Verdict
    reason: Reason
    failure_class: FailureClass | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a run: its deciding finding, and every other that held."""

    verdict: Verdict
    reason: Reason | None
    failure_class: FailureClass | None
    detail: str
    findings: tuple[Finding, ...]
