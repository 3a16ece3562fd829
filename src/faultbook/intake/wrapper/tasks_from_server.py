"""Tasks claimed from a server over its HTTP API."""

import secrets
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from faultbook.base.clock import from_datetime
from faultbook.base.errors import ConflictError, UnavailableError
from faultbook.client.http import HttpClient
from faultbook.intake.wrapper.record import Record, said, target_of, write_document
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.to_server import bring
from faultbook.intake.wrapper.watch import Found
from faultbook.intake.wrapper.work import LEASE_SECONDS, ClaimedTask, ClosedTask
from faultbook.model.task import TaskState
from faultbook.view.read_back import readable


class ServerWork:
    """Claims the tasks of the token's agent.

    Args:
        client: how the server is asked.
        agent: whose token it is; the server refuses the claim where that is not so.
        worker: what people call this process.
        routes: only these; None for all of the agent's.
        upload_limit: above this size, in bytes, an artifact is not sent; the server then believes
            this host's own check, with a token that may attest.
    """

    heartbeat_seconds = 5.0

    def __init__(
        self,
        client: HttpClient,
        agent: str,
        worker: str,
        routes: Collection[str] | None,
        upload_limit: int,
    ) -> None:
        self._client = client
        self._asks = said(
            {
                "agent": agent,
                "worker": worker,
                "lease_seconds": LEASE_SECONDS,
                "routes": None if routes is None else sorted(routes),
            }
        )
        self._limit = upload_limit
        self._brought: dict[str, set[str]] = {}
        self._unanswered: str | None = None

    @property
    def target(self) -> str:
        """The mark of this server."""
        return target_of("server", self._client.url)

    def claim(self, wait: float) -> ClaimedTask | None:
        """Claim the next task; a claim whose answer got lost is asked for again by its key."""
        claimed = time.monotonic()
        key, self._unanswered = self._unanswered or secrets.token_hex(16), None
        document = write_document(self._asks | {"wait_seconds": wait})
        try:
            answer = self._client.claim_task(document, key, wait)
        except UnavailableError:
            self._unanswered = key
            raise
        except ConflictError:  # what it claimed then went to somebody else meanwhile
            return None
        return None if answer is None else _read_claim(answer, claimed)

    def renew(self, task: ClaimedTask) -> None:
        """Give a sign of life."""
        document = {"lease": task.lease, "lease_seconds": LEASE_SECONDS}
        self._client.tell_task(task.id, "heartbeat", write_document(document))

    def progress(self, task: ClaimedTask, words: str) -> None:
        """Say how far it is."""
        document = write_document({"lease": task.lease, "text": words})
        self._client.tell_task(task.id, "progress", document)

    def finish(
        self, task: ClaimedTask, end: Mapping[str, Any], files: Mapping[str, Found]
    ) -> ClosedTask:
        """Bring the artifacts that travel by themselves, then close the attempt."""
        record = Record("", end)
        inline = record.inline_names()
        loads = {name: found for name, found in files.items() if name not in inline}
        # What was brought before is not brought again: the run may be closed by now, and the close
        # below is what finds that out.
        brought = self._brought.setdefault(task.lease, set())
        for name in loads.keys() - brought:
            brought |= bring(self._client, task.run_id, {name: loads[name]}, self._limit)
        document = {**record.without(frozenset(brought)).run, "lease": task.lease}
        answer = self._client.tell_task(task.id, "close", write_document(document))
        del self._brought[task.lease]
        with readable():
            run = answer["run"]
            reason, words = run.get("reason"), str(run.get("failure_reason") or "")
            receipt = Receipt(str(run["run_id"]), str(run["verdict"]), reason, words)
            return ClosedTask(TaskState(answer["task"]["state"]), receipt)

    def release(self, task: ClaimedTask) -> None:
        """Give the task back to the queue."""
        self._client.tell_task(task.id, "release", write_document({"lease": task.lease}))

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _read_claim(answer: Mapping[str, Any], claimed: float) -> ClaimedTask:
    with readable():
        task = answer["task"]
        return ClaimedTask(
            id=str(task["id"]),
            text=str(task["text"]),
            requester=str(task["requester"]),
            route=str(task["route"] or ""),
            attempt=int(answer["attempt"]),
            run_id=str(answer["run_id"]),
            lease=str(answer["lease"]["id"]),
            timeout=answer["timeout_seconds"],
            started_at=from_datetime(datetime.fromisoformat(task["started_at"])),
            claimed=claimed,
            links=tuple((str(link["name"]), str(link["url"])) for link in task["links"]),
        )
