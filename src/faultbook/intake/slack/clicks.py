"""Clicks: a table of our own from action to handler; each click counts once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.intake.slack.approval_clicks import APPROVAL_HANDLERS
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.home import repaint_after_click
from faultbook.intake.slack.incidents import (
    hand_draft_over,
    keep_draft,
    note_owner,
    open_by_button,
    write_rule,
)
from faultbook.intake.slack.ledger_clicks import (
    choose,
    close_incident,
    edit_rule,
    say_no,
    say_yes,
)
from faultbook.intake.slack.origins import carrying
from faultbook.intake.slack.payloads import Click, Json, read_click
from faultbook.intake.slack.task_clicks import TASK_HANDLERS
from faultbook.model.notice import NewNotice
from faultbook.operations.questions import Owed, ReplyTo, owed_answer
from faultbook.operations.timeline import read_timeline, read_timelines
from faultbook.view.actions import (
    ASK_FAILING,
    ASK_HELP,
    DRAFT_HAND_OVER,
    DRAFT_WRITE,
    FAILING_BRANCHES,
    FAILING_DETAILS,
    FAILING_NEXT_PAGE,
    FAILING_POST_HERE,
    FAILING_PREVIOUS_PAGE,
    FAILING_SHOW_ALL,
    INCIDENT_CLOSE,
    INCIDENT_OPEN,
    INCIDENT_OWNER,
    INCIDENT_SAVE_DRAFT,
    LEDGER_APPLY,
    LEDGER_DROP,
    LESSON_EDIT,
    LESSON_NEW,
    LESSON_NO,
    LESSON_YES,
    LINK,
    MODAL_SHOWN,
    TIMELINE_OPEN,
    read_query,
)
from faultbook.view.slack_blocks import modal
from faultbook.view.slack_details import detailed_runs, details_modal
from faultbook.view.slack_modals import branches_modal, show_all_modal, timeline_modal
from faultbook.view.slack_words import help_message

_EVENTS_IN_DETAILS = 20

log = structlog.get_logger("slack")


async def take_click(desk: Desk, body: Json) -> Json | None:
    """Take one click; durable when it returns, and nothing at all for one that came before.

    Raises:
        InvalidError: its value is none of ours.
        UnavailableError: nothing was recorded.
    """
    click = read_click(body, desk.me)
    if click.action_id.startswith(LINK):
        return None  # Slack opens the link itself
    # The buttons of a row differ by their place.
    handle = _HANDLERS.get(click.action_id) or _HANDLERS.get(click.action_id.rpartition(".")[0])
    if handle is None:
        log.info("unknown_action", action=redact(click.action_id[:80]))
        raise InvalidError(
            "This button is from another version, so nothing happened.",
            code="unknown_button",
            next_step="Ask again, and use the buttons of the new answer.",
        )
    await handle(desk, click)
    repaint_after_click(desk, click)
    return None


async def _ask_failing(desk: Desk, click: Click) -> None:
    query, _ = read_query(click.value)
    if click.view_id:
        await _once(desk, click, lambda: _show_page(desk, click))
    else:
        await _answer(desk, click, owed_answer(_reply_to(click), query))


async def _ask_help(desk: Desk, click: Click) -> None:
    if click.view_id:
        view = modal("Help", help_message().blocks, callback_id=MODAL_SHOWN)
        await _once(desk, click, lambda: desk.show(click, view))
    else:
        await _answer(desk, click, _reply_to(click).notice(Owed.HELP))


async def _answer(desk: Desk, click: Click, owed: NewNotice) -> None:
    """Answer where it was asked: in a thread or a direct conversation openly, else in private."""
    if click.thread_ts or click.channel.startswith("D"):
        await desk.accept([click.key], owed)
    elif await desk.accept([click.key], None):
        desk.tasks.start("answer", lambda: _whisper(desk, click, owed))


async def _whisper(desk: Desk, click: Click, owed: NewNotice) -> None:
    desk.whisper(click.response_url, await desk.made(owed, private=True), click.thread_ts)


async def _post_here(desk: Desk, click: Click) -> None:
    query, _ = read_query(click.value)
    to = replace(_reply_to(click), asked_here=True)
    # One post for each ephemeral answer, however often its button is pressed.
    posted = f"posted:{click.team}:{click.channel}:{click.user}:{click.message_ts}"
    await desk.accept([click.key, posted], owed_answer(to, query))


async def _details(desk: Desk, click: Click) -> None:
    query, _ = read_query(click.value)

    async def show() -> None:
        answer = await desk.ask(query)
        runs = detailed_runs(answer)
        timelines = await desk.store.read_async(read_timelines, runs, _EVENTS_IN_DETAILS)
        await desk.show(click, carrying(details_modal(answer, timelines), click))

    await _once(desk, click, show)


async def _branches(desk: Desk, click: Click) -> None:
    query, _ = read_query(click.value)

    async def show() -> None:
        everywhere = replace(query, branch=None, all_branches=True)
        answer = await desk.ask(everywhere)
        view = branches_modal(answer, desk.policy.main_branch)
        await desk.show(click, carrying(view, click))

    await _once(desk, click, show)


async def _show_all(desk: Desk, click: Click) -> None:
    read_query(click.value)
    await _once(desk, click, lambda: _show_page(desk, click))


async def _turn_page(desk: Desk, click: Click) -> None:
    read_query(click.value)
    await _once(desk, click, lambda: _show_page(desk, click, instead=True))


async def _show_page(desk: Desk, click: Click, *, instead: bool = False) -> None:
    query, page = read_query(click.value)
    view = carrying(show_all_modal(await desk.ask(query), page), click)
    await desk.show(click, view, instead=instead)


async def _timeline(desk: Desk, click: Click) -> None:
    async def show() -> None:
        timeline = await desk.store.read_async(read_timeline, click.value)
        await desk.show(click, timeline_modal(timeline))

    await _once(desk, click, show)


async def _once(desk: Desk, click: Click, show: Callable[[], Awaitable[None]]) -> None:
    """Record the click, and open its window at once, past the queue."""
    if await desk.accept([click.key], None):
        desk.tasks.start(click.action_id, show)


def _reply_to(click: Click) -> ReplyTo:
    return ReplyTo(
        channel=click.channel,
        user=click.user,
        after=click.action_ts,
        thread_ts=click.thread_ts,
    )


_HANDLERS: dict[str, Callable[[Desk, Click], Awaitable[None]]] = {
    ASK_FAILING: _ask_failing,
    ASK_HELP: _ask_help,
    FAILING_BRANCHES: _branches,
    FAILING_DETAILS: _details,
    FAILING_NEXT_PAGE: _turn_page,
    FAILING_POST_HERE: _post_here,
    FAILING_PREVIOUS_PAGE: _turn_page,
    FAILING_SHOW_ALL: _show_all,
    INCIDENT_OPEN: open_by_button,
    INCIDENT_OWNER: note_owner,
    INCIDENT_SAVE_DRAFT: keep_draft,
    INCIDENT_CLOSE: close_incident,
    DRAFT_WRITE: write_rule,
    DRAFT_HAND_OVER: hand_draft_over,
    LEDGER_APPLY: choose,
    LEDGER_DROP: choose,
    LESSON_YES: say_yes,
    LESSON_NO: say_no,
    LESSON_NEW: say_no,
    LESSON_EDIT: edit_rule,
    TIMELINE_OPEN: _timeline,
    **TASK_HANDLERS,
    **APPROVAL_HANDLERS,
}
