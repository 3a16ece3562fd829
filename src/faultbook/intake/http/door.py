"""What every endpoint of this door works with."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic_core import to_json

from faultbook.base.redaction import redact
from faultbook.base.settings import LimitSettings
from faultbook.base.text import one_line
from faultbook.intake.http.callers import Callers
from faultbook.intake.http.problems import PROBLEM
from faultbook.intake.http.requests import idempotency_key
from faultbook.model.document_runs import Reception
from faultbook.model.document_text import redaction_for
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.model.token import Scope, Token
from faultbook.operations.recording import no_run, request_digest
from faultbook.store import idempotency
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction

T = TypeVar("T")

_RUN_ID = re.compile(r"[0-9a-fA-F-]{8,36}")
_JSON = "application/json"
_BAD_REQUEST = 400

# Above this a body is read in a thread of its own, so that nobody else waits for it.
LONG_BODY = 200_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers; kept under an Idempotency-Key where one came.

    Attributes:
        location: the path of what was made.
    """

    status: int
    document: dict[str, Any]
    location: str | None = None

    def response(self) -> Response:
        """Write the answer."""
        return Response(
            to_json(self.document),
            status_code=self.status,
            media_type=_JSON if self.status < _BAD_REQUEST else PROBLEM,
            headers={"Location": self.location} if self.location else None,
        )

    def kept(self) -> dict[str, Any]:
        """Give the answer as it is kept under an Idempotency-Key."""
        return {"status": self.status, "document": self.document, "location": self.location}


def kept_answer(kept: Mapping[str, Any]) -> Answer:
    """Give an answer that was kept."""
    return Answer(kept["status"], kept["document"], kept["location"])


@dataclass(frozen=True, slots=True)
class Door:
    """The store, the policy, the limits and the routes that requests are held to."""

    store: Store
    policy: Policy
    limits: LimitSettings
    callers: Callers
    routes: Routes

    def reception(self, token: Token, body: bytes) -> Reception:
        """Say who reports, now."""
        attested = Scope.RUNS_ATTEST.value in token.scopes
        now = self.store.clock()
        return Reception(self.policy, now, token.agent, attested, redaction_for(body))

    async def write_once(
        self,
        request: Request,
        token: Token,
        body: bytes,
        operation: Callable[[Transaction], Answer],
    ) -> Response:
        """Run a writing operation, once for each Idempotency-Key, and answer with its result.

        Raises:
            InvalidError: the key can't be read, or was used for another request.
        """
        key = idempotency_key(request)
        if key is None:
            return (await self.store.write_async(operation)).response()
        scope = f"{token.id} {request.method} {request.url.path}"
        kept = await self.store.write_async(
            idempotency.once, scope, key, request_digest(body), lambda tx: operation(tx).kept()
        )
        return kept_answer(kept).response()


def run_id_of(request: Request) -> str:
    """Take the run's id from the path.

    Raises:
        NotFoundError: nothing could have this id.
    """
    given = str(request.path_params["run_id"])
    if not _RUN_ID.fullmatch(given):
        raise no_run(one_line(redact(given)))
    return given.lower()


async def off_the_loop(body: bytes, work: Callable[[], T]) -> T:
    """Do work over a body: at once where it is short, in a thread where it is long."""
    return await asyncio.to_thread(work) if len(body) > LONG_BODY else work()
