"""Endpoints of people who decide about approvals, each with a token of their own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from fastapi import Request, Response

from faultbook.base.errors import ForbiddenError, UnavailableError
from faultbook.intake.http.approvals import ApprovalDoor, number_of
from faultbook.intake.http.door import Answer
from faultbook.intake.http.requests import read_body
from faultbook.model.approval import Approval, Decision
from faultbook.model.approval_policy import ApprovalPolicy, Membership
from faultbook.model.ballot import Ballot
from faultbook.model.document_approvals import read_decision, read_outcome, read_review
from faultbook.model.person import Person
from faultbook.model.token import Scope, Token
from faultbook.operations import approval_reporting as reporting
from faultbook.operations import approvals, execution
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.voting import Counted, vote
from faultbook.store.approvals import find
from faultbook.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class DecidingEndpoints:
    """The endpoints of people; an agent's token can't have their scope."""

    own: ApprovalDoor

    async def approve(self, request: Request) -> Response:
        """Vote for it; the vote that meets the policy's threshold decides."""
        return await self._vote(request, Decision.APPROVE)

    async def deny(self, request: Request) -> Response:
        """Vote against it; the vote that meets the policy's threshold decides."""
        return await self._vote(request, Decision.DENY)

    async def _vote(self, request: Request, decision: Decision) -> Response:
        own, number = self.own, number_of(request)
        token, body = await self._taken(request, "vote.refused")
        told = read_decision(body)
        voter, membership = await self._decider(token, number)
        ballot = Ballot(number, voter, decision, membership, told.digest, told.reason)

        def operation(tx: Transaction) -> Answer | Refusal:
            return self._answer(vote(tx, ballot, own.policies))

        return await own.write(request, token, body, operation)

    async def break_glass(self, request: Request) -> Response:
        """Approve without voters, loudly, where the policy lets this person; a review is due."""
        own, number = self.own, number_of(request)
        token, body = await self._taken(request, "bypass.refused")
        told = read_decision(body)
        by, membership = await self._decider(token, number)

        def operation(tx: Transaction) -> Answer | Refusal:
            return self._answer(
                approvals.break_glass(
                    tx, number, by, told.reason, membership, own.policies, told.digest
                )
            )

        return await own.write(request, token, body, operation)

    async def review(self, request: Request) -> Response:
        """Record that somebody else looked at a broken glass."""
        token, body = await self._taken(request, "review.refused")
        number, note = number_of(request), read_review(body).note
        by, membership = await self._who(token)
        return await self._record(
            request,
            token,
            body,
            lambda tx: approvals.review_bypass(tx, number, by, note, membership),
        )

    async def outcome(self, request: Request) -> Response:
        """Record what became of an execution that nobody knew of."""
        token, body = await self._taken(request, "outcome.refused")
        number, told = number_of(request), read_outcome(body)
        by, membership = await self._who(token)
        happened, words = told.happened, told.words
        return await self._record(
            request,
            token,
            body,
            lambda tx: execution.record_outcome(
                tx, number, by, words, membership, happened=happened
            ),
        )

    async def _record(
        self,
        request: Request,
        token: Token,
        body: bytes,
        operation: Callable[[Transaction], Approval | Refusal],
    ) -> Response:
        return await self.own.write(request, token, body, lambda tx: self._answer(operation(tx)))

    async def _taken(self, request: Request, refused: str) -> tuple[Token, bytes]:
        """Take a person's token and what came with it; anybody else's attempt is audited."""
        door = self.own.door
        token = await door.callers.identify(request, Scope.APPROVALS_DECIDE, *Scope)
        number = number_of(request)
        try:
            reporting.person_of(token)
        except ForbiddenError as error:
            await door.store.write_async(reporting.refuse_agent, refused, number, token, error)
            raise
        return token, await read_body(request, door.limits.body_bytes)

    async def _decider(self, token: Token, number: int) -> tuple[Person, Membership]:
        """Say who decides about an approval, and what Slack says of them for its policy."""
        asked = await self.own.door.store.read_async(find, number)
        return await self._who(token, () if asked is None else self.own.policies_of(asked))

    async def _who(
        self, token: Token, policies: Collection[ApprovalPolicy] = ()
    ) -> tuple[Person, Membership]:
        """Say who acts, and what Slack says of them as far as these policies need it.

        Where it says nothing, no decision counts; outcomes and reviews are recorded all the same.
        """
        person = reporting.person_of(token)
        try:
            found = (await self.own.memberships([person], policies)).get(person.id)
        except UnavailableError:
            found = None
        membership = found or reporting.nobody_confirms(person)
        # A second spelling of one person must not decide what the first one asked for.
        return replace(person, name=membership.name or person.name), membership

    def _answer(self, done: Counted | Approval | Refusal) -> Answer | Refusal:
        if isinstance(done, Refusal):
            return done
        asked = done.approval if isinstance(done, Counted) else done
        return Answer(200, self.own.document(asked))
