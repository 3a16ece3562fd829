"""`faultbook task work`: a worker in one line; `faultbook task progress` within its command."""

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from faultbook.assembly.house import read_settings
from faultbook.assembly.working import TaskAround, open_work, order_here, task_around
from faultbook.base.errors import ConflictError, InvalidError
from faultbook.base.settings import TASK_ID, TASK_LEASE, Settings
from faultbook.cli.asking import json_option, opened, write_json
from faultbook.cli.main import explain
from faultbook.cli.task_desk import open_client

if TYPE_CHECKING:
    from faultbook.intake.wrapper.crew import Crew

_EXIT_NO = 1
_GRACE_SECONDS = 10.0
_KILL_AFTER_SECONDS = 5.0
_LOOK_SECONDS = 0.1


@click.command("work", context_settings={"allow_interspersed_args": False})
@click.option("--agent", required=True, help="Whose tasks: the agent that the routes name.")
@click.option("--worker", help="What people call this process. Default: agent, host and pid.")
@click.option(
    "--routes", multiple=True, metavar="ROUTE", help="Only tasks of this route. Repeatable."
)
@click.option("--once", is_flag=True, help="Do one task at most, then end.")
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="PATH",
    help="A file that the command promises to write anew; `{task}` is filled in. Repeatable.",
)
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def work(
    *,
    agent: str,
    worker: str | None,
    routes: tuple[str, ...],
    once: bool,
    artifacts: tuple[str, ...],
    as_json: bool,
    command: tuple[str, ...],
) -> int:
    """Claim AGENT's tasks one after the other, and do each by running COMMAND here.

    In its arguments `{text}`, `{task}` and `{requester}` are filled in; no shell reads them. It
    also gets the task as JSON on stdin and in FAULTBOOK_TASK_ID, _TEXT, _ATTEMPT, _REQUESTER. It
    says how far it is by `faultbook task progress "page 3 of 9"`, or by writing a line to the file
    that FAULTBOOK_TASK_PROGRESS names.

    A task is done once COMMAND ended with 0 and its artifacts were verified. Ctrl-C lets a command
    that runs go on for 10 s, then ends it and gives its task back.

    With FAULTBOOK_URL set tasks come from the server, for the token's agent, otherwise from the
    local store. Exit code with --once: 0 when the task passed or there was none, else 1.
    """
    if not command[0] or "{" in command[0]:
        raise click.UsageError("The program itself can't be filled in.")
    from faultbook.intake.wrapper.crew import Crew  # noqa: PLC0415 - `progress` needs none of it

    settings = read_settings()
    source = open_work(settings, agent, worker, routes or None)
    try:
        order = order_here(settings, command, artifacts)
        crew = Crew(source, lambda _: order, _say)
        return _run(crew, once=once, as_json=as_json)
    finally:
        source.close()


def _run(crew: "Crew", *, once: bool, as_json: bool) -> int:
    """Let the crew work in a thread; this one hears the signals."""
    from faultbook.intake.wrapper.attempt import Attempt  # noqa: PLC0415 - see `work`

    told = _Signals()
    working = Attempt(lambda: crew.run(once=once))
    while not working.is_over and not told.count:
        time.sleep(_LOOK_SECONDS)
    if not working.is_over:
        crew.close()
        if crew.is_working:
            _say(f"stopping; what runs has {_GRACE_SECONDS:g} s to end")
        until = time.monotonic() + _GRACE_SECONDS
        while not working.is_over and told.count < 2 and time.monotonic() < until:  # noqa: PLR2004 - asked twice
            time.sleep(_LOOK_SECONDS)
        crew.end(_KILL_AFTER_SECONDS)
        while not working.is_over:
            time.sleep(_LOOK_SECONDS)
    if working.error is not None:
        raise working.error
    end = working.result
    if not once:
        return 0
    if end is None:
        _say("nothing to do")
    if as_json:
        closed = end.closed if end else None
        receipt = closed.receipt if closed else None
        write_json(
            {
                "state": closed.state.value if closed else None,
                "run_id": receipt.run_id if receipt else None,
                "verdict": receipt.verdict if receipt else None,
                "reason": receipt.reason if receipt else None,
                "words": end.words if end else "nothing to do",
            }
        )
    return 0 if end is None or end.passed else _EXIT_NO


class _Signals:
    """Counts the signals that ask us to end."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda *_: self._hear())

    def _hear(self) -> None:
        self.count += 1


def _say(words: str) -> None:
    from faultbook.base.text import visible  # noqa: PLC0415 - see `work`

    click.echo(visible(f"faultbook: {words}"), err=True)


@click.command("progress")
@click.argument("words", nargs=-1, required=True)
@json_option
def progress(words: tuple[str, ...], *, as_json: bool) -> int:
    """Say how far a task is: WORDS are shown on its card. For the command that does it.

    A worker's command leaves them in the file that FAULTBOOK_TASK_PROGRESS names, and the worker
    passes them on. Elsewhere they are told directly, by FAULTBOOK_TASK_ID and FAULTBOOK_TASK_LEASE.
    Exit code: 0, or 1 when the task is not this worker's any more; then drop the work.
    """
    told, task = " ".join(words), task_around()
    if _is_left(task, told):
        return _say_told(task, told, as_json=as_json)
    if not task.id or not task.lease:
        raise InvalidError(
            f"{TASK_ID} or {TASK_LEASE} is not set.",
            code="no_task",
            next_step="Call it from the command that a worker runs for a task.",
            where=TASK_ID,
        )
    try:
        _report(read_settings(), task, told)
    except ConflictError as error:
        explain(error)
        return _EXIT_NO
    return _say_told(task, told, as_json=as_json)


def _is_left(task: TaskAround, words: str) -> bool:
    """Leave the words for the worker; tells whether there is one to find them."""
    if not task.progress or not Path(task.progress).parent.is_dir():
        return False
    with Path(task.progress).open("a", encoding="utf-8") as file:
        file.write(" ".join(words.split()) + "\n")
    return True


def _say_told(task: TaskAround, words: str, *, as_json: bool) -> int:
    if as_json:
        write_json({"task": task.id, "progress": words})
    return 0


def _report(settings: Settings, task: TaskAround, words: str) -> None:
    if settings.url is not None:
        client = open_client(settings)
        try:
            document = json.dumps({"lease": task.lease, "text": words}).encode()
            client.tell_task(task.id, "progress", document)
        finally:
            client.close()
        return
    from faultbook.intake.wrapper.work import LEASE_SECONDS  # noqa: PLC0415 - a server needs none
    from faultbook.operations import work as operations  # noqa: PLC0415 - the same
    from faultbook.operations.tasks import find_task, parse_task_id  # noqa: PLC0415 - the same

    number = parse_task_id(task.id)
    with opened(settings) as house:
        held = house.store.read(find_task, number).lease
        agent = held.agent if held else ""
        house.store.write(
            operations.report_progress, number, task.lease, agent, words, LEASE_SECONDS
        )
