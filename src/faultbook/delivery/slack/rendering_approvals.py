"""What notices of approvals look like, made from the store at the moment of sending."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from faultbook.model.approval_policy import ApprovalPolicies, Membership
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.person import Person
from faultbook.operations.approval_sight import read_approval_sight, read_waiting
from faultbook.operations.questions import Owed
from faultbook.store.engine import Store
from faultbook.view.message import Message
from faultbook.view.slack_approval import (
    approval_card,
    approval_status,
    approvals_message,
    bypass_message,
)

Payload: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApprovalRenderer:
    """Makes messages about approvals."""

    store: Store
    policies: ApprovalPolicies

    def message(self, kind: str, payload: Payload) -> Message | None:
        """Make the message that is owed; None for a kind that is not about approvals.

        Raises:
            NotFoundError: there is no such approval; the answer says so.
        """
        if kind == Owed.APPROVAL_STATUS:
            return approval_status(self._sight(payload), self.store.clock())
        return self._waiting(payload) if kind == Owed.APPROVAL_LIST else None

    def card(self, number: int) -> tuple[Message, ApprovalSight]:
        """Make an approval's card, with the approval exactly as the card shows it.

        Raises:
            NotFoundError: there is no such approval.
        """
        sight = self.store.read(read_approval_sight, number, self.policies)
        return approval_card(sight, self.store.clock(), is_first=sight.card is None), sight

    def aloud(self, number: int, *, is_due: bool) -> tuple[Message, ApprovalSight]:
        """Make the loud message about a bypass, or the reminder, with the approval it shows.

        Raises:
            NotFoundError: there is no such approval.
        """
        sight = self.store.read(read_approval_sight, number, self.policies)
        return bypass_message(sight, self.store.clock(), is_due=is_due), sight

    def _sight(self, payload: Payload) -> ApprovalSight:
        return self.store.read(read_approval_sight, int(payload["approval"]), self.policies)

    def _waiting(self, payload: Payload) -> Message:
        person = Person(str(payload["user"]), str(payload["name"]))
        told = payload.get("member")
        membership = None
        if told is not None:
            membership = Membership(
                person.id,
                frozenset(told["groups"]),
                frozenset(told["channels"]),
                bool(told["active"]),
                aliases=frozenset(told["aliases"]),
            )
        found = self.store.read(read_waiting, person, membership, self.policies)
        return approvals_message(*found, self.store.clock(), is_known=membership is not None)
