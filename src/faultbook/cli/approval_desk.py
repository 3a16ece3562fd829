"""Where `faultbook approval` asks and decides: the local store, or the server of FAULTBOOK_URL."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from faultbook.base.errors import UnauthenticatedError
from faultbook.base.settings import Settings
from faultbook.cli.asking import opened
from faultbook.cli.task_desk import open_client, who

if TYPE_CHECKING:
    from faultbook.assembly.house import House
    from faultbook.client.http import HttpClient
    from faultbook.model.approval import Approval
    from faultbook.model.token import Scope, Token
    from faultbook.operations.approval_steps import Refusal
    from faultbook.operations.voting import Counted
    from faultbook.store.transaction import Transaction

Document = dict[str, Any]

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which approvals to list."""

    state: str = "pending"
    agent: str | None = None
    limit: int = 50


class ApprovalDesk(Protocol):
    """Takes requests and decisions, and shows approvals, as the public documents do.

    Raises:
        FaultbookError: the place can't be had, or refuses.
    """

    def ask(self, document: Document) -> Document:
        """Ask for an approval."""
        ...

    def list_some(self, wanted: Wanted) -> list[Document]:
        """List approvals."""
        ...

    def read(self, approval: str) -> Document:
        """Show one."""
        ...

    def wait(self, approval: str, seconds: float | None) -> Document:
        """Show one once there is nothing to wait for, or after so long."""
        ...

    def tell(self, approval: str, verb: str, document: Document) -> Document:
        """Tell something of one: `approve`, `deny`, `cancel`, `break-glass`, `review`, …."""
        ...


@contextmanager
def open_desk(settings: Settings) -> Iterator[ApprovalDesk]:
    """Open the place that the settings name."""
    if settings.url is None:
        token = settings.token.get_secret_value() if settings.token else None
        with opened(settings) as house:
            yield _Local(house, token)
        return
    client = open_client(settings)
    try:
        yield _Remote(client)
    finally:
        client.close()


def is_open(document: Mapping[str, Any]) -> bool:
    """Tell whether there is still something to wait for."""
    by_faultbook = document.get("executed_by") == "faultbook"
    under_way = document["state"] in {"approved", "executing"}
    return document["decision"] is None or (by_faultbook and under_way)


@dataclass(frozen=True, slots=True)
class _Local:
    """The store itself; who asks is the user, or whose token is set.

    Attributes:
        secret: of FAULTBOOK_TOKEN.
    """

    house: "House"
    secret: str | None

    def ask(self, document: Document) -> Document:
        from faultbook.model.document_approvals import read_new_approval  # noqa: PLC0415 - see `opened`
        from faultbook.model.token import Scope  # noqa: PLC0415 - the same
        from faultbook.operations.approval_reporting import new_approval  # noqa: PLC0415 - the same
        from faultbook.operations.approval_requests import request_approval  # noqa: PLC0415 - the same

        house, token = self.house, self._token(Scope.APPROVALS_REQUEST)
        told = read_new_approval(json.dumps(document).encode())
        new = new_approval(told, house.policy.default_environment, token)
        return self._done(house.store.write(request_approval, new, house.policies))

    def list_some(self, wanted: Wanted) -> list[Document]:
        from faultbook.model.approval import ApprovalState  # noqa: PLC0415 - see `opened`
        from faultbook.operations.approvals import list_approvals  # noqa: PLC0415 - the same
        from faultbook.store.approvals import ApprovalFilter  # noqa: PLC0415 - the same

        states = None if wanted.state == "all" else frozenset({ApprovalState(wanted.state)})
        asked = ApprovalFilter(states=states, agent=wanted.agent, limit=wanted.limit)
        return [self._shown(one) for one in self.house.store.read(list_approvals, asked)]

    def read(self, approval: str) -> Document:
        from faultbook.operations import approval_reporting as reporting  # noqa: PLC0415 - see `opened`
        from faultbook.operations.approval_steps import find_approval  # noqa: PLC0415 - the same

        number = reporting.parse_approval_id(approval)

        def look(tx: "Transaction") -> "tuple[Approval, bool]":
            asked = find_approval(tx, number)
            return asked, reporting.is_overdue(tx, asked)

        asked, is_overdue = self.house.store.read(look)
        if is_overdue:
            asked = self.house.store.write(reporting.settled, number)
        return self._shown(asked)

    def wait(self, approval: str, seconds: float | None) -> Document:
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            found = self.read(approval)
            left = _LOOK_SECONDS if end is None else end - time.monotonic()
            if not is_open(found) or left <= 0:
                return found
            time.sleep(min(left, _LOOK_SECONDS))

    def tell(self, approval: str, verb: str, document: Document) -> Document:
        from faultbook.model.token import Scope  # noqa: PLC0415 - see `opened`
        from faultbook.operations.approval_reporting import (  # noqa: PLC0415 - the same
            cancel_own,
            parse_approval_id,
        )

        number = parse_approval_id(approval)
        if verb == "cancel":
            token = self._token(Scope.APPROVALS_REQUEST, Scope.APPROVALS_DECIDE)
            return self._done(self.house.store.write(cancel_own, token, number))
        if self.secret is None:
            raise UnauthenticatedError(
                "A decision is a person's, and nothing says who decides here.",
                next_step="Set FAULTBOOK_TOKEN to your own: faultbook token create --person ID"
                f" --scope {Scope.APPROVALS_DECIDE}.",
                where="FAULTBOOK_TOKEN",
            )
        decided = self._deciding(self._token(Scope.APPROVALS_DECIDE), number, verb, document)
        return self._done(self.house.store.write(decided))

    def _deciding(
        self, token: "Token", number: int, verb: str, told: Document
    ) -> "Callable[[Transaction], Approval | Counted | Refusal]":
        from faultbook.model.approval import Decision  # noqa: PLC0415 - see `opened`
        from faultbook.model.ballot import Ballot  # noqa: PLC0415 - the same
        from faultbook.operations import approval_reporting as reporting  # noqa: PLC0415 - the same
        from faultbook.operations import approvals, execution  # noqa: PLC0415 - the same
        from faultbook.operations.approval_steps import find_approval  # noqa: PLC0415 - the same
        from faultbook.operations.voting import vote  # noqa: PLC0415 - the same

        person, policies = reporting.person_of(token), self.house.policies
        unasked = reporting.nobody_confirms(person)  # no Slack is asked here

        def decide(tx: "Transaction") -> "Approval | Counted | Refusal":
            if verb == "review":
                return approvals.review_bypass(tx, number, person, told["note"], unasked)
            if verb == "outcome":
                happened, words = told["happened"], told["words"]
                return execution.record_outcome(
                    tx, number, person, words, unasked, happened=happened
                )
            membership = reporting.membership_by_id(find_approval(tx, number), person, policies)
            if verb == "break-glass":
                return approvals.break_glass(
                    tx, number, person, told["reason"], membership, policies, told["digest"]
                )
            decision, reason, shown = Decision(verb), told["reason"], told["digest"]
            return vote(tx, Ballot(number, person, decision, membership, shown, reason), policies)

        return decide

    def _token(self, scope: "Scope", *others: "Scope") -> "Token":
        """Take the token that is set; without one, stand for the user, who decides nothing."""
        from faultbook.model.token import (  # noqa: PLC0415 - see `opened`
            COMMAND_LINE,
            PERSONS_SCOPES,
            Scope,
            Token,
        )
        from faultbook.operations.reporting import check_scope  # noqa: PLC0415 - the same
        from faultbook.operations.tokens import authenticate  # noqa: PLC0415 - the same

        if self.secret is None:
            user, scopes = who(), frozenset(Scope) - PERSONS_SCOPES
            return Token(COMMAND_LINE, user, user, scopes, frozenset(), 0)
        token = self.house.store.read(authenticate, self.secret)
        if token.scopes.isdisjoint((scope, *others)):
            check_scope(token, scope)
        return token

    def _done(self, done: "Approval | Counted | Refusal") -> Document:
        from faultbook.operations.approval_steps import Refusal  # noqa: PLC0415 - see `opened`
        from faultbook.operations.voting import Counted  # noqa: PLC0415 - the same

        if isinstance(done, Refusal):
            raise done.error
        return self._shown(done.approval if isinstance(done, Counted) else done)

    def _shown(self, asked: "Approval") -> Document:
        from faultbook.view.approval_documents import approval_document  # noqa: PLC0415 - see `opened`

        return approval_document(asked, self.house.policies)


@dataclass(frozen=True, slots=True)
class _Remote:
    client: "HttpClient"

    def ask(self, document: Document) -> Document:
        return self.client.ask_approval(json.dumps(document).encode(), secrets.token_hex(16))

    def list_some(self, wanted: Wanted) -> list[Document]:
        asked = {"state": wanted.state, "limit": str(wanted.limit)}
        if wanted.agent is not None:
            asked["agent"] = wanted.agent
        return list(self.client.read_document("/v1/approvals", asked).get("approvals") or ())

    def read(self, approval: str) -> Document:
        return self.client.read_document(f"/v1/approvals/{quote(approval, safe='')}")

    def wait(self, approval: str, seconds: float | None) -> Document:
        from faultbook.client.approvals import ApprovalRequest  # noqa: PLC0415 - only a wait pays

        return ApprovalRequest(self.client, self.read(approval)).wait(seconds).document

    def tell(self, approval: str, verb: str, document: Document) -> Document:
        body = json.dumps(document).encode()
        return self.client.tell_approval(approval, verb, body, secrets.token_hex(16))
