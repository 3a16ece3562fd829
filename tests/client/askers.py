"""An agent as a process of its own: `python -m tests.client.askers ID`, told by files.

It executes what was approved, writes each effect to `effects`, and stays between the effect and its
report until `go` is there.
"""

import sys
import time
from pathlib import Path

from faultbook.client import Client


def act(approval: str) -> None:
    """Execute an approval, in the present folder."""
    with Client() as client:
        request = client.approval(approval)
        with request.execute() as action:
            with Path("effects").open("a", encoding="utf-8") as file:
                file.write(f"{action.target} {action.parameters['amount']}\n")
            while not Path("go").exists():
                time.sleep(0.01)


if __name__ == "__main__":
    act(sys.argv[1])
