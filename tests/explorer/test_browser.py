"""The explorer as a student uses it: a real browser, drags, and what is drawn."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import d2l_lrsched as lrs

webdriver = pytest.importorskip("selenium.webdriver")
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
def browser(server):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1200,900"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=Service(DRIVER)) as browser:
        browser.set_page_load_timeout(SECONDS)
        yield browser


class Page:
    """What the tests do and read."""

    def __init__(self, browser, curves_of):
        self.browser, self._curves_of = browser, curves_of

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition):
        WebDriverWait(self.browser, SECONDS, 0.05).until(lambda _: condition())

    def text(self, selector):
        # At once, for an answer may replace the parts of what is read.
        return self.browser.execute_script(
            "return document.querySelector(arguments[0]).innerText", selector
        )

    @property
    def code(self):
        return self.text("#code")

    def choose(self, name, text):
        Select(self.one(f"select[name={name}]")).select_by_visible_text(text)

    def chosen(self, name):
        return Select(self.one(f"select[name={name}]")).first_selected_option.text

    def curves(self):
        html = "return new XMLSerializer().serializeToString(document.querySelector('#svg'))"
        return self._curves_of(self.browser.execute_script(html))

    def slider(self, name):
        return self.one(f"input[name={name}]")

    def readout(self, name):
        return float(self.slider(name).get_attribute("aria-valuetext"))

    def drag(self, name, *pixels, pause=0):
        """Take the slider's handle and move it so far, and on, before it is let go."""
        slider = self.slider(name)
        at = int(slider.get_attribute("value")) / int(slider.get_attribute("max"))
        handle = round((at - 0.5) * (slider.size["width"] - 16))
        steps = ActionChains(self.browser, duration=10)
        steps.move_to_element_with_offset(slider, handle, 0).click_and_hold()
        for distance in pixels:
            for _ in range(10):
                steps.move_by_offset(round(distance / 10), 0)
            steps.pause(pause)
        steps.release().perform()


@pytest.fixture
def page(browser, server, curves_of):
    """The page in English, with the book's cosine read per update."""
    browser.get(server.url)
    page = Page(browser, curves_of)
    page.until(lambda: page.code.startswith("lrs.CosineScheduler(max_update=20"))
    page.choose("language", "English")
    page.until(lambda: "The whole training" in page.text("#svg"))
    return page


def assert_drawn(page, **readings):
    """Both readings in both panels, to 1/300 of the highest rate and half an update."""
    whole, first = page.curves()
    for curves, length in ((whole, 30 * 235), (first, 235)):
        assert len(curves) == 2
        for name, schedule in readings.items():
            drawn = np.array(curves[name.replace("_", " ")])
            updates = drawn[:, 0].round().astype(int)
            assert drawn[:, 0] == pytest.approx(updates, abs=length / 10_000)
            assert (updates[0], updates[-1]) == (1, length)
            expected = [schedule(int(n)) for n in updates]
            assert drawn[:, 1] == pytest.approx(expected, abs=0.003)


def test_a_drag_with_the_mouse_draws_the_packages_rates(page):
    page.drag("base_lr", 50, 50, pause=0.5)  # the first half is answered while it is held
    value = page.readout("base_lr")
    assert value == pytest.approx(0.5 + 100 / 284 * 2, abs=0.03)
    code = f"lrs.CosineScheduler(max_update=20, base_lr={value}, final_lr=0.01)"
    page.until(lambda: page.code == code)
    page.until(lambda: page.chosen("preset") == "your own")
    schedule = lrs.CosineScheduler(max_update=20, base_lr=value, final_lr=0.01)
    assert_drawn(page, update_chosen=schedule, epoch_other=lrs.PerEpoch(schedule, 235))


def test_a_quick_drag_ends_where_the_handle_is(page):
    """The values on the way may be left out, the last may not, and the hand is not shaken off."""
    page.drag("max_update", 50, -90, 70, -70, 90)
    value = int(page.readout("max_update"))
    assert value > 20
    page.until(lambda: f"max_update={value}," in page.code)
    schedule = lrs.CosineScheduler(max_update=value, base_lr=0.5, final_lr=0.01)
    assert_drawn(page, update_chosen=schedule, epoch_other=lrs.PerEpoch(schedule, 235))
    page.until(lambda: int(page.readout("max_update")) == value)


def test_the_other_reading_and_a_warmup(page):
    page.choose("reading", "epoch")
    page.slider("warmup_steps").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.until(lambda: "warmup_steps=2" in page.code)
    schedule = lrs.WarmupScheduler(
        lrs.CosineScheduler(max_update=20, base_lr=0.5, final_lr=0.01), warmup_steps=2
    )
    assert page.code.startswith("lrs.PerEpoch(lrs.WarmupScheduler(")
    assert_drawn(page, epoch_chosen=lrs.PerEpoch(schedule, 235), update_other=schedule)
    assert "read per epoch (chosen)" in page.text("#svg")


def test_a_slider_takes_along_those_that_must_not_lie_above_it(page):
    page.slider("base_lr").send_keys(Keys.HOME)
    page.until(lambda: "base_lr=0.005, final_lr=0.005" in page.code)
    page.until(lambda: page.readout("final_lr") == 0.005)
    assert page.browser.switch_to.active_element == page.slider("base_lr"), "keys go on to it"
    page.slider("base_lr").send_keys(Keys.END)
    page.until(lambda: "base_lr=2.0, final_lr=0.005" in page.code)
    page.slider("final_lr").send_keys(Keys.END)
    page.until(lambda: "base_lr=2.0, final_lr=0.5)" in page.code)


def test_the_other_language(page):
    page.choose("schedule", "polynomial")
    page.until(lambda: page.code.startswith("lrs.PolyScheduler("))
    page.choose("language", "Tiếng Việt")
    page.until(lambda: "Toàn bộ quá trình huấn luyện" in page.text("#svg"))
    page.choose("preset", "theo sách: cô-sin")
    page.until(lambda: "độ chính xác kiểm tra" in page.text("#runs"))
    text = page.text("body")
    assert "Bộ định thời" in text
    assert "Số mũ" not in text, "a slider of another schedule"
    assert "The " not in text
    assert page.one("html").get_attribute("lang") == "vi"


def test_stored_runs_and_the_note_on_the_books(page):
    counted = "cosine: 10 runs of 30 epochs, 0 collapsed"
    page.until(lambda: counted in page.text("#runs"))
    assert len(page.browser.find_elements(By.CSS_SELECTOR, "#runs polyline")) == 2 * 10
    page.choose("preset", "the book's: multi-factor")
    page.until(lambda: "never at 0.5" in page.text("#note"))
    page.until(lambda: "No stored run had just these" in page.text("#runs"))


def test_the_code_can_be_copied(page):
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    page.browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    page.one("button").click()
    read = "navigator.clipboard.readText().then(arguments[0])"
    page.until(lambda: page.browser.execute_async_script(read) == page.code)


def test_a_phone_shows_all_of_it_and_an_ended_server_is_told(page):
    page.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    try:
        assert page.browser.execute_script("return document.documentElement.scrollWidth") == 390
        assert page.one("#svg").location["y"] < page.one("#controls").location["y"]
        assert not page.one("#ended").is_displayed()
        page.browser.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        page.slider("base_lr").send_keys(Keys.END)
        page.until(lambda: "has ended" in page.one("#ended").text)
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        online = {**offline, "offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
        page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", online)
