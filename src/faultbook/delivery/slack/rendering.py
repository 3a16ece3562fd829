"""What each kind of notice looks like: made from the store at the moment of sending."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog

from faultbook.base.errors import FaultbookError, ForbiddenError, InvalidError, UnavailableError
from faultbook.delivery.slack.rendering_approvals import ApprovalRenderer
from faultbook.delivery.slack.rendering_ledger import LedgerRenderer
from faultbook.delivery.slack.rendering_tasks import TaskRenderer
from faultbook.ledger.snapshot import LedgerAccess
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.operations.auditing import AuditNotice, read_announced
from faultbook.operations.diff import ask_diff
from faultbook.operations.failing import ask_failing
from faultbook.operations.questions import Owed, read_failing_query, read_points, read_reply_to
from faultbook.store.engine import Store
from faultbook.view.message import Message
from faultbook.view.slack_audit import head_message
from faultbook.view.slack_diff import diff_message
from faultbook.view.slack_failing import failing_message
from faultbook.view.slack_words import (
    arrival_message,
    help_message,
    own_error_message,
    refusal_message,
    unclear_message,
)

Payload: TypeAlias = dict[str, Any]

log = structlog.get_logger("courier")


@dataclass(frozen=True, slots=True)
class Renderer:
    """Makes messages from a store; plain functions, to be run off the event loop."""

    store: Store
    policy: Policy
    ledger: LedgerAccess | None = None
    routes: Routes = field(default_factory=Routes)
    policies: ApprovalPolicies = field(default_factory=ApprovalPolicies)

    def __call__(self, kind: str, payload: Payload, *, private: bool = False) -> Message:
        """Make the message that is owed; `private` when only who asked will see it.

        What goes wrong becomes the answer, so that a question is never left without one.

        Raises:
            UnavailableError: the store does not answer; to be tried again.
        """
        try:
            return self._made(kind, payload, private=private)
        except UnavailableError:
            raise
        except FaultbookError as error:
            return refusal_message(error)
        except Exception:  # the last boundary: a bug gets a number, and the person an answer
            number = f"E-{secrets.token_hex(2)}"
            log.exception("rendering_failed", number=number, kind=kind)
            return own_error_message(number)

    def _made(self, kind: str, payload: Payload, *, private: bool) -> Message:
        if kind == Owed.FAILING:
            answer = ask_failing(self.store, read_failing_query(payload), self.policy)
            return failing_message(answer, post_here=private)
        if kind == Owed.DIFF:
            before, after = read_points(payload)
            return diff_message(ask_diff(self.store, before, after, self.policy))
        if kind == AuditNotice.HEAD:
            return head_message(read_announced(payload))
        about_ledger = LedgerRenderer(self.store, self.policy, self.ledger)
        about_tasks = TaskRenderer(self.store, self.routes)
        about_approvals = ApprovalRenderer(self.store, self.policies)
        return (
            about_ledger.message(kind, payload)
            or about_tasks.message(kind, payload)
            or about_approvals.message(kind, payload)
            or _FIXED[Owed(kind)](payload)
        )


def _unreadable(payload: Payload) -> Message:
    return refusal_message(
        InvalidError(payload["message"], code=payload["code"], next_step=payload["next_step"])
    )


def _unclear(payload: Payload) -> Message:
    # What was said in a command is in no message that could be read again.
    said_at = read_reply_to(payload).after
    return unclear_message(said_at if "." in said_at else "")


def _not_posted(payload: Payload) -> Message:
    return refusal_message(
        ForbiddenError(
            "Slack did not let me post where you asked me to.",
            code=payload["why"],
            next_step="Invite me to that channel and ask again, or ask me here.",
        )
    )


_FIXED: dict[Owed, Callable[[Payload], Message]] = {
    Owed.HELP: lambda _: help_message(),
    Owed.UNCLEAR: _unclear,
    Owed.ARRIVAL: lambda _: arrival_message(),
    Owed.UNREADABLE: _unreadable,
    Owed.NOT_POSTED: _not_posted,
}
