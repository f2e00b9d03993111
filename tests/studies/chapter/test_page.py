from __future__ import annotations

import html.parser
import re
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest

from d2l_lrsched.studies.chapter import explanations, page
from d2l_lrsched.studies.chapter.verdicts import DIFFERENT, compare, distinct
from made_up import FIGURES, a_run, committed

COMMITTED = FIGURES / "chapter"


def test_the_committed_page_is_made_from_the_committed_records():
    runs = distinct(run for run in committed("chapter") if run.num_epochs == 30)
    text = (COMMITTED / "README.md").read_text(encoding="utf-8")
    assert text == page.as_page(runs, compare(runs), committed("chapter"))
    assert "nan" not in text
    assert (COMMITTED / "report.html").read_text(encoding="utf-8") == page.as_html(text, COMMITTED)


class Parser(html.parser.HTMLParser):
    """What a page opens, asks for and shows."""

    def __init__(self, content):
        super().__init__()
        self.open, self.addresses, self.tags = [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "link", "img", "br", "hr"):
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_html_is_whole_holds_its_figures_and_asks_the_network_for_nothing(tmp_path):
    Path(tmp_path, "a.svg").write_text("<svg>é</svg>", encoding="utf-8")
    text = "# The title\n\n![what](a.svg)\n\n| a | b |\n| --- | --- |\n| 1 | <fast> |\n"
    content = page.as_html(text, tmp_path)
    parsed = Parser(content)
    assert parsed.open == []
    (address,) = parsed.addresses
    kind, _, data = address.partition(",")
    assert (kind, b64decode(data).decode()) == ("data:image/svg+xml;base64", "<svg>é</svg>")
    assert "<title>The title</title>" in content
    assert parsed.tags.count("td") == 2
    assert "<td>&lt;fast&gt;</td>" in content, "what comes from records is escaped"


def test_the_committed_html_asks_the_network_for_nothing():
    content = (COMMITTED / "report.html").read_text(encoding="utf-8")
    figures = [a for a in Parser(content).addresses if a.startswith("data:image/svg+xml;")]
    assert [a for a in Parser(content).addresses if a not in figures] == ["builds.md"], "beside it"
    assert len(figures) == 3
    assert not re.search(r"@import|url\(|<script", content)


def test_the_explanation_of_a_difference_stands_beside_it(monkeypatch):
    numbers = {"train_loss": 0.362, "train_acc": 0.87}
    runs = [a_run("cosine", seed, test_acc=0.9, **numbers) for seed in range(5)]
    verdicts = compare(runs)
    assert [v.number for v in verdicts if v.verdict == DIFFERENT] == ["test_acc"]
    assert "- cosine, test acc: Not explained yet.\n" in page.as_page(runs, verdicts)
    monkeypatch.setattr(explanations, "EXPLAINED", {("cosine", "test_acc"): "The moon was full."})
    assert "- cosine, test acc: The moon was full.\n" in page.as_page(runs, verdicts)


FRAME = """
<iframe src="report.html" width="390" height="800" style="border: 0"></iframe>
<script>
onload = () => {
  const inner = document.querySelector("iframe").contentDocument.documentElement;
  const drawn = [...inner.querySelectorAll("img")].filter(one => one.naturalWidth > 0).length;
  document.title = [inner.clientWidth, inner.scrollWidth, drawn].join(" ");
}
</script>
"""


def test_in_a_browser_nothing_is_wider_than_a_phone_and_all_figures_are_seen(tmp_path):
    """Measured in an iframe, since a headless window is never narrower than 500 pixels."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no chromium is installed")
    shutil.copy(COMMITTED / "report.html", tmp_path)
    Path(tmp_path, "frame.html").write_text(FRAME)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"]
    address = Path(tmp_path, "frame.html").as_uri()
    done = subprocess.run(
        [browser, *flags, "--allow-file-access-from-files", address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (title,) = re.findall(r"<title>(.*?)</title>", done.stdout)
    shown, needed, drawn = map(int, title.split())
    assert (shown, drawn) == (390, 3)
    assert needed <= shown
