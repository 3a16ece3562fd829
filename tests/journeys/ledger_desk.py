"""A workspace, a bot in it whose ledger is in a real remote, and the clock they live by."""

from dataclasses import dataclass
from pathlib import Path

from faultbook.base.clock import Instant, system_clock
from faultbook.ledger.lint import check_files
from faultbook.model.answer import FailingQuery, SeriesAnswer
from faultbook.model.policy import Policy
from faultbook.operations.failing import failing
from faultbook.operations.ledger import read_queue
from faultbook.store.transaction import Transaction
from tests.journeys.running import RunningBot
from tests.ledger.remotes import BareRemote, git
from tests.sandbox.driver import Json, Workspace

TEMPLATE = Path(__file__).parents[2] / "templates" / "incident.md"
GOOD_RULE = "The wrapper fails any export without report.pdf (tests/test_export.py)."
LEDGER = (
    "# What failed\n\n"
    "| # | What failed | Fix | One-rule lesson | Area |\n|---|---|---|---|---|\n"
    "| 14 | The CRM login ran out over the weekend | Log in anew | A sync checks its session"
    " before it starts (crm-sync.sh) | crm |\n"
    "| 26 | A vendor sent other JSON | Schema | Validate vendor JSON against a schema in CI"
    " (schemas/vendor.json) | vendors |\n"
)


@dataclass
class MovedClock:
    """This machine's clock, moved ahead as a test says."""

    ahead: Instant = 0

    def __call__(self) -> Instant:
        return system_clock() + self.ahead


@dataclass
class LedgerDesk:
    """A workspace, a bot in it, its remote, and the clock they live by."""

    slack: Workspace
    bot: RunningBot
    remote: BareRemote
    clock: MovedClock

    def failing_message(self) -> tuple[str, Json]:
        """Ask what's failing; gives the thread and the answer in it."""
        thread = self.slack.say("ana", "general", "@faultbook what's failing?")
        answers = self.slack.wait_for(lambda: self.slack.from_bot("general", thread=thread))
        return thread, answers[0]

    def modal(self, user: str = "ana") -> Json:
        """Wait for the person's modal."""
        return self.slack.wait_for(lambda: self.slack.modals(user))[-1]

    def said_in(self, thread: str, words: str) -> Json:
        """Wait for a message of the bot in a thread, and give it."""

        def found() -> Json:
            told = self.slack.from_bot("general", thread=thread)
            return next((one for one in told if words in one["text"]), {})

        return self.slack.wait_for(found)

    def opened(self, thread: str = "", rule: str = GOOD_RULE) -> tuple[str, Json]:
        """Open an incident for what fails; gives its thread and the announcement."""
        if not thread:
            thread, answer = self.failing_message()
            self.slack.click("ana", "general", answer["ts"], "incident.open")
        self.modal()
        assert self.slack.submit("ana", {"rule": rule, "why_linked": "Why."})["outcome"] == "closed"
        return thread, self.said_in(thread, "Incident opened")

    def wait_read(self, head: str) -> None:
        """Wait until the bot has read a commit."""
        store = self.bot.house.store
        self.slack.wait_for(lambda: store.read(read_queue).commit == head)

    @staticmethod
    def failing_series(tx: Transaction) -> list[SeriesAnswer]:
        """Read what fails, for a test to know its fingerprint."""
        return list(failing(tx, FailingQuery(), Policy()).bad)

    def problems(self) -> list[str]:
        """Check the ledger on the remote's main branch, as `faultbook ledger check` does."""
        told = git(self.remote.path, "ls-tree", "-r", "--name-only", "main")
        files = {path: self.remote.read(path).encode() for path in told.splitlines()}
        found = check_files(files, template=TEMPLATE.read_text("utf-8"))
        return [f"{one.path}:{one.line} {one.code} {one.message}" for one in found]

    def incident_paths(self) -> list[str]:
        """List the incident files on the remote's main branch."""
        told = git(self.remote.path, "ls-tree", "-r", "--name-only", "main")
        return [path for path in told.splitlines() if "/incidents/" in path]


def inputs(view: Json) -> dict[str, Json]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def text_of(view: Json) -> str:
    return str([block.get("text") for block in view["blocks"]])
