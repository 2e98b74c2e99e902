"""Headless Chromium for the page's tests: a few words for pressing, typing, waiting and looking."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 8.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",
    "--window-size=1280,900",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
Found = TypeVar("Found")


def find_program(*names: str) -> str | None:
    """The first of some programs that is installed."""
    return next((path for name in names if (path := shutil.which(name))), None)


CHROMIUM = find_program(*_NAMES)
CHROMEDRIVER = find_program("chromedriver")


class Page:
    """One browser window on the playground."""

    def __init__(self, base: str, profile: Path) -> None:
        options = Options()
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = CHROMIUM or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
        self.base = base

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def open(self, **query: str) -> None:
        """Load the page afresh and wait until it shows a channel."""
        words = "&".join(f"{key}={value}" for key, value in query.items())
        self.driver.get(f"{self.base}/?{words}")
        self.wait(lambda: self.all(".rail-link[aria-current]"))

    def size(self, width: int, height: int, *, touch: bool = False) -> None:
        """Pretend to be a screen of this size in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def wait(self, check: Callable[[], Found], *, seconds: float = PATIENCE) -> Found:
        """Wait until ``check`` gives something true, and give that."""
        ignored = (
            StaleElementReferenceException,
            NoSuchElementException,
            ElementClickInterceptedException,
        )
        waiting = WebDriverWait(self.driver, seconds, 0.05, ignored_exceptions=ignored)
        try:
            return waiting.until(lambda _driver: check())
        except TimeoutException:
            shown = self.run("return document.querySelector('.main')?.innerText ?? ''")
            focus = self.run("return document.activeElement?.outerHTML.slice(0, 200) ?? ''")
            said = self.complaints()
            raise AssertionError(f"waited in vain.\n{shown[-900:]}\n{focus=}\n{said=}") from None

    def all(self, selector: str) -> list[WebElement]:
        """Every element for a CSS selector."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def get(self, selector: str) -> WebElement:
        """The element for a CSS selector, once it is there."""
        return self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, selector))

    def press(self, selector: str) -> None:
        """Click with a real pointer."""

        def once() -> bool:
            self.driver.find_element(By.CSS_SELECTOR, selector).click()
            return True

        self.wait(once)

    def press_words(self, selector: str, words: str) -> None:
        """Click the element of a kind that says ``words``."""

        def once() -> bool:
            found = [node for node in self.all(selector) if words in node.text]
            if found:
                found[0].click()
            return bool(found)

        self.wait(once)

    def keys(self, *keys: str) -> None:
        """Type into whatever has the focus."""
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def text(self, selector: str) -> str:
        """What an element says."""
        return self.get(selector).text

    def see(self, selector: str, words: str) -> None:
        """Wait until one of the elements of a kind says ``words``."""
        self.wait(lambda: any(words in node.text for node in self.all(selector)))

    def run(self, script: str, *arguments: Any) -> Any:
        """Ask the page something."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the console has said at warning level or worse since last asked."""
        return [
            str(entry["message"])
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"SEVERE", "WARNING"}
        ]
