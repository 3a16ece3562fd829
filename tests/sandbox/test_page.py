"""The page in a real browser: asking, clicking, modals, phones, and text that means harm."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient
from tests.sandbox.bots import Bot
from tests.sandbox.driver import Json, Workspace

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=20_000)  # the machine may be busy
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, slack: Workspace) -> Iterator[Page]:
    yield from opened(browser, slack, 1280, 800)


@pytest.fixture
def phone(browser: Browser, slack: Workspace) -> Iterator[Page]:
    yield from opened(browser, slack, 390, 844)


@pytest.fixture(scope="module")
def viewer(browser: Browser, one_workspace: Workspace) -> Iterator[Page]:
    yield from opened(browser, one_workspace, 800, 600)


def opened(browser: Browser, slack: Workspace, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("dialog", lambda dialog: broken.append(dialog.message))
    page.goto(f"{slack.page}?as=ana")
    page.get_by_test_id("composer").wait_for()
    yield page
    context.close()
    assert broken == []


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("It can't be undone."), "confirm": plain("Do it")}
BUTTONS = {
    "type": "actions",
    "elements": [
        {"type": "button", "action_id": "go", "text": plain("Open incident"), "style": "primary"},
        {"type": "button", "action_id": "risky", "text": plain("Refund"), "confirm": CONFIRM},
    ],
}
HIGH = {"text": plain("high"), "value": "high"}
RULE = {
    "type": "modal",
    "callback_id": "rule",
    "title": plain("Open incident"),
    "submit": plain("Open"),
    "blocks": [
        {
            "type": "input",
            "block_id": "rule",
            "label": plain("Prevention rule"),
            "element": {"type": "plain_text_input", "action_id": "rule", "multiline": True},
        },
        {
            "type": "input",
            "block_id": "severity",
            "label": plain("Severity"),
            "optional": True,
            "element": {"type": "static_select", "action_id": "severity", "options": [HIGH]},
        },
    ],
}
CLICKED: list[str] = []


def answering(app: AsyncApp) -> None:
    @app.event("app_mention")
    async def mention(event: Json, say: AsyncSay) -> None:
        thread = event.get("thread_ts", event["ts"])
        await say(text="1 failing", thread_ts=thread, blocks=[section(":x: *1 failing*"), BUTTONS])

    @app.action("go")
    async def go(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=RULE)
        await ack()

    @app.action("risky")
    async def risky(ack: AsyncAck) -> None:
        CLICKED.append("risky")
        await ack()

    @app.view("rule")
    async def submitted(ack: AsyncAck, view: Json) -> None:
        if "careful" in view["state"]["values"]["rule"]["rule"]["value"]:
            await ack(response_action="errors", errors={"rule": "That can't be checked."})
        else:
            await ack()

    @app.command("/failing")
    async def failing(ack: AsyncAck) -> None:
        await ack("Only for you")


def message(page: Page, ts: str) -> Locator:
    """Find a message of the channel: other tests leave theirs there too."""
    return page.get_by_test_id("messages").locator(f'[data-testid="message"][data-ts="{ts}"]')


def type_and_send(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer")
    composer.fill(text)
    composer.press("Enter")


def test_a_newcomer_asks_and_is_answered_in_a_thread(slack: Workspace, page: Page) -> None:
    slack.new_channel("fresh")
    with Bot(slack, answering):
        page.locator('[data-testid=channel][data-name="fresh"]').click()
        expect(page.get_by_test_id("hint")).to_contain_text("@faultbook what's failing?")
        composer = page.get_by_test_id("composer")
        composer.press_sequentially("@fau")
        composer.press("Enter")
        composer.press_sequentially("what's failing?")
        composer.press("Enter")
        link = page.get_by_test_id("thread-link")
        expect(link).to_contain_text("1 reply")
        link.click()
        thread = page.get_by_test_id("thread")
        expect(thread.get_by_test_id("message").last).to_contain_text("1 failing")
        thread.get_by_test_id("thread-composer").fill("@faultbook more")
        thread.get_by_test_id("thread-send").click()
        expect(thread.get_by_test_id("message")).to_have_count(4)
        page.keyboard.press("Escape")
        expect(thread).to_be_hidden()


def test_a_posted_message_shows_within_a_blink(slack: Workspace, page: Page) -> None:
    general = slack.channel_id("general")
    page.evaluate(
        """() => { window.arrived = new Promise((done) => {
            const list = document.querySelector("[data-testid=messages]");
            new MutationObserver(() => {
                if (list.textContent.includes("quick one")) done(Date.now());
            }).observe(list, {childList: true, subtree: true});
        }); }"""
    )
    posted = slack.api("chat.postMessage", channel=general, text="quick one")
    arrived = float(page.evaluate("() => window.arrived")) / 1000
    assert arrived - float(posted["ts"]) < 1


def test_a_modal_opens_shows_its_error_and_closes(slack: Workspace, page: Page) -> None:
    with Bot(slack, answering):
        asked = slack.say("ana", "general", "@faultbook hi")
        message(page, asked).get_by_test_id("thread-link").click()
        page.locator("#thread [data-action=go]").click()
        modal = page.get_by_test_id("modal")
        page.get_by_test_id("modal-submit").click()
        expect(page.get_by_test_id("field-error")).to_have_text(
            "Please complete this required field."
        )
        modal.get_by_label("Severity").select_option(label="high")
        modal.get_by_label("Prevention rule").fill("be careful")
        page.get_by_test_id("modal-submit").click()
        expect(page.get_by_test_id("field-error")).to_have_text("That can't be checked.")
        expect(modal.get_by_label("Prevention rule")).to_be_focused()
        expect(modal.get_by_label("Prevention rule")).to_have_value("be careful")
        modal.get_by_label("Prevention rule").fill("when X, do Y")
        page.get_by_test_id("modal-submit").click()
        expect(modal).to_have_count(0)


def test_a_risky_button_asks_first(slack: Workspace, page: Page) -> None:
    CLICKED.clear()
    with Bot(slack, answering):
        asked = slack.say("ana", "general", "@faultbook hi")
        message(page, asked).get_by_test_id("thread-link").click()
        risky = page.locator("#thread [data-action=risky]")
        risky.click()
        page.get_by_test_id("confirm-no").click()
        assert CLICKED == []
        risky.click()
        expect(page.get_by_test_id("confirm")).to_contain_text("It can't be undone.")
        page.get_by_test_id("confirm-yes").click()
        slack.wait_for(lambda: CLICKED == ["risky"])


def test_a_button_that_went_while_it_asked_is_said_to_be_gone(slack: Workspace, page: Page) -> None:
    posted = slack.api("chat.postMessage", channel="general", text="x", blocks=[BUTTONS])
    message(page, posted["ts"]).locator("[data-action=risky]").click()
    confirm = page.get_by_test_id("confirm")
    expect(confirm).to_be_visible()
    place = {"channel": posted["channel"], "ts": posted["ts"]}
    slack.api("chat.update", **place, text="Denied", blocks=[section("Denied by Ben")])
    expect(message(page, posted["ts"])).to_contain_text("Denied by Ben")
    page.get_by_test_id("confirm-yes").click()
    expect(page.locator(".note")).to_have_text("This button is gone: the message changed.")


def test_a_bot_that_is_away_is_said_to_be_away(slack: Workspace, page: Page) -> None:
    expect(page.get_by_test_id("connection")).to_contain_text("not connected")
    posted = slack.api("chat.postMessage", channel="general", text="x", blocks=[BUTTONS])
    message(page, posted["ts"]).locator("[data-action=go]").click()
    expect(page.locator(".note")).to_contain_text("faultbook is not connected.")


def test_an_ephemeral_answer_is_seen_by_one_person_only(slack: Workspace, page: Page) -> None:
    with Bot(slack, answering):
        type_and_send(page, "/failing")
        whisper = page.locator('[data-ephemeral="true"]')
        expect(whisper.last).to_contain_text("Only visible to you")
        page.get_by_test_id("persona").select_option(label="Ben Okafor · Engineer")
        expect(page.get_by_test_id("messages")).to_be_visible()
        expect(whisper).to_have_count(0)


def test_the_member_id_of_whom_one_acts_as_is_shown_on_hovering(
    slack: Workspace, page: Page
) -> None:
    persona = page.get_by_test_id("persona")
    expect(persona).to_have_attribute("title", f"Member id {slack.user_id('ana')}")
    persona.select_option(label="Ben Okafor · Engineer")
    expect(persona).to_have_attribute("title", f"Member id {slack.user_id('ben')}")


def test_unread_messages_are_counted_and_read(slack: Workspace, page: Page) -> None:
    ops = page.locator('[data-testid=channel][data-name="ops"]')
    slack.say("ben", "ops", "one")
    slack.say("ben", "ops", "two")
    expect(ops).to_contain_text("2")
    ops.click()
    expect(page.get_by_test_id("message").last).to_contain_text("two")
    expect(ops).not_to_contain_text("2")


def test_home_and_messages_are_tabs_of_the_app(slack: Workspace, page: Page) -> None:
    view = {"type": "home", "blocks": [{"type": "header", "text": plain("What's failing")}]}
    page.locator('[data-testid=channel][data-name="dm"]').click()
    page.get_by_test_id("tab-home").click()
    expect(page.get_by_test_id("home")).to_contain_text("no Home for you yet")
    slack.api("views.publish", user_id=slack.user_id("ana"), view=view)
    expect(page.get_by_role("heading", name="What's failing")).to_be_visible()
    page.get_by_test_id("tab-messages").click()
    expect(page.get_by_test_id("composer")).to_be_visible()


def test_what_was_typed_outlives_a_change_of_the_workspace_and_a_look_elsewhere(
    slack: Workspace, page: Page
) -> None:
    box = page.get_by_test_id("composer")
    box.fill("half a thought")
    slack.new_channel("elsewhere")  # the page draws itself anew
    other = page.locator('[data-testid="channel"][data-name="elsewhere"]')
    other.wait_for()
    expect(box).to_have_value("half a thought")
    expect(box).to_be_focused()
    expect(page.get_by_test_id("send")).to_be_enabled()
    other.click()
    expect(box).to_have_value("")
    page.locator('[data-testid="channel"][data-name="general"]').click()
    expect(box).to_have_value("half a thought")


def test_the_wire_log_is_there_when_it_is_wanted(slack: Workspace, page: Page) -> None:
    expect(page.get_by_test_id("wire")).to_be_hidden()
    page.get_by_test_id("wire-toggle").click()
    page.get_by_label("Filter the wire log").fill("logged")  # other tests post messages too
    slack.api("chat.postMessage", channel="ops", text="logged")
    entry = page.get_by_test_id("wire-entry").filter(has_text="chat.postMessage")
    entry.locator("summary").click()
    expect(entry.locator("pre")).to_contain_text("logged")


SIGNS = ["rotating_light", "raised_hand", "warning", "x", "eyes", "white_check_mark", "hourglass"]
"""Drawn by the page itself: no font need have them."""
HARM = "<img src=x onerror=alert(1)><script>alert(1)</script>"


def test_text_that_means_harm_stays_text(slack: Workspace, page: Page) -> None:
    slack.say("ben", "general", HARM)
    link = {"type": "button", "text": plain("x"), "url": "javascript:alert(1)"}
    blocks = [
        section(HARM, fields=[{"type": "mrkdwn", "text": "<javascript:alert(1)|click me>"}]),
        {"type": "header", "text": plain(HARM)},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"*{HARM}* `{HARM}`"}]},
        {"type": "image", "image_url": "javascript:alert(1)", "alt_text": HARM},
        {"type": "actions", "elements": [link]},
    ]
    slack.api("chat.postMessage", channel="general", text=HARM, blocks=blocks, username=HARM)
    metadata = "<!date^1^{date}^javascript:alert(1)|x> <!channel>"
    slack.api("chat.postMessage", channel="general", text=metadata)
    expect(page.get_by_test_id("message").last).to_contain_text("@channel")
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
    expect(page.get_by_role("heading", name=HARM)).to_be_visible()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("*bold* _it_ ~no~ `a`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>a</code>"),
        ("missing_artifact_ref and 2*3*4", "missing_artifact_ref and 2*3*4"),
        ("*`a` and <https://x.example|link>*", "<strong><code>a</code> and <a …>link</a></strong>"),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("a\nb", "a<br>b"),
        ("&gt; quoted\nnot", "<blockquote>quoted</blockquote>not"),
        ("```\na *b*\n```", "<pre>a *b*</pre>"),
        (":nothing_like_it:", ":nothing_like_it:"),
        (f":{'::'.join(SIGNS)}:", "<svg …>" * len(SIGNS)),
        ("<!subteam^S1|@ops>", '<span class="mention">@ops</span>'),
    ],
)
def test_mrkdwn_is_shown_as_slack_shows_it(viewer: Page, written: str, shown: str) -> None:
    drawn = viewer.evaluate(
        """async (text) => {
            const {mrkdwn} = await import("/page/mrkdwn.js");
            const box = document.createElement("div");
            box.append(...mrkdwn(text));
            return box.innerHTML.replace(/<a [^>]*>/g, "<a …>")
                .replace(/<svg .*?<.svg>/g, "<svg …>");
        }""",
        written,
    )
    assert drawn == shown


def test_dates_are_shown_in_the_viewers_own_time(browser: Browser, slack: Workspace) -> None:
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB")
    page = context.new_page()
    page.goto(slack.page)
    page.get_by_test_id("composer").wait_for()
    render = """async (format) => {
        const {mrkdwn} = await import("/page/mrkdwn.js");
        const box = document.createElement("div");
        const now = Math.floor(Date.now() / 1000);
        box.append(...mrkdwn(format.replace("NOW", now)));
        return box.textContent;
    }"""
    fixed = "<!date^1795014240^{date_num} {time}|fallback>"
    assert page.evaluate(render, fixed) == "2026-11-19 00:04"
    assert page.evaluate(render, "<!date^1795014240^{date_short}|x>") == "Nov 19, 2026"
    assert page.evaluate(render, "<!date^NOW^{date_short_pretty}|x>") == "Today"
    assert page.evaluate(render, "since <!date^NOW^\u200b{date_short_pretty}|x>") == "since today"
    assert page.evaluate(render, "<!date^NOW^{ago}|x>") == "just now"
    assert page.evaluate(render, "<!date^soon^{date}|fallback>") == "fallback"
    context.close()


def test_a_block_the_page_does_not_know_is_shown_as_such(slack: Workspace, page: Page) -> None:
    table = {"type": "table", "rows": [["a"]]}
    posted = slack.api("chat.postMessage", channel="general", text="x", blocks=[table])
    assert posted["ok"], posted
    expect(page.get_by_test_id("unsupported").last).to_have_text("unsupported block: table")


def test_a_phone_shows_one_thing_at_a_time(slack: Workspace, phone: Page) -> None:
    wide = "w" * 200 + " `" + "c" * 200 + "`"
    ts = slack.say("ben", "general", wide)
    slack.say("ben", "general", "reply", thread=ts)
    slack.api("chat.postMessage", channel="general", text="x", blocks=[section(wide), BUTTONS])
    expect(phone.get_by_test_id("sidebar")).not_to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.get_by_test_id("menu").click()
    expect(phone.get_by_test_id("sidebar")).to_be_in_viewport()
    phone.keyboard.press("Escape")
    message(phone, ts).get_by_test_id("thread-link").click()
    box = phone.get_by_test_id("thread").bounding_box()
    assert box is not None
    assert box["width"] == 390
    phone.get_by_test_id("thread-close").click()
    expect(phone.get_by_test_id("composer")).to_be_visible()


def test_the_page_comes_back_after_a_restart(browser: Browser, home: Path) -> None:
    slack = Workspace.start(home)
    context = browser.new_context()
    page = context.new_page()
    page.goto(slack.page)
    slack.say("ana", "general", "before")
    expect(page.get_by_test_id("message")).to_have_count(1)
    slack.kill()
    expect(page.locator("body.cut")).to_have_count(1)
    again = slack.restart()
    try:
        expect(page.locator("body.cut")).to_have_count(0)
        again.say("ana", "general", "after")
        expect(page.get_by_test_id("message")).to_have_count(2)
    finally:
        context.close()
        again.stop()
