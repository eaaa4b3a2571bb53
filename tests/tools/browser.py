"""A real headless Chromium, driven as a person would use the page."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1100,700",
)
_PATIENCE = 20  # seconds until what should be on the page is taken to be missing


class Browser:
    """One person's browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, selector: str) -> WebElement:
        """The first element that is there and shown, once there is one."""
        return self.wait(
            lambda driver: next(
                (e for e in driver.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()),
                None,
            ),
            f"nothing shown at {selector}",
        )

    def click(self, selector: str) -> None:
        """Click as the keyboard does: what appears on hover need not be shown for that."""
        click = "const found = document.querySelector(arguments[0]); found?.click(); return !!found"
        self.wait(lambda driver: driver.execute_script(click, selector), f"no {selector}")

    def type(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def send(self, text: str) -> None:
        """Write a message."""
        self.type("#body", text + Keys.ENTER)

    def sees(self, selector: str, text: str) -> None:
        """Wait until such an element has the text in it."""
        self.wait(lambda _: any(text in seen for seen in self._texts(selector)), f"no {text!r}")

    def sees_no_more(self, selector: str, text: str) -> None:
        """Wait until no such element has the text in it."""
        self.wait(lambda _: not any(text in seen for seen in self._texts(selector)), text)

    def messages(self) -> list[str]:
        """The bodies on the page, in their order."""
        return self._texts("#timeline .body")

    def _texts(self, selector: str) -> list[str]:
        texts: list[str] = self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
            selector,
        )
        return texts

    def wait(self, condition: Callable[[webdriver.Chrome], Any], what: str) -> Any:
        """Wait until the condition holds; ``what`` says what is wrong if it never does."""
        patience = WebDriverWait(self.driver, _PATIENCE, 0.1, [StaleElementReferenceException])
        return patience.until(condition, what)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with an empty profile; skips the test where there is none, unless in CI."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        assert not os.environ.get("CI"), "install the packages chromium and chromium-driver"
        pytest.skip("needs the packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for option in (*_OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        driver = webdriver.Chrome(options=options, service=Service(chromedriver))
        try:
            yield Browser(driver)
        finally:
            driver.quit()
