"""A moderator tunes an operator on the playground's page: edit, see what is wrong, try, save, roll back."""

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
MINE = ".message.is-ephemeral"


def type_template(page: Page, text: str) -> None:
    """Replace what the form asks the model, and send it in."""
    field = page.get("dialog textarea")
    field.clear()
    field.send_keys(text)
    page.press("dialog .button-primary")


def tune(page: Page) -> None:
    """Press what a moderator presses."""
    page.open(user=str(MODERATOR_ID), channel=str(MUSIC_ID), theme="light")
    page.press("#draft")
    page.keys("/operators edit")
    page.see(".finder-item[aria-selected='true']", "/operators edit")
    page.keys(Keys.ENTER)
    page.get(".slash input:focus")
    page.keys("cross")
    page.wait(lambda: len(page.all(".suggestions .option")) == 1)
    page.keys(Keys.ARROW_DOWN, Keys.ENTER, Keys.ENTER)
    page.see("dialog h2", "Operator: crossover")
    type_template(page, "Blend {both} into one.")
    page.see(MINE, "{prompts} is missing")
    page.press_words(f"{MINE} .button", "Edit again")
    page.see("dialog h2", "Operator: crossover")
    assert page.get("dialog textarea").get_property("value") == "Blend {both} into one."
    type_template(page, "Blend {both} into one.\n{prompts}")
    page.wait(lambda: "is missing" not in page.text(MINE))
    page.press_words(f"{MINE} .button", "Try")
    page.see(MINE, "offline breeder crossed these parents")
    page.press_words(f"{MINE} .button", "Save")
    page.see(MINE, "Version 1: changed crossover: template")
    page.press_words(f"{MINE} .button", "Roll back")
    page.see(MINE, "Version 2: rolled back crossover: template")
    page.open(user=str(FIRST_LISTENER_ID), channel=str(MUSIC_ID), theme="light")
    page.press("#draft")
    page.keys("/operators edit")
    page.see(".finder-item.is-dim", "/operators edit")
    assert not page.all(MINE)
    assert page.complaints() == []


async def test_edit_try_save_and_roll_back(tmp_path):
    async with playing(tmp_path, start=False) as bot:
        url = bot.server.page_url.rstrip("/")
        _, page = await asyncio.gather(
            bot.start(), asyncio.to_thread(Page, url, tmp_path / "profile")
        )
        try:
            await asyncio.to_thread(tune, page)
        finally:
            await asyncio.to_thread(page.close)
        assert bot.failures() == []
