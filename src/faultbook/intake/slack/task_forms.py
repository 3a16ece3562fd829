"""Submitted modals of tasks: a new one, and what shows that one in hand is done."""

import asyncio
from dataclasses import dataclass

from faultbook.base.errors import FaultbookError, InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.forms import FormError, read_field
from faultbook.intake.slack.payloads import Json, Submission
from faultbook.intake.slack.places import direct_of, is_inside
from faultbook.intake.slack.task_files import SentFile, read_evidence, read_sent_files
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import Claim, Outcome
from faultbook.model.person import Person
from faultbook.model.run import RunEnd
from faultbook.model.task import NewTask, Task, TaskOrigin, TaskSource
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import request_digest
from faultbook.operations.task_people import find_in_hand, finish_with, once
from faultbook.operations.tasks import parse_task_id, take_task
from faultbook.view.slack_task_form import FILES, reading_modal
from faultbook.view.slack_words import refusal_message

_READ_SECONDS = 2.0
"""Slack waits for 3 s; what takes longer goes on, and the card says what came of it."""
_ERROR = 400
_LINK = 500


@dataclass(frozen=True, slots=True)
class Finish:
    """What a person says of a task that they have in hand."""

    number: int
    by: Person
    files: tuple[SentFile, ...]
    link: str
    keys: tuple[str, ...]


async def submit_new_task(desk: Desk, submission: Submission) -> Json | None:
    """Take the task that the modal asks for, once.

    Raises:
        FormError: it can't be taken so.
        UnavailableError: nothing was recorded.
    """
    by = await desk.people.person(submission.user, submission.user_name)
    chosen = read_conversation(submission.values, "channel")
    if chosen and not await is_inside(desk, chosen):
        raise FormError({"channel": "I am not in that channel. Invite me, or leave it empty."})
    channel = chosen or submission.metadata or await direct_of(desk, submission.user)
    new = NewTask(
        text=read_field(submission.values, "text"),
        requester=by,
        source=TaskSource.BUTTON,
        origin=TaskOrigin(submission.team, channel),
    )
    try:
        await desk.store.write_async(take_task, submission.keys, new, desk.routes)
    except InvalidError as error:
        raise FormError({"text": _sentences(error)}) from error
    return None


def read_conversation(values: Json, name: str) -> str:
    """Read which conversation was chosen; empty where none was."""
    block = values.get(name)
    for element in block.values() if isinstance(block, dict) else ():
        found = element.get("selected_conversation") if isinstance(element, dict) else None
        return found if isinstance(found, str) else ""
    return ""


async def submit_done(desk: Desk, submission: Submission) -> Json | None:
    """Finish a task in hand by what is given; files that take long are read after the answer.

    Raises:
        FormError: it can't be taken so.
        UnavailableError: nothing was recorded.
    """
    finish = Finish(
        number=parse_task_id(submission.metadata),
        by=await desk.people.person(submission.user, submission.user_name),
        files=tuple(read_sent_files(submission.values, "files", FILES)),
        link=cut(read_field(submission.values, "link"), _LINK),
        keys=submission.keys,
    )
    if not finish.files and not finish.link:
        raise FormError({"files": "Give a file, or at least a link."})
    try:
        task = await desk.store.read_async(find_in_hand, finish.number, finish.by)
        finishing = asyncio.ensure_future(_finish(desk, finish))
        done, _ = await asyncio.wait({finishing}, timeout=_READ_SECONDS)
        if done:
            finishing.result()
            return None
    except FaultbookError as error:
        place = "files" if error.where == "files" or not finish.link else "link"
        raise FormError({place: _sentences(error)}) from error
    desk.tasks.start("done", lambda: _finish_late(desk, finishing, task, finish.by))
    return {"response_action": "update", "view": reading_modal(task.id)}


async def _finish(desk: Desk, finish: Finish) -> None:
    artifacts = await read_evidence(desk, finish.files)
    beside = finish.link if artifacts else ""
    if not artifacts:
        artifacts = (_link_alone(finish.link),)
    outcome = Outcome(claim=Claim(Verdict.PASSED), artifacts=artifacts)
    end = RunEnd(ended_at=desk.store.clock(), outcome=outcome)
    await desk.store.write_async(
        once,
        finish.keys,
        finish_with,
        finish.number,
        finish.by,
        end,
        beside,
        desk.policy,
        request_digest(finish.keys[0].encode()),
    )


def _link_alone(link: str) -> Artifact:
    told = redact(link)
    return Artifact("link", Check.UNREACHABLE, told, detail="a link alone can't be verified")


async def _finish_late(
    desk: Desk, finishing: "asyncio.Future[None]", task: Task, by: Person
) -> None:
    try:
        await finishing
    except FaultbookError as error:
        origin = task.origin
        if origin.channel:
            note = refusal_message(error)
            await desk.tell(origin.channel, by.id, origin.thread_ts or None, note)


def _sentences(error: FaultbookError) -> str:
    return cut(f"{error.message} {error.next_step}".strip(), _ERROR)
