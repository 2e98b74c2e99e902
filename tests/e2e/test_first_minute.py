"""A newcomer's first minute: ``bot.py playground``, open the page, rate, press Next, hear the next round."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

selenium = pytest.importorskip(
    "selenium", reason="pip install selenium to test the page in a browser"
)

from tests.e2e.page_browser import CHROMEDRIVER, CHROMIUM, Page  # noqa: E402 - needs selenium

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="NO BROWSER: install chromium and chromium-driver to test the first minute",
    ),
]
CONFIG = "runs: {candidates: 8, seconds: 4}\n"


@pytest.fixture
def playground(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    env = {**os.environ, "TUNEBREEDER_DATA_DIR": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        str(ROOT / "bot.py"),
        "--config",
        str(tmp_path / "config.yaml"),
        "playground",
    ]
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen([*command, "--port", "0"], env=env, stdout=log, stderr=log)
        try:
            address = None
            deadline = time.monotonic() + 20
            while address is None and time.monotonic() < deadline and process.poll() is None:
                address = re.search(r"http://\S+", (tmp_path / "log").read_text())
                time.sleep(0.1)  # noqa: TID251 - waits for another process, outside any loop
            assert address is not None, (tmp_path / "log").read_text()
            yield address.group().rstrip("/")
        finally:
            process.terminate()
            assert process.wait(15) == 0, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_rate_four_real_clips_and_hear_the_next_generation(playground, tmp_path):
    page = Page(playground, tmp_path / "profile")
    try:
        page.open()
        page.wait(lambda: "Round 1" in page.text(".main"), seconds=60)
        ratings = page.wait(
            lambda: [node for node in page.all("button") if "😍" in node.text] or None
        )
        assert len(ratings) == 4
        ratings[0].click()
        page.see(".main", "Only you can see this")
        page.wait(lambda: [node for node in page.all("button") if "🙂" in node.text])[1].click()
        page.press_words("button", "Next")
        page.wait(lambda: "Round 1 is closed" in page.text(".main"), seconds=60)
        page.wait(lambda: "Round 2" in page.text(".main"), seconds=60)
        assert page.complaints() == []
    finally:
        page.close()
