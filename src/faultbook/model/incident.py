"""Incidents: one markdown file each, as values."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it hurt."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(StrEnum):
    """What holds a prevention rule, the weakest first."""

    NONE = "none"
    DOC = "doc"
    CHECK = "check"
    TEST = "test"
    GATE = "gate"


class IncidentStatus(StrEnum):
    """Where an incident is."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class IncidentFields:
    """Everything an incident file says.

    Attributes:
        date: the day it happened, `YYYY-MM-DD`.
        prevention_rule: one sentence a stranger can check; written by the named `rule_author`.
        enforcement_ref: where the rule is held: a test's path, a check's name.
        related: files and tools.
        lesson: its row in the ledger.
        fingerprint: recognises the same failure when it comes again.
        why_linked: how the detail changes future behaviour; asked of whoever links the file.
    """

    title: str
    date: str
    severity: Severity
    area: str
    owner: str
    prevention_rule: str
    rule_author: str
    what_failed: str
    enforcement: Enforcement = Enforcement.NONE
    enforcement_ref: str = ""
    related: tuple[str, ...] = ()
    lesson: int | None = None
    status: IncidentStatus = IncidentStatus.OPEN
    fingerprint: str = ""
    why_linked: str = ""
    impact: str = ""
    root_cause: str = ""
    fix: str = ""
    verification: str = ""
