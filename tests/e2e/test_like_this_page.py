"""A listener uploads a track on the playground's page, and the real bot breeds towards it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

selenium = pytest.importorskip("selenium", reason="SELENIUM IS MISSING: the page was not tested")

from selenium.webdriver.common.keys import Keys  # noqa: E402

from playground.start import FIRST_LISTENER_ID, MUSIC_ID  # noqa: E402
from tests.e2e.bot_process import playing  # noqa: E402
from tests.e2e.page_browser import CHROMEDRIVER, CHROMIUM, Page  # noqa: E402

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="CHROMIUM OR CHROMEDRIVER IS MISSING: the page was not tested",
    ),
]
RATE = 22050
MINE = ".message.is-ephemeral"


def song(path: Path, level: float) -> Path:
    """Twelve seconds of a pulse of 120 beats a minute."""
    time = np.arange(12 * RATE) / RATE
    samples = level * np.exp(-9.0 * (time % 0.5)) * np.sin(2 * np.pi * 110 * time)
    soundfile.write(path, samples.astype(np.float32), RATE)
    return path


def send(page: Page, path: Path) -> None:
    """Fill the command in with a file, and send it."""
    page.press("#draft")
    page.keys("/like-this")
    page.see(".finder-item[aria-selected='true']", "/like-this")
    page.keys(Keys.ENTER)
    page.get(".slash input[type=file]").send_keys(str(path))
    page.press(".slash input[type=text]")
    page.keys("sparse", Keys.ENTER)


def breed(page: Page, folder: Path) -> None:
    """Send silence, which is refused, then a song."""
    page.open(user=str(FIRST_LISTENER_ID), channel=str(MUSIC_ID), theme="light")
    send(page, song(folder / "silence.wav", 0.0))
    page.wait(lambda: "silent" in page.text(MINE), seconds=60)
    send(page, song(folder / "Night_Drive.flac", 0.4))
    page.wait(lambda: len(page.all(".clip")) >= 4, seconds=60)
    page.press("#draft")
    page.keys("/evolve status", Keys.ENTER, Keys.ENTER)
    page.see(MINE, "Bred towards “Night Drive” (0:12)")
    assert page.complaints() == []


async def test_an_uploaded_track_is_bred_towards(tmp_path):
    async with playing(tmp_path, start=False, response_seconds=20.0) as bot:
        url = bot.server.page_url.rstrip("/")
        _, page = await asyncio.gather(
            bot.start(), asyncio.to_thread(Page, url, tmp_path / "profile")
        )
        try:
            await asyncio.to_thread(breed, page, tmp_path)
        finally:
            await asyncio.to_thread(page.close)
        assert bot.failures() == []
