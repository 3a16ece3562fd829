"""A sample agent that may not act alone: it asks for approval, and runs exactly what was approved."""

import csv
import os
import re
import time

from faultbook.client import Client, Task
from faultbook.client.approvals import ApprovalRequest, Denied

ASKED = re.compile(
    r"refund (?:(?P<first>\d+\.\d\d) or rather )?(?P<amount>\d+\.\d\d) (?P<currency>[A-Z]{3})"
    r" to (?P<who>\w+)(?: within (?P<seconds>\d+) s)?"
)
FILE = "refund.csv"


def ask(task: Task, asked: re.Match[str], amount: str) -> ApprovalRequest:
    """Ask people whether a refund may run; the same task's later request replaces an earlier one."""
    seconds = {"ttl_seconds": float(asked["seconds"])} if asked["seconds"] else {}
    return task.approve(
        "refund",
        asked["who"],
        {"amount": amount, "currency": asked["currency"], "customer": asked["who"]},
        why=f"{task.id} asks for it",
        effect="the card is credited; it can't be undone",
        environment="demo",
        **seconds,
    )


def pay(action: dict[str, str]) -> str:
    """Pay back what was approved, and tell it in a word; a file stands for the bank."""
    with open(FILE, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(action), list(action.values())])
    return f"{action['amount']} {action['currency']} went to {action['customer']}"


def refund(task: Task) -> None:
    """Do a task like `refund 120.00 EUR to c_881`."""
    asked = ASKED.search(task.text)
    if asked is None:
        task.fail("bad_request", "say it like: refund 120.00 EUR to c_881")
        return
    if asked["first"]:
        ask(task, asked, asked["first"])
        time.sleep(3)  # and then it learns better
    request = ask(task, asked, asked["amount"])
    request.wait()
    try:
        with request.execute() as action:
            action.outcome = pay(action.parameters)
    except Denied as denied:
        task.fail("permission_denied", str(denied))
        return
    task.artifact(FILE, FILE, media_type="text/csv")


if __name__ == "__main__":
    for task in Client().tasks("refund-bot", worker=f"refund-bot-{os.getpid()}"):
        with task:
            refund(task)
