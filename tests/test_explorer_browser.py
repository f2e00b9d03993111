"""The explorer as a student uses it: the command, a real browser, drags, and what is drawn."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys

import numpy as np
import pytest

import d2l_lrsched as lrs
from made_up import ROOT

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SECONDS = 120  # to wait for what other processes may slow down

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no chromium and chromedriver: sudo apt install chromium chromium-driver",
)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium with the page of the command, served for the whole module."""
    command = [sys.executable, "-m", "d2l_lrsched", "explore", "--no-browser"]
    server = subprocess.Popen(
        [*command, "--records", ROOT / "figures"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1200,900"):
        options.add_argument(argument)
    try:
        address = server.stdout.readline().split()[4]
        with webdriver.Chrome(options=options, service=Service(DRIVER)) as browser:
            browser.set_page_load_timeout(SECONDS)
            browser.get(address)
            yield browser
    finally:
        server.terminate()
        server.wait(60)
        server.stdout.close()


class Page:
    """What the tests do and read."""

    def __init__(self, browser, curves_of):
        self.browser, self._curves_of = browser, curves_of

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition):
        # An answer replaces what is on the page, also between finding a part and reading it.
        replaced = [StaleElementReferenceException]
        wait = WebDriverWait(self.browser, SECONDS, 0.05, ignored_exceptions=replaced)
        wait.until(lambda _: condition())

    @property
    def code(self):
        lines = self.browser.find_elements(By.CSS_SELECTOR, "code.line")
        return lines[0].text if lines else ""

    def press(self, name, value):
        """Press the button of toggles that has this text."""
        for button in self.browser.find_elements(By.CSS_SELECTOR, f"{name} button"):
            if button.text == value:
                button.click()

    def choose(self, name, text):
        Select(self.one(f".control-{name} select")).select_by_visible_text(text)

    def chosen(self, name):
        return Select(self.one(f".control-{name} select")).first_selected_option.text

    def curves(self):
        script = "return new XMLSerializer().serializeToString(arguments[0])"
        return self._curves_of(self.browser.execute_script(script, self.one(".rates svg")))

    def readout(self, name):
        return float(self.one(f".control-{name} .widget-readout").text)

    def handle(self, name):
        return self.one(f".control-{name} .noUi-handle")

    def drag(self, name, pixels):
        steps = ActionChains(self.browser, duration=20).click_and_hold(self.handle(name))
        for _ in range(10):
            steps.move_by_offset(pixels / 10, 0)
        steps.release().perform()


@pytest.fixture
def page(browser, curves_of):
    """The page in English, with the book's cosine read per update."""
    page = Page(browser, curves_of)
    page.until(lambda: page.code)
    page.press(".explorer > .widget-toggle-buttons", "English")
    page.until(lambda: "The whole training" in page.one(".rates").text)
    page.choose("preset", "the book's: constant")
    page.until(lambda: page.code.startswith("{"))
    page.choose("preset", "the book's: cosine")
    page.press(".control-reading", "update")
    page.until(lambda: page.code.startswith("lrs.CosineScheduler(max_update=20"))
    return page


def assert_drawn(page, per_update, per_epoch):
    """Both readings in both panels, to 1/300 of the highest rate and half an update."""
    curves = page.curves()
    for start, length in (("", 30 * 235), ("first-epoch-", 235)):
        for name, schedule in (("rate", per_update), ("other-reading", per_epoch)):
            drawn = np.array(curves[start + name])
            updates = drawn[:, 0].round().astype(int)
            assert drawn[:, 0] == pytest.approx(updates, abs=length / 10_000)
            assert (updates[0], updates[-1]) == (1, length)
            expected = [schedule(int(n)) for n in updates]
            assert drawn[:, 1] == pytest.approx(expected, abs=0.003)
    assert len(curves["first-epoch-rate"]) == 235


def test_a_drag_with_the_mouse_draws_the_packages_rates(page):
    page.drag("base_lr", 60)
    value = page.readout("base_lr")
    assert value > 0.6
    code = f"lrs.CosineScheduler(max_update=20, base_lr={value}, final_lr=0.01)"
    page.until(lambda: page.code == code)
    page.until(lambda: page.chosen("preset") == "your own")
    schedule = lrs.CosineScheduler(max_update=20, base_lr=value, final_lr=0.01)
    assert_drawn(page, schedule, lrs.PerEpoch(schedule, 235))


def test_a_quick_drag_ends_where_the_handle_is(page):
    """The values on the way may be left out, the last may not."""
    page.drag("max_update", 50)
    page.drag("max_update", -90)
    page.drag("max_update", 70)
    value = int(page.readout("max_update"))
    page.until(lambda: f"max_update={value}," in page.code)
    schedule = lrs.CosineScheduler(max_update=value, base_lr=0.5, final_lr=0.01)
    assert_drawn(page, schedule, lrs.PerEpoch(schedule, 235))


def test_the_other_reading_and_a_warmup(page):
    page.press(".control-reading", "epoch")
    page.handle("warmup_steps").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until(lambda: "warmup_steps=2" in page.code)
    schedule = lrs.WarmupScheduler(
        lrs.CosineScheduler(max_update=20, base_lr=0.5, final_lr=0.01), warmup_steps=2
    )
    assert page.code.startswith("lrs.PerEpoch(lrs.WarmupScheduler(")
    assert_drawn(page, lrs.PerEpoch(schedule, 235), schedule)
    assert "read per epoch (chosen)" in page.one(".rates").text


def test_what_does_not_go_together_is_said(page):
    page.handle("base_lr").send_keys(Keys.HOME)
    page.until(
        lambda: "final_lr must be a number from 0 to base_lr=0.005" in page.one(".error").text
    )
    assert page.code == ""
    page.handle("base_lr").send_keys(Keys.END)
    page.until(lambda: "base_lr=2.0" in page.code)
    assert page.one(".error").text == ""


def test_the_other_language(page):
    page.press(".explorer > .widget-toggle-buttons", "Tiếng Việt")
    page.until(lambda: "Toàn bộ quá trình huấn luyện" in page.one(".rates").text)
    page.until(lambda: "độ chính xác trên tập kiểm tra" in page.one(".runs").text)
    text = page.one(".explorer").text
    assert "Bộ định thời" in text
    assert "The " not in text


def test_stored_runs_and_the_note_on_the_books(page):
    counted = "cosine: 10 runs of 30 epochs, 0 collapsed"
    page.until(lambda: counted in page.one(".runs").text)
    assert len(page.browser.find_elements(By.CSS_SELECTOR, ".runs svg")) == 1
    page.choose("preset", "the book's: multi-factor")
    page.until(lambda: "never at 0.5" in page.one(".note").text)
    page.until(lambda: "No stored run had just these" in page.one(".runs").text)


def test_the_code_can_be_copied(page):
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    page.one("button.copy").click()
    read = "navigator.clipboard.readText().then(arguments[0])"
    page.until(lambda: page.browser.execute_async_script(read) == page.code)


def test_how_long_an_answer_takes(page):
    """From the key to the drawing; measured and printed, for it hangs on the machine."""
    page.browser.execute_script(
        """window.took = []; let pressed;
        document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
        new MutationObserver(() => window.took.push(performance.now() - pressed))
            .observe(document.querySelector(".rates"), {childList: true, subtree: true});"""
    )
    for answers in range(1, 21):
        page.handle("base_lr").send_keys(Keys.ARROW_LEFT)
        page.until(lambda n=answers: page.browser.execute_script("return window.took.length") >= n)
    took = page.browser.execute_script("return window.took")
    print(f"an answer: median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms")
    value = page.readout("base_lr")
    page.until(lambda: f"base_lr={value}," in page.code)
