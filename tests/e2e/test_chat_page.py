"""People talk to the bot on the playground's page: mentions, rights, and a question before something is lost."""

from __future__ import annotations

import asyncio

import pytest

selenium = pytest.importorskip("selenium", reason="SELENIUM IS MISSING: the page was not tested")

from selenium.webdriver.common.keys import Keys  # noqa: E402

from playground.start import FIRST_LISTENER_ID, MODERATOR_ID, MUSIC_ID  # noqa: E402
from tests.e2e.bot_process import playing  # noqa: E402
from tests.e2e.page_browser import CHROMEDRIVER, CHROMIUM, Page  # noqa: E402

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="CHROMIUM OR CHROMEDRIVER IS MISSING: the page was not tested",
    ),
]


def say(page: Page, text: str) -> None:
    """Mention the bot with the page's own list of people, and send ``text``."""
    page.press("#draft")
    page.keys("@Tune")
    page.see(".finder-item[aria-selected='true']", "Tunebreeder")
    page.keys(Keys.ENTER, text, Keys.ENTER)


def talk(page: Page) -> None:
    """Say what listeners and moderators say."""
    page.open(user=str(FIRST_LISTENER_ID), channel=str(MUSIC_ID), theme="dark")
    page.wait(lambda: len(page.all(".clip")) >= 4, seconds=40)
    say(page, "love the second one")
    page.see(".message", "clip B")
    say(page, "stop the run")
    page.see(".message", "Only moderators")
    page.open(user=str(MODERATOR_ID), channel=str(MUSIC_ID), theme="dark")
    say(page, "stop the run please")
    page.see(".message .button", "Yes")
    page.press_words(".message .button", "No")
    page.see(".message", "Left as it is.")
    assert page.complaints() == []


async def test_what_is_said_is_done_with_the_rights_of_who_says_it(tmp_path):
    async with playing(tmp_path) as bot:
        page = await asyncio.to_thread(Page, bot.server.page_url.rstrip("/"), tmp_path / "profile")
        try:
            await asyncio.to_thread(talk, page)
        finally:
            await asyncio.to_thread(page.close)
        assert bot.failures() == []
