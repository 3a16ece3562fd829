"""A ballot: what a person decides about what they were shown, before it counts."""

from dataclasses import dataclass

from faultbook.model.approval import Decision
from faultbook.model.approval_policy import Membership
from faultbook.model.person import Person
from faultbook.model.task import Card


@dataclass(frozen=True, slots=True)
class Ballot:
    """A person's decision about what they were shown.

    Attributes:
        number: of the approval.
        voter: who Slack, or a person's token, says it is.
        membership: what Slack says of the voter, looked up before any transaction.
        shown: the digits of the digest that the voter saw; empty where none were shown.
        reason: in the voter's words.
        clicked: the message with the button; None where there is none.
    """

    number: int
    voter: Person
    decision: Decision
    membership: Membership
    shown: str = ""
    reason: str = ""
    clicked: Card | None = None
