"""`GET /v1/failing`: the answer to "what's failing?" as JSON."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic_core import to_json

from faultbook.intake.http.door import Door
from faultbook.intake.http.parameters import FailingParameters
from faultbook.model.answer import FailingQuery
from faultbook.model.token import Scope
from faultbook.operations.failing import ask_failing
from faultbook.operations.reporting import check_workflow
from faultbook.view.documents import failing_document


@dataclass(frozen=True, slots=True)
class FailingEndpoint:
    """The endpoint of the question."""

    door: Door

    async def ask(
        self, request: Request, parameters: Annotated[FailingParameters, Query()]
    ) -> Response:
        """Say what is failing, how we know, and how old the newest record is."""
        token = await self.door.callers.identify(request, Scope.RUNS_READ)
        if token.workflows:
            check_workflow(token, parameters.workflow or "(all)")
        query = FailingQuery(
            environment=parameters.environment,
            workflow=parameters.workflow,
            branch=parameters.branch,
            place=parameters.place,
            since=parameters.since,
            all_branches=parameters.all_branches,
        )
        body = await self.door.store.in_thread(self._answer, query)
        return Response(body, media_type="application/json")

    def _answer(self, query: FailingQuery) -> bytes:
        return to_json(failing_document(ask_failing(self.door.store, query, self.door.policy)))
