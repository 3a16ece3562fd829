"""`faultbook task`: give tasks, see how they stand, and work on them."""

import sys
from typing import Any

import click

from faultbook.assembly.house import read_settings
from faultbook.base.clock import system_clock
from faultbook.base.errors import ConflictError, InvalidError
from faultbook.cli.asking import color_option, json_option, write_json, write_text
from faultbook.cli.main import explain
from faultbook.cli.task_desk import Given, TaskDesk, Wanted, open_desk
from faultbook.cli.task_work import progress, work
from faultbook.view.task_text import added_text, changed_text, task_text, tasks_text

_STATES = ("open", "queued", "running", "waiting", "done", "failed", "lost", "cancelled", "all")
_EXIT_NO = 1


@click.group("task")
def command() -> None:
    """Give tasks, see how they stand, and work on them.

    With FAULTBOOK_URL set the server is asked, otherwise the local store.
    """


command.add_command(work)
command.add_command(progress)


@command.command("add")
@click.argument("text", nargs=-1, required=True)
@click.option("--route", help="Who does it. Default: the first route that takes the text.")
@click.option(
    "--priority", type=click.IntRange(-1000, 1000), default=0, help="The higher the sooner."
)
@click.option("--link", "links", multiple=True, metavar="URL", help="What belongs to it.")
@json_option
def add(
    text: tuple[str, ...],
    route: str | None,
    priority: int,
    links: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Give a task: TEXT says what is to be done; `-` reads it from stdin."""
    told = sys.stdin.read() if text == ("-",) else " ".join(text)
    given = Given(told.strip(), route, priority, [(_named(link), link) for link in links])
    with open_desk(read_settings()) as desk:
        task = desk.add(given)
    if as_json:
        write_json(task)
    else:
        click.echo(added_text(task), nl=False)


@command.command("list")
@click.option(
    "--state", type=click.Choice(_STATES), default="open", show_default=True, help="Which tasks."
)
@click.option("--route", help="Only tasks of this route.")
@click.option("-n", "--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@color_option
def list_(state: str, route: str | None, limit: int, *, as_json: bool, color: bool | None) -> None:
    """List tasks: the open ones in the queue's order, others the newest first."""
    with open_desk(read_settings()) as desk:
        found = desk.list_some(Wanted(state, route, limit))
    if as_json:
        write_json({"tasks": found})
    elif found:
        now = system_clock()
        write_text(lambda look: tasks_text(found, now, look), color=color)
    else:
        which = "task" if state == "all" else f"{state} task"
        click.echo(f"No {which}. Give one: faultbook task add 'export November'", err=True)


@command.command("show")
@click.argument("task", metavar="ID")
@json_option
@color_option
def show(task: str, *, as_json: bool, color: bool | None) -> None:
    """Show a task with its timeline, and what its latest attempt came to. ID reads like T-41."""
    with open_desk(read_settings()) as desk:
        found = desk.read(task.strip())
    if as_json:
        write_json(found)
    else:
        now = system_clock()
        write_text(lambda look: task_text(found, now, look), color=color)


@command.command("cancel")
@click.argument("task", metavar="ID")
@json_option
def cancel(task: str, *, as_json: bool) -> int:
    """Cancel an open task; one that runs is ended. Exit code: 0, or 1 when it had ended before."""
    return _change("cancel", task, as_json=as_json)


@command.command("retry")
@click.argument("task", metavar="ID")
@json_option
def retry(task: str, *, as_json: bool) -> int:
    """Queue a failed, lost or cancelled task again. Exit code: 0, or 1 when it is none of these."""
    return _change("retry", task, as_json=as_json)


def _change(verb: str, task: str, *, as_json: bool) -> int:
    try:
        with open_desk(read_settings()) as desk:
            changed = _changed(desk, verb, task.strip())
    except ConflictError as error:
        explain(error)
        return _EXIT_NO
    if as_json:
        write_json(changed)
    else:
        click.echo(changed_text(changed), nl=False)
    return 0


def _changed(desk: TaskDesk, verb: str, task: str) -> dict[str, Any]:
    return desk.cancel(task) if verb == "cancel" else desk.retry(task)


def _named(link: str) -> str:
    """Name a link by its last part, as a person would.

    Raises:
        InvalidError: it is none that may be shown as one.
    """
    from faultbook.view.lines import safe_url  # noqa: PLC0415 - only a link pays for it

    if safe_url(link) is None:
        raise InvalidError(
            f"`{link[:80]}` is no link.",
            code="bad_link",
            next_step="Give it as https://host/path.",
            where="--link",
        )
    path = link.split("?", 1)[0].rstrip("/")
    return path.rsplit("/", 1)[-1][:200] or link[:200]
