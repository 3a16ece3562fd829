"""A workspace whose finance approvers decide, a bot in it, and an agent that asks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbook.base.clock import Clock, system_clock
from faultbook.base.settings import RouteSettings
from faultbook.base.settings_policies import PolicySettings
from faultbook.model.approval import Approval, ApprovalState, EvidenceLink, NewApproval
from faultbook.model.approval_policy import Membership
from faultbook.model.audit import AuditRecord
from faultbook.model.task import Task
from faultbook.operations.approval_requests import check_action, request_approval
from faultbook.operations.approval_steps import find_approval
from faultbook.operations.execution import Grant, begin_execution, give_up, report_execution
from faultbook.operations.work import Claimer, claim_task
from faultbook.store import audit
from tests.journeys.running import RunningBot, running_bot, settings_for
from tests.sandbox.driver import Json, Workspace

AGENT = "invoice-bot"
WHY = "charged twice"
GROUP = "finance-approvers"
ROUTE = RouteSettings(name="refunds", match="refund*", agent=AGENT)


@dataclass
class Approving:
    """What the journeys of approvals ask and look at."""

    workspace: Workspace
    bot: RunningBot
    channel: str

    def ask(
        self,
        target: str = "c_881",
        parameters: Mapping[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 - a request's own fields
    ) -> Approval:
        """Have the agent ask."""
        given = {"customer": "c_881", "amount": "120.00 EUR"} if parameters is None else parameters
        action = check_action("refund", target, "prod", dict(given))
        facts: dict[str, Any] = {
            "owner": "Olga Wren",
            "evidence": (EvidenceLink("two charges", "https://pay.example/c_881"),),
        }
        new = NewApproval(
            action, WHY, "the card is credited; can't be undone", AGENT, **(facts | more)
        )
        house = self.bot.house
        asked = house.store.write(request_approval, new, house.policies)
        assert isinstance(asked, Approval), asked
        return asked

    def approved(self, target: str = "c_881") -> Approval:
        """Have the agent ask, and Ben approve."""
        asked = self.ask(target)
        assert self.approve("ben", self.card(asked))["acked"]
        return self.wait(asked, ApprovalState.APPROVED)

    def begin(self, asked: Approval) -> str:
        """Have the agent get the leave to execute; gives the grant's id."""
        house = self.bot.house
        ids = {vote.voter.id for vote in asked.votes}
        groups = house.policies.all[0].thresholds[0].voters.groups
        members = {one: Membership(one, groups) for one in ids}
        given = house.store.write(
            begin_execution, asked.number, asked.digest, AGENT, members, house.policies
        )
        assert isinstance(given, Grant), given
        return given.id

    def report(self, asked: Approval, grant: str, *, worked: bool, words: str) -> None:
        """Have the agent report."""
        told = self.bot.house.store.write(
            report_execution, asked.number, grant, AGENT, worked=worked, words=words
        )
        assert isinstance(told, Approval), told

    def unknown(self) -> tuple[Approval, Json]:
        """Have an execution begin that nobody reports; gives its approval and its card."""
        asked = self.approved()
        self.begin(asked)
        self.bot.house.store.write(give_up, asked.number, "clock", "nobody reported")
        return asked, self.card(asked, "Outcome unknown.")

    def task_of(self, user: str, channel: str) -> tuple[int, str]:
        """Have a person give a task and the agent claim it; gives its number and its thread."""
        workspace, house = self.workspace, self.bot.house
        ts = workspace.say(user, channel, "@faultbook refund c_881")
        claimer = Claimer(AGENT, "invoice-bot-2")

        def claimed() -> Task | None:
            return house.store.write(claim_task, claimer, 60.0, house.policy, house.routes)

        task = workspace.wait_for(claimed)
        assert task is not None
        return task.number, ts

    def find(self, asked: Approval) -> Approval:
        """Read an approval as it stands."""
        return self.bot.house.store.read(find_approval, asked.number)

    def wait(self, asked: Approval, state: ApprovalState) -> Approval:
        """Wait until an approval is in a state."""

        def reached() -> Approval | None:
            found = self.find(asked)
            return found if found.state is state else None

        found = self.workspace.wait_for(reached)
        assert found is not None
        return found

    def card_in(self, channel: str, thread: str, asked: Approval) -> Json:
        """Wait for an approval's card in a thread."""

        def shown() -> Json | None:
            found = self.workspace.from_bot(channel, thread=thread)
            return next((one for one in found if asked.short_digest in one["text"]), None)

        card = self.workspace.wait_for(shown)
        assert card is not None
        return card

    def card(self, asked: Approval, said: str = "") -> Json:
        """Wait for an approval's card, until it says something."""

        def shown() -> Json | None:
            for one in self.workspace.from_bot(self.channel):
                if asked.short_digest in one["text"] and said in one["text"]:
                    return one
            return None

        found = self.workspace.wait_for(shown)
        assert found is not None
        return found

    def approve(self, user: str, card: Json, **how: Any) -> Json:  # noqa: ANN401 - what `click` takes
        """Press Approve."""
        return self.workspace.click(user, self.channel, card["ts"], "approval.approve", **how)

    def deny(self, user: str, card: Json) -> Json:
        """Press Deny; gives the form."""
        assert self.workspace.click(user, self.channel, card["ts"], "approval.deny")["acked"]
        return self.modal(user, "Deny")

    def record(self, user: str, card: Json) -> Json:
        """Press Record outcome; gives the form."""
        assert self.workspace.click(user, self.channel, card["ts"], "approval.record")["acked"]
        return self.modal(user, "Outcome")

    def modal(self, user: str, title: str) -> Json:
        """Wait for a person's top modal."""

        def shown() -> Json | None:
            stack = self.workspace.modals(user)
            return stack[-1] if stack and title in stack[-1]["title"]["text"] else None

        found = self.workspace.wait_for(shown)
        assert found is not None
        return found

    def told(self, user: str, said: str) -> Json:
        """Wait for what only one person sees."""

        def shown() -> Json | None:
            found = self.workspace.ephemerals(user)
            return next((one for one in found if said in one["text"]), None)

        found = self.workspace.wait_for(shown)
        assert found is not None
        return found

    def audited(self) -> list[AuditRecord]:
        """Read the audit log."""
        return self.bot.house.store.read(lambda tx: list(audit.read_all(tx)))

    def refusals(self) -> list[str]:
        """List the kinds and codes of what was refused."""
        return [
            record.record.partition('"code":"')[2].partition('"')[0]
            for record in self.audited()
            if record.kind.endswith("refused")
        ]


def labels(message: Json) -> list[str]:
    """Name the buttons of a message or a modal."""
    rows = [one for one in message["blocks"] if one["type"] == "actions"]
    return [element["text"]["text"] for row in rows for element in row["elements"]]


def policy_for(workspace: Workspace, **more: Any) -> PolicySettings:  # noqa: ANN401 - a policy's own fields
    """Let the finance approvers decide about refunds, in the channel of the agents."""
    group = workspace.new_group(GROUP, ["ben", "chris"])
    facts: dict[str, Any] = {
        "name": "refund-prod",
        "kinds": ["refund"],
        "thresholds": [{"groups": [group], "approve": 1}],
        "channel": workspace.channel_id("ops"),
        "mention": group,
        "loop_seconds": 0,
    }
    return PolicySettings.model_validate(facts | more)


@contextmanager
def approving(
    workspace: Workspace,
    home: Path,
    *policies: PolicySettings,
    clock: Clock = system_clock,
) -> Iterator[Approving]:
    """Start a bot with policies; one for refunds where none is given."""
    settings = settings_for(workspace, home)
    settings = settings.model_copy(
        update={"routes": [ROUTE], "policies": list(policies) or [policy_for(workspace)]}
    )
    with running_bot(settings, clock=clock) as bot:
        yield Approving(workspace, bot, "ops")
