"""What a wrapped job was ordered to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faultbook.base.clock import Instant, iso
from faultbook.base.redaction import redact, redact_or_none
from faultbook.intake.wrapper.confirm import CONFIRM_SECONDS
from faultbook.intake.wrapper.context import Context
from faultbook.intake.wrapper.group import KILL_AFTER_SECONDS
from faultbook.intake.wrapper.record import said

# Between its end and its record: reading the evidence, and a server that is slow.
_CLOSING_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a job promises and where it belongs; None where it was not said.

    Attributes:
        timeout: seconds after which its process group is ended.
        every: seconds until the next run is due; `grace` is how much later it may come.
        schema: path of a JSON Schema.
        verbose: say what was recorded even when all went well.
    """

    workflow: str
    environment: str | None = None
    branch: str | None = None
    artifacts: tuple[str, ...] = ()
    schema: str | None = None
    confirm: str | None = None
    timeout: float | None = None
    every: float | None = None
    grace: float | None = None
    code_version: str | None = None
    url: str | None = None
    verbose: bool = False

    def start_document(
        self, context: Context, promised: tuple[str, ...], started_at: Instant
    ) -> Mapping[str, Any]:
        """Describe the run as it begins; what the order says wins over what the place says.

        Redacted here already: a record that nobody takes lies in a file.
        """
        closing = KILL_AFTER_SECONDS + _CLOSING_SECONDS + (CONFIRM_SECONDS if self.confirm else 0)
        return said(
            {
                "workflow": redact(self.workflow),
                "environment": redact_or_none(self.environment),
                "branch": redact_or_none(self.branch or context.branch),
                "started_at": iso(started_at),
                "code_version": redact_or_none(self.code_version or context.code_version),
                "url": redact_or_none(self.url or context.url),
                "promised": list(promised) or None,
                "timeout_seconds": self.timeout,
                "grace_seconds": None if self.timeout is None else closing,
                "every_seconds": self.every,
                "due_grace_seconds": self.grace,
            }
        )
