"""`/healthz`: well means that a verdict was written and read back within the last minute."""

import asyncio
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json

from faultbook.base.clock import SECOND, Instant, iso
from faultbook.base.errors import FaultbookError, UnavailableError
from faultbook.intake.http.problems import answer_error, answer_unexpected
from faultbook.model.policy import Policy
from faultbook.operations import probe
from faultbook.store.engine import Store

_FRESH: Instant = 20 * SECOND
_PATIENCE_SECONDS = 5.0


class Health:
    """Probes the store: one probe at a time, however many ask, and none while the last is fresh."""

    def __init__(
        self, store: Store, policy: Policy, patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self._store = store
        self._policy = policy
        self._patience_seconds = patience_seconds
        self._written_at: Instant | None = None
        self._running: asyncio.Task[Instant] | None = None

    async def answer(self, _request: Request) -> Response:
        """Answer 200 with when the verdict was written, or 503 with what failed."""
        try:
            written_at = await self._verdict_written_at()
        except FaultbookError as error:
            return answer_error(error, "/healthz")
        except Exception as error:  # noqa: BLE001 - whatever fails here is the answer
            return answer_unexpected(error, "/healthz")
        document: dict[str, Any] = {"status": "ok", "verdict_written_at": iso(written_at)}
        return Response(to_json(document), media_type="application/json")

    async def _verdict_written_at(self) -> Instant:
        now = self._store.clock()
        if self._written_at is not None and 0 <= now - self._written_at < _FRESH:
            return self._written_at
        if self._running is None:
            self._running = asyncio.create_task(self._probe())
            self._running.add_done_callback(self._settle)
        try:
            # Shielded: one caller's patience does not end what the others wait for.
            return await asyncio.wait_for(asyncio.shield(self._running), self._patience_seconds)
        except TimeoutError as error:
            raise UnavailableError(
                f"The store did not write a verdict within {self._patience_seconds:g} s.",
                code="store_unavailable",
                next_step="Check that the database runs and that no other program holds it.",
                where="store",
                retry_after=self._patience_seconds,
            ) from error

    async def _probe(self) -> Instant:
        run_id = await self._store.write_async(probe.write_probe, self._policy)
        written_at = await self._store.read_async(probe.read_probe, run_id)
        if written_at is None:
            raise UnavailableError(
                "The store gave back another verdict than was written.",
                code="store_unavailable",
                next_step="Stop Faultbook and check the database's integrity.",
                where="store",
            )
        return written_at

    def _settle(self, task: "asyncio.Task[Instant]") -> None:
        self._running = None
        if not task.cancelled() and task.exception() is None:
            self._written_at = task.result()
