"""A folder with policies, and `faultbook approval` in it as a program of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from faultbook.assembly.house import House, open_house, read_settings
from tests.intake.http.conftest import make_token

SETTINGS = """\
[[policies]]
name = "refund-prod"
kinds = ["refund"]
reason_to_deny = true
channel = "C1"
[[policies.thresholds]]
users = ["UBEN", "UANA", "UCHRIS"]
[policies.break_glass]
users = ["UANA"]
[[policies]]
name = "by-two"
kinds = ["transfer"]
reason_to_approve = true
[[policies.thresholds]]
approve = 2
users = ["UBEN", "UCHRIS"]
[[policies]]
name = "by-finance"
kinds = ["deploy"]
[[policies.thresholds]]
groups = ["SFINANCE"]
"""


@dataclass
class Place:
    """A folder with policies, and the command line in it: on its store, or on its server."""

    folder: Path
    url: str | None = None
    agent: str = ""
    tokens: dict[str, str] = field(default_factory=dict)

    def environ(self, who: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAULTBOOK_", "SLACK_"))}
        told = {"FAULTBOOK_HOME": str(self.folder / "home"), "LOGNAME": "ana", "USER": "ana"}
        if self.url is not None:
            told["FAULTBOOK_URL"] = self.url
        token = self.tokens.get(who)
        return kept | told | ({"FAULTBOOK_TOKEN": token} if token else {})

    def approval(
        self, *words: str, who: str = "", stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "faultbook", "approval", *words],
            cwd=self.folder,
            env=self.environ(who),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, *more: str) -> str:
        asked = self.approval(
            "request", "refund", "c_881", "-p", "amount=120.00", "--why", "w", *more
        )
        assert asked.returncode == 0, asked.stderr
        return asked.stdout

    def document(self, number: str = "A-1") -> dict[str, object]:
        found: dict[str, object] = json.loads(self.approval("show", number, "--json").stdout)
        return found

    @property
    def digest(self) -> str:
        return str(self.document()["digest"])[:12]

    def house(self) -> House:
        return open_house(read_settings(self.environ(""), self.folder))


def new_place(folder: Path) -> tuple[Place, House]:
    (folder / "faultbook.toml").write_text(SETTINGS, encoding="utf-8")
    place = Place(folder)
    house = place.house()
    for name, person in (("ben", "UBEN"), ("ana", "UANA"), ("chris", "UCHRIS"), ("gil", "UGIL")):
        place.tokens[name] = make_token(house.store, "approvals:decide", person=person)
    place.tokens["bot"] = make_token(
        house.store, "approvals:request", "approvals:read", agent="refund-bot", owner="UANA"
    )
    return place, house
