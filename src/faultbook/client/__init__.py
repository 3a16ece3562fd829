"""The Python client of agents: httpx and nothing heavy, cheap to import.

    from faultbook.client import Client

    client = Client()  # FAULTBOOK_URL, FAULTBOOK_TOKEN
    with client.run(workflow="invoice-export", promised=["report.csv"]) as run:
        export()
        run.artifact("report.csv", "out/report.csv")

    for task in client.tasks("invoice-bot"):
        with task:
            task.progress("page 1 of 3")
            task.artifact("report.csv", export(task.text))

    request = client.approve("refund", "c_881", {"amount": "120.00"}, why="charged twice")
    request.wait().raise_if_denied()
    with request.execute() as action:
        refund(action.target, action.parameters["amount"])

What is exported here is loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faultbook.client.approvals import (
        ApprovalRequest,
        ApprovedAction,
        Denied,
        Outcome,
        OutcomeUnknown,
    )
    from faultbook.client.client import Client
    from faultbook.client.run import Result, Run
    from faultbook.client.task import Task, TaskGone

__all__ = [
    "ApprovalRequest",
    "ApprovedAction",
    "Client",
    "Denied",
    "Outcome",
    "OutcomeUnknown",
    "Result",
    "Run",
    "Task",
    "TaskGone",
]

_HOMES = {
    "ApprovalRequest": "approvals",
    "ApprovedAction": "approvals",
    "Client": "client",
    "Denied": "approvals",
    "Outcome": "approvals",
    "OutcomeUnknown": "approvals",
    "Result": "run",
    "Run": "run",
    "Task": "task",
    "TaskGone": "task",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = found
    return found
