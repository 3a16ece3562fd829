"""Opening incidents: by command, shortcut or button; drafts kept, handed over, taken up again."""

import asyncio
from dataclasses import dataclass, replace

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import visible
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.forms import read_incident_form
from faultbook.intake.slack.origins import origin_of
from faultbook.intake.slack.payloads import Click, Command, Shortcut, settles_view
from faultbook.intake.slack.words import plain_words
from faultbook.model.draft import IncidentDraft, IncidentFacts, NewDraft, Origin
from faultbook.model.run import SeriesKey
from faultbook.operations.drafts import hand_over, is_blank, read_open_draft, save_draft
from faultbook.operations.incidents import read_facts, read_facts_of_text
from faultbook.view.series_values import Beginning, read_beginning, read_series
from faultbook.view.slack_incident import draft_kept_modal, read_draft_block
from faultbook.view.slack_incident_form import incident_form, prefilled

_PERMALINK_SECONDS = 1.0
_TEXT = 3000

log = structlog.get_logger("slack")


@dataclass(frozen=True, slots=True)
class Start:
    """What an incident is begun from.

    Attributes:
        series: the one it is about, where a button named it.
        text: words that may name one, and that say what failed where they do not.
    """

    origin: Origin
    series: SeriesKey | None = None
    text: str = ""


async def open_by_button(desk: Desk, click: Click) -> None:
    """Open the modal for the series that a button is about."""
    desk.need_ledger()
    start = Start(origin_of(click), read_series(click.value))
    if await desk.accept([click.key], None):
        desk.tasks.start("incident", lambda: _open(desk, click, start))


async def open_by_shortcut(desk: Desk, shortcut: Shortcut) -> None:
    """Open the modal for the message that a shortcut was used on."""
    desk.need_ledger()
    click = shortcut.click
    text = visible(redact(plain_words(shortcut.message_text, desk.me.mention)))[:_TEXT]
    start = Start(Origin(click.channel, click.thread_ts or ""), None, text)
    if await desk.accept([click.key], None):
        desk.tasks.start("incident", lambda: _open(desk, click, start))


async def open_by_command(desk: Desk, command: Command, text: str) -> None:
    """Open the modal for a command; its words may name a workflow, or say what failed."""
    desk.need_ledger()
    click = command.as_click()
    said = visible(redact(plain_words(text, desk.me.mention)))[:_TEXT]
    start = Start(Origin(command.channel), None, said)
    if await desk.accept([click.key], None):
        desk.tasks.start("incident", lambda: _open(desk, click, start))


async def _open(desk: Desk, click: Click, start: Start) -> None:
    """Gather what is known, within the three seconds that Slack gives, and show it."""
    facts, permalink, _ = await asyncio.gather(
        desk.store.in_thread(_known, desk, start),
        _permalink(desk, click),
        desk.people.person(click.user, click.user_name),  # known once it is submitted
    )
    facts = replace(facts, permalink=permalink)
    told = facts if facts.workflow else replace(facts, detail=start.text)
    form = prefilled(told, click.user, desk.store.clock())
    await desk.show(click, incident_form(Beginning(facts, start.origin), form))


def _known(desk: Desk, start: Start) -> IncidentFacts:
    if start.series is not None:
        return read_facts(desk.store, desk.policy, start.series)
    if start.text:
        return read_facts_of_text(desk.store, desk.policy, start.text)
    return IncidentFacts()


async def _permalink(desk: Desk, click: Click) -> str:
    """Ask for the link of the message; an incident is worth more than its link."""
    if not click.message_ts or click.is_ephemeral:
        return ""
    try:
        async with asyncio.timeout(_PERMALINK_SECONDS):
            answer = await desk.client.chat_getPermalink(
                channel=click.channel, message_ts=click.message_ts
            )
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        log.info("permalink_not_read", why=type(error).__name__)
        return ""
    return str(answer.get("permalink") or "")


async def note_owner(desk: Desk, click: Click) -> None:
    """Read the name of a chosen owner while the rest is written."""
    if click.value:
        desk.tasks.start("owner", lambda: desk.people.person(click.value))


async def keep_draft(desk: Desk, click: Click) -> None:
    """Keep what stands in the modal as a draft; the modal then says until when."""
    beginning = read_beginning(click.metadata)
    form = read_incident_form(click.values, click.user)
    if is_blank(form):
        note = "A draft needs a title, or what failed."
        view = incident_form(beginning, form, note=note)
        desk.tasks.start("draft", lambda: desk.show(click, view, instead=True))
        return
    owner = await desk.people.person(form.owner_id or click.user, click.user_name)
    new = NewDraft(form, beginning.facts, owner, beginning.origin)
    keys = [click.key, settles_view(click.team, click.view_id)]
    owed = await desk.store.write_async(save_draft, keys, new, beginning.draft_id or None)
    if owed is not None:
        desk.wake(owed.target)
    kept = draft_kept_modal(form.title or form.what_failed)
    desk.tasks.start("draft", lambda: desk.show(click, kept, instead=True))


async def write_rule(desk: Desk, click: Click) -> None:
    """Open the modal with what a draft says, for its rule to be written."""
    desk.need_ledger()
    draft = await desk.store.read_async(read_open_draft, click.value)
    if await desk.accept([click.key], None):
        desk.tasks.start("incident", lambda: _show_draft(desk, click, draft))


async def _show_draft(desk: Desk, click: Click, draft: IncidentDraft) -> None:
    form = draft.form
    if form.rule_author_id != click.user:
        # A rule is its author's own words: nobody else finds it filled in.
        form = replace(form, rule="", rule_author_id="")
    beginning = Beginning(draft.facts, draft.origin, draft.id)
    await desk.show(click, incident_form(beginning, form))


async def hand_draft_over(desk: Desk, click: Click) -> None:
    """Give a draft to the person who was chosen from its menu."""
    draft_id = read_draft_block(click.block_id)
    if draft_id is None or not click.value:
        raise InvalidError(
            "This menu is from another version, so nothing happened.",
            code="unknown_button",
            next_step="Open What's failing, and write the rule from there.",
        )
    to = await desk.people.person(click.value)
    by = await desk.people.person(click.user, click.user_name)
    owed = await desk.store.write_async(hand_over, [click.key], draft_id, to, by)
    if owed is not None:
        desk.wake(owed.target)
