from __future__ import annotations

import html.parser
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from d2l_lrsched.studies.chapter import explanations, page
from d2l_lrsched.studies.chapter import verdicts as regression
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT, INCONCLUSIVE, Verdict
from made_up import a_run, an_epoch


def run(experiment, seed, test_acc=0.85, outcome="trained", **made_with):
    numbers = {"train_loss": 0.3 + seed / 1000, "train_acc": 0.9}
    epochs = [an_epoch(**numbers, test_acc=accuracy) for accuracy in (0.5, test_acc + seed / 1000)]
    made = {
        "settings": {"net": "fast"},
        "seconds": 1800.0,
        "started": "2026-03-04T05:06:07+00:00",
        "versions": {"python": "3.11.7", "commit": "abc"},
        "processor": "a <fast> processor",
        "data": {"labels": "0123"},
    }
    epochs = [*epochs[:1] * 29, epochs[1]]
    return a_run(experiment, seed, outcome, epochs=epochs, **{**made, **made_with})


@pytest.fixture(scope="module")
def runs():
    made = [run(name, seed) for name in CHAPTER for seed in range(5)]
    return [*made, run("constant", 7, 0.1, "collapsed", versions={"python": "3.9.2"})]


@pytest.fixture(scope="module")
def content(runs):
    return page.as_html(runs, regression.compare(runs))


class Parser(html.parser.HTMLParser):
    """What a page asks for, names and holds."""

    def __init__(self, content):
        super().__init__()
        self.open, self.ids, self.addresses, self.cells = [], [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "img", "br", "hr"):
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [given[k] for k in ("src", "href", "xlink:href") if k in given]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_the_page_is_whole_and_asks_the_network_for_nothing(content):
    parsed = Parser(content)
    assert parsed.open == []
    assert all(address.startswith("#") for address in parsed.addresses)
    assert {address[1:] for address in parsed.addresses} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert not re.search(r"@import|url\((?!#)|<script|<\?xml", content)


def test_the_page_is_drawn_twice_to_the_same_bytes(runs, content):
    assert page.as_html(runs, regression.compare(runs)) == content


def test_every_verdict_is_in_the_table(runs, content):
    cells = Parser(content).cells
    for verdict in regression.compare(runs):
        assert f"{page.SIGNS[verdict.verdict]} {verdict.verdict}" in cells
    assert "1" in cells  # the collapsed one
    assert cells.count("0.302 ± 0.002") == len(CHAPTER)  # 0.300, 0.301, 0.302, 0.303, 0.304


def test_what_comes_from_records_is_escaped(content):
    assert "a &lt;fast&gt; processor" in content


def test_the_explanation_of_a_difference_stands_beside_it(runs, monkeypatch):
    verdicts = regression.compare(runs)
    key = next((v.experiment, v.number) for v in verdicts if v.verdict == DIFFERENT)
    assert "Not explained yet." in page.as_html(runs, verdicts)
    monkeypatch.setattr(explanations, "DIFFERENT", {key: "Because the moon was full."})
    monkeypatch.setattr(explanations, "FINDINGS", ("The moon matters.",))
    content = page.as_html(runs, verdicts)
    assert "Because the moon was full." in content
    assert "<p>The moon matters.</p>" in content


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (
            Verdict("cosine", "test_acc", DIFFERENT, 0.848, 10, 1, 0.9, 0.01, 9, 0.86, 0.94),
            "0.848 lies outside 0.860 and 0.940.",
        ),
        (
            Verdict("cosine", "test_acc", CONSISTENT, 0.848, 10, 0, 0.85, 0.01, 9, 0.83, 0.87),
            "0.848 lies inside 0.830 and 0.870.",
        ),
        (
            Verdict("cosine", "test_acc", INCONCLUSIVE, 0.848, 10, 0, 0.85, 0.1, 9, 0.75, 0.95),
            "0.848 lies inside 0.750 and 0.950, but that is wider than 0.050 and would hold too "
            "much.",
        ),
        (
            Verdict(
                *("cosine", "test_acc", INCONCLUSIVE, 0.848, 2, 0, 0.85, math.nan, 0),
                *(-math.inf, math.inf),
            ),
            "2 of our 2 runs trained: too few to tell where one more would fall.",
        ),
        (
            Verdict(
                "constant", "outcome", INCONCLUSIVE, "collapsed", 10, 1, 0.1, math.nan, 0, 0.0, 0.6
            ),
            "9 of our 10 runs trained; the share that ends as the book's did lies between 0.000 "
            "and 0.600, which may be rare or not (rare is below 0.05).",
        ),
    ],
)
def test_why(verdict, reason):
    assert page.why(verdict) == reason


def test_provenance_counts_what_differs(runs):
    unknown = run("constant", 8, seconds=math.nan)  # as null in the record
    assert dict(page.provenance_rows([unknown]))["training"] == "0.0 hours of one core"
    rows = dict(page.provenance_rows(runs))
    assert rows["runs"] == "46"
    assert rows["seeds of constant"] == "0-4, 7"
    assert rows["net"] == "fast"
    assert rows["training"] == "23.0 hours of one core"
    assert rows["begun"] == "2026-03-04"
    assert rows["python"] == "3.11.7 (45 of 46 runs), 3.9.2 (1 of 46 runs)"
    assert rows["commit"] == "abc (45 of 46 runs), none (1 of 46 runs)"
    assert rows["SHA-256 of labels"] == "0123"


FRAME = """
<iframe src="report.html" width="WIDTH" height="800" style="border: 0"></iframe>
<script>
onload = () => {
  const inner = document.querySelector("iframe").contentDocument.documentElement;
  const color = getComputedStyle(inner.querySelector("td.DIFFERENT")).color;
  document.title = [inner.clientWidth, inner.scrollWidth, color].join(" ");
}
</script>
"""


@pytest.mark.parametrize("width", [390, 1200])
def test_in_a_browser_nothing_is_wider_than_the_window(content, tmp_path, width):
    """Measured in an iframe, since a headless window is never narrower than 500 pixels."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no chromium is installed")
    Path(tmp_path, "report.html").write_text(content, encoding="utf-8")
    Path(tmp_path, "frame.html").write_text(FRAME.replace("WIDTH", str(width)))
    done = subprocess.run(
        [
            *[browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
            *[
                "--dump-dom",
                "--allow-file-access-from-files",
                Path(tmp_path, "frame.html").as_uri(),
            ],
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (title,) = re.findall(r"<title>(.*?)</title>", done.stdout)
    shown, needed, color = title.split(" ", 2)
    assert int(shown) == width
    assert int(needed) <= int(shown)
    assert color == "rgb(168, 67, 0)"  # the style is there
