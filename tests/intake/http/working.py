"""What tests do with tasks over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.intake.http.conftest import Api

WORKER = ("tasks:work", "tasks:write", "tasks:read")


def worker(api: Api, agent: str = "invoice-bot", **options: Any) -> httpx.Client:  # noqa: ANN401 - make_token's own
    """Make a client that may do all with tasks."""
    return api.client(*WORKER, agent=agent, **options)


def add(client: httpx.Client, text: str = "export the invoices", **fields: Any) -> str:  # noqa: ANN401 - JSON values
    """Give a task, and tell its id."""
    added = client.post("/v1/tasks", json={"text": text, **fields})
    assert added.status_code == 201, added.text
    return str(added.json()["id"])


@dataclass
class Claim:
    """A task that a client claimed."""

    client: httpx.Client
    document: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.document["task"]["id"])

    @property
    def run_id(self) -> str:
        return str(self.document["run_id"])

    @property
    def lease(self) -> str:
        return str(self.document["lease"]["id"])

    def tell(self, verb: str, **fields: Any) -> httpx.Response:  # noqa: ANN401 - JSON values
        """Tell something of the task, with its lease."""
        body = {"lease": self.lease, **fields}
        return self.client.post(f"/v1/tasks/{self.id}/{verb}", json=body)

    def bring(self, name: str = "report.csv", data: bytes = b"40 invoices\n") -> httpx.Response:
        """Upload an artifact of the attempt."""
        return self.client.put(f"/v1/runs/{self.run_id}/artifacts/{name}", content=data)

    def task(self) -> dict[str, Any]:
        """Read the task."""
        document: dict[str, Any] = self.client.get(f"/v1/tasks/{self.id}").json()
        return document


def claim(client: httpx.Client, **fields: Any) -> Claim:  # noqa: ANN401 - JSON values
    """Claim a task that is there."""
    answer = client.post("/v1/tasks:claim", json=fields)
    assert answer.status_code == 200, answer.text
    return Claim(client, answer.json())
