"""The studio's page in a real browser: words and sliders in, a clip out, with the tune kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.options import PlaygroundOptions
from service.studio import Studio
from service.tasks import TaskSet
from tests.fakes import FakeClock, FakeDevice

selenium = pytest.importorskip("selenium", reason="SELENIUM IS MISSING: the page was not tested")

from tests.e2e.page_browser import CHROMEDRIVER, CHROMIUM, Page  # noqa: E402
from tests.e2e.page_stage import Stage, staged  # noqa: E402

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="CHROMIUM OR CHROMEDRIVER IS MISSING: the page was not tested",
    ),
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged(PlaygroundOptions()) as running:
        yield running


@pytest.fixture
def device(stage: Stage) -> FakeDevice:
    made = FakeDevice()

    async def furnish() -> None:
        stage.server.use_studio(Studio(made, FakeClock(), TaskSet()))

    stage.call(furnish())
    return made


@pytest.fixture
def page(stage: Stage, device: FakeDevice, tmp_path) -> Iterator[Page]:
    browser = Page(stage.url, tmp_path / "profile")
    browser.driver.get(f"{stage.url}/studio")
    browser.wait(lambda: browser.all(".desk button[type=submit]"))
    yield browser
    browser.close()


def slide(page: Page, name: str, value: float) -> None:
    page.run(
        "const row = [...document.querySelectorAll('.row')].find((one) => one.textContent.includes(arguments[0]));"
        "const input = row.querySelector('input'); input.value = arguments[1];"
        "input.dispatchEvent(new Event('input'));",
        name,
        value,
    )


def test_words_and_sliders_become_clips(page, device):
    page.get("textarea").send_keys("slow jazz with zorbl")
    slide(page, "Mood", 0.2)
    page.press(".desk button[type=submit]")
    page.see(".take h2", "slow jazz with zorbl")
    page.see(".take", "Without effect: zorbl")
    page.wait(lambda: page.all(".take audio"))
    (first,) = device.requests
    assert first.facets["valence"] == 0.2
    assert first.facets["family"] == "jazz"
    assert "energy" not in first.facets
    slide(page, "Tempo", 133)
    page.press(".desk button[type=submit]")
    page.wait(lambda: len(page.all(".take audio")) == 2)
    assert device.requests[1].seed == first.seed, "only a slider changed, so the tune stays"
    assert device.requests[1].facets["tempo"] == 133.0
    assert page.complaints() == []


def test_a_failure_is_shown_in_its_words(page, device):
    device.fail = lambda _: "The orchestra is ill."
    page.press(".desk button[type=submit]")
    page.see(".take .error", "The orchestra is ill.")
