"""The details of a task: all of its words, its links and timeline, and its latest evidence."""

from collections.abc import Iterator, Sequence

from faultbook.base.clock import to_datetime
from faultbook.base.text import cut, one_line, visible
from faultbook.model.task import Task, TaskEvent
from faultbook.model.task_sight import TaskSight
from faultbook.model.timeline import Timeline
from faultbook.view.actions import MODAL_SHOWN
from faultbook.view.lines import (
    Bold,
    Code,
    Line,
    Link,
    Moment,
    Rich,
    code_block,
    cut_escaped,
    escape,
    join,
    name,
    safe_url,
    utc,
)
from faultbook.view.message import Block
from faultbook.view.slack_blocks import (
    CHARACTERS_A_TEXT,
    actions,
    context,
    divider,
    modal,
    raw_section,
    section,
)
from faultbook.view.slack_details import run_blocks
from faultbook.view.slack_modals import within_bytes
from faultbook.view.slack_task import may_be_no_task, not_a_task_button
from faultbook.view.task_lines import facts, where_it_stands

_LINKS = 20
_EVENTS = 60
_EVENT_WORDS = 160
_ROOM = CHARACTERS_A_TEXT - len("``````")


def task_details_modal(sight: TaskSight, events: Sequence[TaskEvent]) -> Block:
    """Show all there is to read about a task."""
    task = sight.task
    offered = [not_a_task_button(task)] if may_be_no_task(task) else []
    blocks: list[Block] = [section([where_it_stands(sight)]), *actions(offered)]
    small = facts(sight)
    blocks += [context(small)] if small else []
    blocks += [divider(), *_said(task), *_links(task)]
    if events:
        blocks += [divider(), *_timeline(events)]
    if sight.run is not None:
        blocks += [divider(), *run_blocks(Timeline(sight.run))]
    return modal(
        task.id, within_bytes([*blocks, context([_identity(sight)])]), callback_id=MODAL_SHOWN
    )


def _said(task: Task) -> Iterator[Block]:
    for chunk in _chunks(visible(task.text).strip("\n")):
        yield raw_section(code_block(chunk))


def _links(task: Task) -> Iterator[Block]:
    lines: list[Line] = []
    for link in task.links[:_LINKS]:
        url = safe_url(link.url)
        lines.append([Bold(name(link.name))] if url is None else [Link(url, name(link.name))])
    if len(task.links) > _LINKS:
        lines.append([f"and {len(task.links) - _LINKS} more"])
    for line in lines:
        yield section([line])


def _timeline(events: Sequence[TaskEvent]) -> Iterator[Block]:
    told = [_event(event) for event in events[-_EVENTS:]]
    if len(events) > _EVENTS:
        told.insert(0, f"… {len(events) - _EVENTS} before")
    for chunk in _chunks("\n".join(told)):
        yield raw_section(code_block(chunk))


def _event(event: TaskEvent) -> str:
    moment = to_datetime(event.at)
    by = f" ({name(event.by, 40)})" if event.by else ""
    text = f": {cut(one_line(event.text), _EVENT_WORDS)}" if event.text else ""
    kind = name(event.kind.replace("_", " "), 30)
    return f"{utc(event.at)}:{moment:%S}  {kind}{text}{by}"


def _identity(sight: TaskSight) -> Line:
    task = sight.task
    given: list[Line] = [
        ["given by ", name(task.requester.name), " ", Moment(task.received_at)],
        [task.source.value],
        ["route ", Code(name(task.route))] if task.route else ["no route"],
    ]
    if task.priority:
        given.append([f"priority {task.priority}"])
    return join((*given, ["times in UTC"]), [Rich(" · ")])


def _chunks(text: str) -> list[str]:
    """Cut a text into pieces that fit a section once escaped, between lines where it can be."""
    chunks = [""]
    for line in text.split("\n"):
        rest = line
        while rest or line == "":
            kept = cut_escaped(rest, _ROOM)
            if chunks[-1] and len(escape(chunks[-1])) + 1 + len(escape(kept)) <= _ROOM:
                chunks[-1] += f"\n{kept}"
            else:
                chunks.append(kept)
            rest = rest[len(kept) :]
            if not rest:
                break
    return [chunk for chunk in chunks if chunk.strip()]
