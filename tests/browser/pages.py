"""What tests do on the workspace's page: say something, find it again, keep a picture."""

import os
import time
from pathlib import Path

from playwright.sync_api import Locator, Page

_SHOTS = os.environ.get("SHOTS")  # a folder to keep the screenshots in


def shot(page: Page, name: str, folder: Path) -> Path:
    """Keep a picture of the page."""
    path = (Path(_SHOTS) if _SHOTS else folder) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path


def say(page: Page, words: str) -> Locator:
    """Type into the channel and send; gives the message, whatever else is there or comes."""
    return say_timed(page, words)[0]


def say_timed(page: Page, words: str) -> tuple[Locator, float]:
    """Say something; gives the message, and when it was sent, in monotonic seconds."""
    page.get_by_test_id("composer").fill(words)
    page.keyboard.press("Escape")  # a list of names may be open
    began = time.monotonic()
    with page.expect_response("**/_control/say") as sent:
        page.get_by_test_id("send").click()
    ts = sent.value.json()["ts"]
    said = page.get_by_test_id("messages").locator(f'[data-testid="message"][data-ts="{ts}"]')
    return said, began


def answer_to(page: Page, message: Locator) -> Locator:
    """Open a message's thread, once it has one, and give the first reply."""
    message.get_by_test_id("thread-link").click(timeout=20_000)
    return page.get_by_test_id("thread").get_by_test_id("message").nth(1)
